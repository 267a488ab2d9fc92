"""Parts a file in SQuAD's form in two, by articles: two thirds to train on, the rest to measure.

python benchmarks/split_squad.py FILE TRAIN DEV
"""

import json
import sys
from pathlib import Path


def main() -> None:
    source, *targets = map(Path, sys.argv[1:])
    articles = json.loads(source.read_text(encoding="utf-8"))["data"]
    parts = [article for i, article in enumerate(articles) if i % 3], articles[::3]
    for target, part in zip(targets, parts, strict=True):
        questions = sum(len(p["qas"]) for article in part for p in article["paragraphs"])
        target.write_text(json.dumps({"data": part}), encoding="utf-8")
        print(f"{target}: {questions} questions")


if __name__ == "__main__":
    main()

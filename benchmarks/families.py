"""The largest differences from transformers, for each family of encoders and each head.

    python benchmarks/families.py [--layers 6] [--hidden 384]

Models have random weights, so that no weight is near a special value, and are read from what
transformers saves. Texts are random ids in rows of several lengths, padded on the right. Each
number is the largest absolute difference of an output, in float32; outputs are of the order of 1.
Below, tokens: texts of the conformance corpus (clients/conformance) for which ids, offsets and word
ids all equal those of transformers' class. The tokenizers are trained on a few texts, or have
BERT's vocabulary; ours are read from what transformers saves.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
sys.path.insert(0, str(Path(__file__).parents[1]))

import transformers

from tests.roberta_tokenizers import save_tokenizer
from tests.test_families import CONFIGS, HEADS, inputs_for, largest_difference, load, make
from tf_squeezebert import SqueezeBertTokenizer
from tf_squeezebert.families import FAMILIES

ROOT = Path(__file__).resolve().parents[1]
LENGTHS = (1, 13, 40)
CORPUS = ROOT / "clients" / "conformance" / "tokens.jsonl"
VOCABULARY = ROOT / "tests" / "fixtures" / "vocab.txt"
WORDPIECES = {"DistilBert": "DistilBertTokenizer", "Electra": "ElectraTokenizer"}
UNIGRAMS = {"XLMRoberta": "xlm-roberta", "Camembert": "camembert"}


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--hidden", type=int, default=384)
    return parser.parse_args()


def sizes(family: str, layers: int, hidden: int) -> dict[str, int]:
    """A config's sizes, by the family's names; heads have 32 channels."""
    heads = hidden // 32
    if family == "DistilBert":
        return {"n_layers": layers, "dim": hidden, "n_heads": heads, "hidden_dim": 4 * hidden}
    values = {"num_hidden_layers": layers, "hidden_size": hidden, "num_attention_heads": heads}
    values["intermediate_size"] = 4 * hidden
    return {**values, "embedding_size": hidden // 2} if family == "Electra" else values


def difference(family: str, head: str, layers: int, hidden: int) -> float:
    theirs = make(family, head, **sizes(family, layers, hidden))
    with tempfile.TemporaryDirectory() as folder:
        theirs.save_pretrained(folder)
        ours, _ = load(head, Path(folder))
    inputs = (inputs_for(theirs, head, length) for length in LENGTHS)
    return max(largest_difference(ours, theirs, x) for x in inputs)


def equal_texts(family: str, texts: list[str]) -> int:
    """The number of texts of which all tokens equal those of transformers."""
    with tempfile.TemporaryDirectory() as folder:
        if family in WORDPIECES:
            make_tokenizer = getattr(transformers, WORDPIECES[family])
            make_tokenizer(vocab=str(VOCABULARY)).save_pretrained(folder)
        else:
            save_tokenizer(UNIGRAMS.get(family, "roberta"), Path(folder))
        theirs = transformers.AutoTokenizer.from_pretrained(folder)
        ours = SqueezeBertTokenizer.from_pretrained(folder)
    got, want = (x(texts, return_offsets_mapping=True) for x in (ours, theirs))
    return sum(
        got["input_ids"][i] == want["input_ids"][i]
        and [*map(tuple, got["offset_mapping"][i])] == [*map(tuple, want["offset_mapping"][i])]
        and got.word_ids(i) == want.word_ids(i)
        for i in range(len(texts))
    )


def main() -> None:
    options = read_options()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    print(f"transformers {transformers.__version__}, {options.layers} x {options.hidden}")
    titles = [family.title for family in FAMILIES.values() if family.classes in CONFIGS]
    print("| class | " + " | ".join(titles) + " |")
    print("|---|" + "---|" * len(CONFIGS))
    for head in HEADS:
        found = [difference(family, head, options.layers, options.hidden) for family in CONFIGS]
        print(f"| `...{head}` | " + " | ".join(f"{x:.1e}" for x in found) + " |", flush=True)
    lines = CORPUS.read_text(encoding="utf-8").splitlines()
    texts = sorted({x for line in lines if isinstance(x := json.loads(line).get("text"), str)})
    found = [f"{equal_texts(family, texts)} of {len(texts)}" for family in CONFIGS]
    print("| equal tokens, texts | " + " | ".join(found) + " |")


if __name__ == "__main__":
    main()

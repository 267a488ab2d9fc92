"""How much each single cut of a BERT hurts, before any training: what `squeeze` searches by.

    python benchmarks/squeeze_cuts.py TEACHER --task sst2 --train train.tsv

Prints, for each cut, the squared error of the last hidden states, relative to their variance, after
the fit and on other texts, of the layer where it is least, of the one where it is most, and the
mean; beside the share of the layer's cost on a Cortex-A76 (25 tokens, int8) that is left. Then the
error of the BERT with fewer layers, whole ones. Takes about ten minutes on one core.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np

from tf_squeezebert.config import LayerSizes
from tf_squeezebert.convert import load_pretrained
from tf_squeezebert.models import transformer_of
from tf_squeezebert.squeeze import make_student
from tf_squeezebert.squeeze.calibration import Calibration
from tf_squeezebert.squeeze.costs import cortex_a76
from tf_squeezebert.squeeze.fitting import hidden_error
from tf_squeezebert.squeeze.sensitivity import cuts_of, sensitivities
from tf_squeezebert.squeeze.teacher import read_task_texts
from tf_squeezebert.tasks import TASKS

TOKENS, FITTED, JUDGED = 25, 6000, 3000


def cost(sizes: LayerSizes) -> float:
    costs = cortex_a76()
    return costs.attention(sizes, TOKENS, TOKENS) + costs.feed_forward(sizes, TOKENS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("teacher", type=Path)
    parser.add_argument("--task", choices=TASKS, required=True)
    parser.add_argument("--train", type=Path, required=True)
    options = parser.parse_args()
    if not options.train.is_file():
        sys.exit(f"There is no '{options.train}'.")
    teacher = load_pretrained(options.teacher)
    texts = read_task_texts(options.train, options.task, teacher)
    texts = [texts[i] for i in np.random.default_rng(0).permutation(len(texts))]
    others = texts[::10]
    judged = Calibration(teacher, others, max_tokens=JUDGED)
    fitted = [text for i, text in enumerate(texts) if i % 10]
    errors = sensitivities(teacher, Calibration(teacher, fitted, max_tokens=FITTED), judged)
    whole = teacher.config.layer_sizes(0)
    print(f"{'cut':<32}{'least':>8}{'mean':>8}{'most':>8}{'cost':>8}")
    for cut in cuts_of(whole):
        of_layers = [every[cut] for every in errors.values()]
        name = f"{cut.names[0]} {cut.value}" if len(cut.names) == 1 else f"q/k/v groups {cut.value}"
        numbers = (f"{x:8.3f}" for x in (min(of_layers), np.mean(of_layers), max(of_layers)))
        print(f"{name:<32}{''.join(numbers)}{cost(cut.of(whole)) / cost(whole):7.0%}")
    for layers in range(1, teacher.config.num_hidden_layers):
        student, kept, _ = make_student(
            teacher, fitted, layers=layers, groups=1, regrouped=False, max_tokens=FITTED
        )
        error = hidden_error(transformer_of(student), transformer_of(teacher), judged)
        print(f"layers {', '.join(map(str, kept)):<33}{error:8.3f}", flush=True)


if __name__ == "__main__":
    main()

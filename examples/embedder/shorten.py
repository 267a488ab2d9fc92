"""Cuts a model's table of positions, which a small model hardly needs: texts may then be shorter.

python examples/embedder/shorten.py MODEL OUT TOKENS
"""

from __future__ import annotations

import sys

import keras

from tf_squeezebert import SqueezeBertConfig, SqueezeBertModel


def main(source: str, out: str, tokens: str) -> None:
    model = SqueezeBertModel.from_pretrained(source)
    changes = {"max_position_embeddings": int(tokens)}
    shorter = SqueezeBertModel(SqueezeBertConfig.from_dict(model.config.to_dict(), **changes))
    for ours, theirs in zip(shorter.variables, model.variables, strict=True):
        value = keras.ops.convert_to_numpy(theirs)
        ours.assign(value[: ours.shape[0]] if ours.shape != theirs.shape else value)
    shorter.tokenizer = model.tokenizer
    shorter.tokenizer.model_max_length = int(tokens)
    shorter.save_pretrained(out)


if __name__ == "__main__":
    main(*sys.argv[1:])

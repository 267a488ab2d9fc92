"""The oracle: transformers' SqueezeBERT and BERT in PyTorch, with random weights from a seed."""

from __future__ import annotations

import numpy as np
import torch
import transformers

import tf_squeezebert


def reference(name: str, config: dict, seed: int = 0) -> torch.nn.Module:
    """transformers' model in eval mode; every weight random, biases and norms too."""
    torch.manual_seed(seed)
    model = getattr(transformers, name)(transformers.SqueezeBertConfig(**config)).eval()
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            if parameter_name.endswith(("bias", "orm.weight", "norm.weight")):
                parameter.add_(torch.randn_like(parameter) * 0.1)
    return model


def pair(name: str, config: dict, directory, seed: int = 0):
    """transformers' model, and ours loaded from what transformers saved."""
    theirs = reference(name, config, seed)
    theirs.save_pretrained(directory)
    return theirs, getattr(tf_squeezebert, name).from_pretrained(directory)


def run_reference(model: torch.nn.Module, inputs: dict, **options) -> dict[str, np.ndarray]:
    """transformers' outputs as arrays; tuples of tensors as lists of arrays."""
    tensors = {
        name: torch.from_numpy(np.asarray(x)).long()
        if np.asarray(x).dtype.kind == "i"
        else torch.from_numpy(np.asarray(x))
        for name, x in inputs.items()
    }
    with torch.no_grad():
        outputs = model(**tensors, **options)
    return {
        name: [x.numpy() for x in value] if isinstance(value, tuple) else value.numpy()
        for name, value in outputs.items()
    }

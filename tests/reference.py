"""The oracle: transformers' SqueezeBERT and BERT in PyTorch, with random weights from a seed."""

from __future__ import annotations

import numpy as np
import torch
import transformers

import tf_squeezebert


def reference(name: str, config: dict, seed: int = 0) -> torch.nn.Module:
    """transformers' model in eval mode; every weight random, biases and norms too."""
    torch.manual_seed(seed)
    equal = {key: value for key, value in config.items() if key != "per_layer_config"}
    model = getattr(transformers, name)(transformers.SqueezeBertConfig(**equal)).eval()
    for layer in config.get("per_layer_config", {}):
        body = getattr(model, "transformer", model)
        _reshape(
            body.encoder.layers[layer], {**equal, **config["per_layer_config"][layer]}, model.config
        )
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            if parameter_name.endswith(("bias", "orm.weight", "norm.weight")):
                parameter.add_(torch.randn_like(parameter) * 0.1)
    return model


def _reshape(module: torch.nn.Module, sizes: dict, config: transformers.SqueezeBertConfig) -> None:
    """Gives a layer of transformers its sizes, which it can not be made with, but computes."""
    attention, hidden = module.attention, config.hidden_size
    size = sizes["num_attention_heads"] * attention.attention_head_size
    attention.num_attention_heads, attention.all_head_size = sizes["num_attention_heads"], size

    def convolution(inputs: int, outputs: int, groups: str) -> torch.nn.Conv1d:
        return torch.nn.Conv1d(inputs, outputs, kernel_size=1, groups=sizes[f"{groups}_groups"])

    for name in ("query", "key", "value"):
        setattr(attention, name, convolution(hidden, size, name[0]))
    module.post_attention.conv1d = convolution(size, hidden, "post_attention")
    middle = sizes["intermediate_size"]
    module.intermediate.conv1d = convolution(hidden, middle, "intermediate")
    module.output.conv1d = convolution(middle, hidden, "output")


def pair(name: str, config: dict, directory, seed: int = 0):
    """transformers' model, and ours loaded from what transformers saved."""
    theirs = reference(name, config, seed)
    theirs.save_pretrained(directory)
    if "per_layer_config" in config:
        tf_squeezebert.SqueezeBertConfig.from_pretrained(
            directory, per_layer_config=config["per_layer_config"]
        ).save_pretrained(directory)
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

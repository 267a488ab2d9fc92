"""Mutants that no test can tell from the original, and why."""

EQUAL: dict[str, dict[str, str]] = {
    "convert/torch_file.py": {
        "last = offset + sum(((n - 1) * step for n, step in zip(size, stride, strict=True)))"
        "  ->  last = offset + sum(((n - 1) * step for n, step in zip(size, stride)))": (
            "the lengths of both were compared before"
        ),
        "strides = tuple((step * stored.itemsize if n > 1 else 0 for n, step in steps))"
        "  ->  strides = tuple((step * stored.itemsize if n > 1 else 1 for n, step in steps))": (
            "the step along a dimension of one is never taken"
        ),
    },
    "tf_squeezebert/layers.py": {
        "return ops.ones_like(scores) if scores.shape[-1] == 1 else ops.softmax(scores, "
        "axis=-1)"
        "  ->  return ops.ones_like(scores) if scores.shape[-1] == 1 else ops.softmax(scores)": (
            "Keras's softmax goes over the last axis by itself"
        ),
        "context = self.dropout(self.post_attention(context), training=training)"
        "  ->  context = self.dropout(self.post_attention(context))": (
            "Keras gives a layer the `training` of the call around it"
        ),
    },
}

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
}

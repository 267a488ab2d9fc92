"""Mutants that no test can tell from the original, and why."""

EQUAL: dict[str, dict[str, str]] = {
    "convert/checkpoint.py": {
        "for name, shard in _json(file.read(MAX_BYTES + 1), 'it')['weight_map'].items():"
        "  ->  for name, shard in _json(file.read(MAX_BYTES + 2), 'it')['weight_map'].items():": (
            "a file longer than the limit is refused, by however much"
        ),
    },
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
    "tf_squeezebert/tasks/base.py": {
        "for line, row in zip(result, rows, strict=True):"
        "  ->  for line, row in zip(result, rows):": (
            "the result was made with a line for each row"
        ),
    },
    "tf_squeezebert/tasks/token_classification.py": {
        "for i, (word, (start, end)) in enumerate(zip(row.word_ids, row.offsets, strict=True)):"
        "  ->  for i, (word, (start, end)) in enumerate("
        "zip(row.word_ids, row.offsets, strict=False)):": (
            "both are of one encoding, and so as long"
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
    "tf_squeezebert/squeeze/fitting.py": {
        "for block, a, b in zip(diagonal_blocks(dense, groups), np.split(x, groups, axis=1), "
        "np.split(y, groups, axis=1), strict=True):"
        "  ->  for block, a, b in zip(diagonal_blocks(dense, groups), np.split(x, groups, "
        "axis=1), np.split(y, groups, axis=1)):": (
            "each of the three is cut into one part for each group"
        ),
        "for block, a, b in zip(diagonal_blocks(dense, groups), np.split(x, groups, axis=1), "
        "np.split(y, groups, axis=1), strict=True):"
        "  ->  for block, a, b in zip(diagonal_blocks(dense, groups), np.split(x, groups, "
        "axis=1), np.split(y, groups, axis=1), strict=False):": (
            "each of the three is cut into one part for each group"
        ),
        "predicted = np.einsum('gc,gcf->gf', x_mean.reshape(groups, -1), kernel).reshape(-1)"
        "  ->  predicted = np.einsum('gc,gcf->gf', x_mean.reshape(groups, -1), "
        "kernel).reshape(-2)": ("NumPy takes any negative size for the one to find out"),
        "predicted = np.einsum('gc,gcf->gf', x_mean.reshape(groups, -1), kernel).reshape(-1)"
        "  ->  predicted = np.einsum('gc,gcf->gf', x_mean.reshape(groups, -2), "
        "kernel).reshape(-1)": ("NumPy takes any negative size for the one to find out"),
    },
    "tf_squeezebert/squeeze/costs.py": {
        "kind = ('dense' if groups == 1 else 'grouped') + ' products' + ' of one row' * (rows == 1)"
        "  ->  kind = ('dense' if not groups == 1 else 'grouped') + ' products' + ' of one row' * "
        "(rows == 1)": ("the two prices exchange their names, also where they are found"),
        "kind = ('dense' if groups == 1 else 'grouped') + ' products' + ' of one row' * (rows == 1)"
        "  ->  kind = ('dense' if groups != 1 else 'grouped') + ' products' + ' of one row' * "
        "(rows == 1)": ("the two prices exchange their names, also where they are found"),
    },
    "tf_squeezebert/squeeze/regrouping.py": {
        "most = max(1, len(slot) // 12)  ->  most = max(2, len(slot) // 12)": (
            "with how many pairs the search begins is a choice for speed: they are halved while "
            "too many"
        ),
        "most = max(1, len(slot) // 12)  ->  most = max(1, len(slot) // 13)": (
            "with how many pairs the search begins is a choice for speed: they are halved while "
            "too many"
        ),
    },
    "tflite/graph.py": {
        "self._weights[key] = tf.Variable(value, trainable=False)"
        "  ->  self._weights[key] = tf.Variable(value, trainable=True)": (
            "nothing is trained in a file: the converter writes every variable as a constant"
        ),
        "if several and (self._is_free or any((y.groups != layers[0].groups for y in "
        "layers))):"
        "  ->  if several and (self._is_free or any((y.groups != layers[1].groups for y in "
        "layers))):": ("groups all equal the first one's where they all equal the second one's"),
    },
    "tflite/runtime.py": {
        "return None if batch < 0 else batch  ->  return None if batch < 1 else batch": (
            "a file's batch is 1 or more, or -1 where it is free"
        ),
        "return None if batch < 0 else batch  ->  return None if batch <= 0 else batch": (
            "a file's batch is 1 or more, or -1 where it is free"
        ),
    },
}

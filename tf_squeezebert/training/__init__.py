"""The parts that all training shares: options, batches, loop, optimizers, and state on disk.

`finetuning`, `pretraining` and `squeeze` use it: each makes a model, `batches.Batches` and a
`run.Run`, and calls `loop.train`.
"""

"""Training, whatever is trained: options, batches, the loop, optimizers, and a run's state on disk.

`finetuning`, `pretraining` and `squeeze` are its users: each makes a model, `batches.Batches` and a
`run.Run`, and calls `loop.train`.
"""

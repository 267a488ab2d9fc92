"""Reads and writes PyTorch checkpoints of SqueezeBERT, BERT and their relatives."""

from .checkpoint import Checkpoint, CheckpointError, open_checkpoint
from .convert import as_squeezebert, load_checkpoint, load_pretrained, save_checkpoint

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "as_squeezebert",
    "load_checkpoint",
    "load_pretrained",
    "open_checkpoint",
    "save_checkpoint",
]

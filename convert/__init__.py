"""Reads and writes PyTorch checkpoints of SqueezeBERT and BERT."""

from .checkpoint import Checkpoint, CheckpointError, open_checkpoint
from .convert import load_checkpoint, load_pretrained, save_checkpoint

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "load_checkpoint",
    "load_pretrained",
    "open_checkpoint",
    "save_checkpoint",
]

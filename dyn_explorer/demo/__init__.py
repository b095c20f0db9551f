"""Digits, a small CNN and three checkpoints of it: something to look at before you have brought your own model."""

from .checkpoints import CHECKPOINTS, load
from .data import CLASS_NAMES, digits, shuffled
from .model import SmallCNN, small_cnn
from .training import accuracy, train

__all__ = ["CHECKPOINTS", "CLASS_NAMES", "SmallCNN", "accuracy", "digits", "load", "shuffled", "small_cnn", "train"]

"""Digits, a small CNN and three checkpoints of it: something to look at before you have brought your own model."""

from .checkpoints import CHECKPOINTS, load
from .data import CLASS_NAMES, digits, shuffled
from .digit_networks import digits_mlp
from .fully_connected import mlp, train_steps
from .model import SmallCNN, small_cnn
from .runs import RUN_EPOCHS, RUN_LABELS, RUN_LENGTH, RUN_SEEDS, history
from .training import OPTIMISERS, accuracy, train

__all__ = [
    "CHECKPOINTS",
    "CLASS_NAMES",
    "OPTIMISERS",
    "RUN_EPOCHS",
    "RUN_LABELS",
    "RUN_LENGTH",
    "RUN_SEEDS",
    "SmallCNN",
    "accuracy",
    "digits",
    "digits_mlp",
    "history",
    "load",
    "mlp",
    "shuffled",
    "small_cnn",
    "train",
    "train_steps",
]

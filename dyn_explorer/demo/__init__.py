"""Digits, a small CNN and three checkpoints of it: something to look at before you have brought your own model."""

from .checkpoints import CHECKPOINTS, load
from .data import CLASS_NAMES, digits, shuffled
from .fully_connected import mlp, train_steps
from .model import SmallCNN, small_cnn
from .recipes import RECIPES, Recipe, flat_digits, recipe
from .runs import RUN_EPOCHS, RUN_LABELS, RUN_LENGTH, RUN_SEEDS, history
from .training import OPTIMISERS, accuracy, train

__all__ = [
    "CHECKPOINTS",
    "CLASS_NAMES",
    "OPTIMISERS",
    "RECIPES",
    "RUN_EPOCHS",
    "RUN_LABELS",
    "RUN_LENGTH",
    "RUN_SEEDS",
    "Recipe",
    "SmallCNN",
    "accuracy",
    "digits",
    "flat_digits",
    "history",
    "load",
    "mlp",
    "recipe",
    "shuffled",
    "small_cnn",
    "train",
    "train_steps",
]

"""Three sets of weights for one network: trained, trained on shuffled labels, untrained."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import load_file

from ..errors import DynExplorerError
from .model import SmallCNN, small_cnn

#: Names that `load` takes: trained on true labels, on shuffled labels, and not at all.
CHECKPOINTS: tuple[str, ...] = ("trained", "shuffled", "untrained")

WEIGHTS = Path(__file__).parent / "weights"


def load(name: str = "trained") -> SmallCNN:
    """One of the bundled networks, ready to look at.

    Parameters
    ----------
    name : {"trained", "shuffled", "untrained"}
        "trained" knows the digits, "shuffled" has learned the training images with shuffled labels by heart, and
        "untrained" is where both of them began.

    Returns
    -------
    SmallCNN
        In eval mode, float32, on the CPU; a new one at every call.

    Raises
    ------
    DynExplorerError
        If there is no checkpoint of that name.

    Example
    -------
    >>> from dyn_explorer import demo
    >>> demo.load("untrained").conv2.weight.shape
    torch.Size([32, 16, 3, 3])
    """
    if name not in CHECKPOINTS:
        raise DynExplorerError(f"`name` (={name!r}) is none of {', '.join(map(repr, CHECKPOINTS))}; name one of these")
    model = small_cnn()
    model.load_state_dict(load_file(WEIGHTS / f"{name}.safetensors"))
    return model.eval()

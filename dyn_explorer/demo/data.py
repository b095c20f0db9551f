"""The handwritten digits that come with scikit-learn, split once and for all."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..errors import DynExplorerError

#: Names of the ten classes of `digits`.
CLASS_NAMES: tuple[str, ...] = tuple("0123456789")
SPLITS = ("train", "test")

_BRIGHTEST = 16.0
_TEST_IMAGES = 360


def digits(split: str = "train") -> tuple[Tensor, Tensor]:
    """Images of handwritten digits and what they show.

    Parameters
    ----------
    split : {"train", "test"}
        1,437 images to train on, or 360 others to test on; always the same ones in the same order.

    Returns
    -------
    images : Tensor, (n, 1, 8, 8), float32
        Grey values from 0 (paper) to 1 (ink).
    labels : Tensor, (n,), int64
        The digit, 0 to 9.

    Raises
    ------
    DynExplorerError
        If there is no split of that name.

    References
    ----------
    E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI (1998), doi:10.24432/C50P49.

    Example
    -------
    >>> from dyn_explorer import demo
    >>> images, labels = demo.digits("test")
    >>> images.shape, labels[:5].tolist()
    (torch.Size([360, 1, 8, 8]), [6, 6, 6, 2, 5])
    """
    if split not in SPLITS:
        raise DynExplorerError(f"`split` (={split!r}) is none of {', '.join(map(repr, SPLITS))}; name one of these")
    from sklearn.datasets import load_digits  # slow to import, and needed by nothing else here

    pixels, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(labels))
    chosen = order[:_TEST_IMAGES] if split == "test" else order[_TEST_IMAGES:]
    images = torch.from_numpy(pixels[chosen] / _BRIGHTEST).float().reshape(-1, 1, 8, 8)
    return images, torch.from_numpy(labels[chosen])


def shuffled(labels: Tensor, *, seed: int = 0) -> Tensor:
    """The same labels dealt out to the wrong images: what is left to learn is learned by heart.

    Parameters
    ----------
    labels : Tensor, (n,)
    seed : int
        The "shuffled" checkpoint was trained with seed 0.

    Returns
    -------
    Tensor, (n,)
        A permutation of `labels`.

    Example
    -------
    >>> from dyn_explorer import demo
    >>> images, labels = demo.digits("train")
    >>> bool((demo.shuffled(labels).bincount() == labels.bincount()).all())
    True
    """
    order = np.random.default_rng(seed).permutation(len(labels))
    return labels[torch.from_numpy(order).to(labels.device)]

"""The device that a person names, checked before anything is moved there."""

from __future__ import annotations

import torch

from dyn_explorer.errors import DynExplorerError


def checked_device(device: torch.device | str | None) -> torch.device | None:
    """A device that there is, or None where none was named.

    Raises
    ------
    DynExplorerError
        It is no device, or PyTorch does not see it.

    Example
    -------
    >>> checked_device("cpu")
    device(type='cpu')
    """
    if device is None:
        return None
    try:
        known = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise DynExplorerError(f"`device` (={device!r}) is no device; give 'cpu' or 'cuda', for example.") from error
    if known.type == "cuda" and not torch.cuda.is_available():
        raise DynExplorerError(f"`device` (={device!r}) is not there: this PyTorch sees no CUDA device. Leave it out.")
    return known

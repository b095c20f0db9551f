"""Torch on a fixed number of threads, because sums on more threads differ in their last bits."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_lock = threading.Lock()
_inside: list[int] = []


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Hold torch to `count` threads inside the block.

    The setting belongs to the process: the first of several threads inside remembers it, and the last one restores it.

    Example
    -------
    >>> with torch_threads(1):
    ...     torch.get_num_threads()
    1
    """
    with _lock:
        _inside.append(_inside[0] if _inside else torch.get_num_threads())
        torch.set_num_threads(count)
    try:
        yield
    finally:
        with _lock:
            before = _inside.pop()
            if not _inside:
                torch.set_num_threads(before)

"""One model at a time in a process, with torch on a fixed number of threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_TURN = threading.RLock()


@contextmanager
def alone(threads: int) -> Iterator[None]:
    """Wait for other threads' models, and hold torch to `threads` threads inside the block.

    Torch's random generators and its thread count belong to the process, so threads that build or measure models at the
    same time would change each other's numbers; sums on more threads differ in their last bits.

    Example
    -------
    >>> with alone(1):
    ...     torch.get_num_threads()
    1
    """
    with _TURN:
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)

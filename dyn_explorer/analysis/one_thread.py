"""Small decompositions on one thread, whatever else the process does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController

# The library's thread count belongs to the process, and only the thread that lowered it can restore it: overlapping
# users would leave it lowered, so they take turns.
_turn = threading.RLock()


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold NumPy's linear algebra library to one thread inside the block.

    A 128 x 128 decomposition gains nothing from a second thread and loses tens of milliseconds as soon as another
    process wants the core. Torch's own thread count is left alone.
    Threads of this process take turns.

    Example
    -------
    >>> import numpy as np
    >>> from dyn_explorer.analysis.one_thread import one_thread
    >>> with one_thread():
    ...     values = np.linalg.svd(np.eye(3), compute_uv=False)
    >>> values.tolist()
    [1.0, 1.0, 1.0]
    """
    with _turn, _controller().limit(limits=1):
        yield


@cache
def _controller() -> ThreadpoolController:
    # Finding the libraries takes milliseconds, setting them microseconds.
    return ThreadpoolController().select(user_api="blas")

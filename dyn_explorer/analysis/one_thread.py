"""Small decompositions on one thread, whatever else the process does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController

_lock = threading.Lock()
_users = 0
_limit = None


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold NumPy's linear algebra library to one thread inside the block.

    A 128 x 128 decomposition gains nothing from a second thread and loses tens of milliseconds as soon as another
    process wants the core. Torch's own thread count is left alone.

    Example
    -------
    >>> import numpy as np
    >>> from dyn_explorer.analysis.one_thread import one_thread
    >>> with one_thread():
    ...     values = np.linalg.svd(np.eye(3), compute_uv=False)
    >>> values.tolist()
    [1.0, 1.0, 1.0]
    """
    _enter()
    try:
        yield
    finally:
        _leave()


def _enter() -> None:
    # The library's thread count belongs to the process: of several users at once, the first lowers it and the last
    # restores it. Each restoring what it found would leave it at one for good.
    global _users, _limit
    with _lock:
        if _users == 0:
            _limit = _controller().limit(limits=1)
        _users += 1


def _leave() -> None:
    global _users, _limit
    with _lock:
        _users -= 1
        if _users == 0:
            _limit.restore_original_limits()
            _limit = None


@cache
def _controller() -> ThreadpoolController:
    # Finding the libraries takes milliseconds, setting them microseconds.
    return ThreadpoolController().select(user_api="blas")

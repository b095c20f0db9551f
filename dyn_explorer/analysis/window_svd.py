"""Singular value decompositions of column windows, remembered so that only the first look at a window pays."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

import numpy as np

from dyn_explorer.analysis.one_thread import one_thread
from dyn_explorer.errors import DynExplorerError

_REMEMBERED_WINDOWS = 16


@dataclass(frozen=True, eq=False)
class WindowSVD:
    """Thin decomposition ``left @ diag(singular_values) @ right`` of a window.

    Parameters
    ----------
    left : ndarray (k, n), float64
    singular_values : ndarray (n,), float64, descending
    right : ndarray (n, columns), float64
    """

    left: np.ndarray
    singular_values: np.ndarray
    right: np.ndarray


class WindowSVDCache:
    """The last few windows' decompositions of one matrix; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[Hashable, WindowSVD] = OrderedDict()

    def get(self, key: Hashable, window: Callable[[], np.ndarray]) -> WindowSVD:
        """Decompose ``window()``, or recall the decomposition."""
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        svd = _decompose(window())
        with self._lock:
            self._known[key] = svd
            while len(self._known) > _REMEMBERED_WINDOWS:
                self._known.popitem(last=False)
        return svd

    def __getstate__(self) -> dict:
        return {}

    def __setstate__(self, state: dict) -> None:
        self.__init__()


def _decompose(columns: np.ndarray) -> WindowSVD:
    try:
        with one_thread():
            return WindowSVD(*np.linalg.svd(columns, full_matrices=False))
    except np.linalg.LinAlgError as error:
        raise DynExplorerError(
            f"the singular value decomposition of {columns.shape[1]} snapshots did not converge; "
            "scale the snapshots (for example to unit norm) or choose another window"
        ) from error

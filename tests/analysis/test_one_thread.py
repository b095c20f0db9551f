"""Borrowing the linear algebra library's thread count."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info

from dyn_explorer.analysis.one_thread import one_thread


def _counts() -> list[int]:
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


def test_one_thread_inside_and_the_old_count_outside():
    np.linalg.norm(np.eye(2))
    before, torch_before = _counts(), torch.get_num_threads()
    with one_thread(), one_thread():
        assert set(_counts()) <= {1}
        assert torch.get_num_threads() == torch_before
    assert _counts() == before


def test_threads_take_turns_and_the_last_restores_the_count():
    before = _counts()
    inside: list[list[int]] = []

    def decompose() -> None:
        for _ in range(20):
            with one_thread():
                inside.append(_counts())

    threads = [threading.Thread(target=decompose) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(inside) == 80
    assert {count for counts in inside for count in counts} <= {1}
    assert _counts() == before


def test_an_error_inside_restores_the_count():
    before = _counts()
    with pytest.raises(ZeroDivisionError), one_thread():
        raise ZeroDivisionError
    assert _counts() == before

"""A matrix in blocks on a cluster has the same small factor as in one piece."""

from __future__ import annotations

import sys

import dask.array
import numpy as np
import pytest
from pairing import paired

from dyn_explorer import DynExplorerError, analysis


@pytest.mark.parametrize("chunks", [(5000, 12), (512, 12), (512, 5), (7, 12), ((4000, 990, 7, 3), 12)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
def test_the_factor_and_all_that_follows_are_those_of_compress(chunks, dtype):
    matrix = (100 * np.random.default_rng(0).standard_normal((5000, 12))).astype(dtype)
    tall = analysis.tall_factor(dask.array.from_array(matrix, chunks=chunks))
    expected = analysis.compress(matrix)
    np.testing.assert_allclose(tall, expected.factor, rtol=1e-10, atol=1e-10 * np.abs(expected.factor).max())
    small, whole = analysis.dmd(analysis.compress(tall)), analysis.dmd(expected)
    np.testing.assert_allclose(paired(small.eigenvalues, whole.eigenvalues), whole.eigenvalues, rtol=1e-8)
    np.testing.assert_allclose(tall.T @ tall, matrix.T.astype(float) @ matrix, rtol=1e-9, atol=1e-6)


def test_a_wide_matrix_is_one_block():
    matrix = np.random.default_rng(0).standard_normal((6, 9))
    tall = analysis.tall_factor(dask.array.from_array(matrix, chunks=(2, 3)))
    np.testing.assert_allclose(tall, analysis.compress(matrix).factor, atol=1e-12)


def test_what_cannot_be_factored_is_said(monkeypatch):
    with pytest.raises(DynExplorerError, match="`matrix` is a ndarray; give a dask"):
        analysis.tall_factor(np.zeros((3, 2)))
    with pytest.raises(DynExplorerError, match="dtype complex128; give real snapshots"):
        analysis.tall_factor(dask.array.ones((30, 2), dtype=complex))
    spoiled = dask.array.from_array(np.array([[1.0, np.nan], [2.0, 3.0], [1.0, 1.0]]))
    with pytest.raises(DynExplorerError, match="NaN or infinite; leave out the columns"):
        analysis.tall_factor(spoiled)
    monkeypatch.setitem(sys.modules, "dask.array", None)
    with pytest.raises(
        DynExplorerError, match=r'Dask is not installed here; install it: pip install "dyn-explorer\[dask\]"'
    ):
        analysis.tall_factor(spoiled)

"""The small factor: what it keeps of the tall matrix, what it accepts and what it refuses."""

from __future__ import annotations

import threading

import hypothesis
import numpy as np
import pytest
import torch
from hypothesis import strategies as st

from dyn_explorer.analysis import CompressedSnapshots, compress
from dyn_explorer.errors import Cancelled, DynExplorerError


@hypothesis.given(
    n_features=st.integers(1, 200), n_snapshots=st.integers(1, 40), seed=st.integers(0, 2**16), deficient=st.booleans()
)
@hypothesis.settings(max_examples=40)
def test_factor_has_the_gram_matrix_of_the_snapshots(n_features, n_snapshots, seed, deficient):
    matrix = np.random.default_rng(seed).standard_normal((n_features, n_snapshots))
    if deficient:
        matrix[:, -1] = matrix[:, 0]
    factor = compress(matrix).factor
    assert factor.shape == (min(n_features, n_snapshots), n_snapshots)
    assert factor.dtype == np.float64
    np.testing.assert_allclose(factor.T @ factor, matrix.T @ matrix, atol=1e-11 * np.linalg.norm(matrix) ** 2)


def test_many_blocks_give_the_factor_of_the_whole(noise):
    matrix = torch.from_numpy(noise(300_000, 12))
    whole = torch.linalg.qr(matrix, mode="r").R.numpy()
    whole *= np.sign(np.diagonal(whole))[:, None]
    np.testing.assert_allclose(compress(matrix).factor, whole, atol=1e-11)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.int64, torch.uint8, torch.bool])
def test_other_dtypes_are_raised_to_float64(dtype):
    matrix = (torch.rand(50, 6) * 8).to(dtype)
    exact = matrix.double().numpy()
    factor = compress(matrix).factor
    np.testing.assert_allclose(factor.T @ factor, exact.T @ exact, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    "view",
    [
        lambda array: array.astype(np.float32),
        lambda array: np.asfortranarray(array),
        lambda array: array[::-1, ::-1],
        lambda array: array.astype(array.dtype.newbyteorder()),
        lambda array: array.astype(np.longdouble),
        lambda array: np.broadcast_to(array[:, :1], array.shape),
        lambda array: array.tolist(),
    ],
    ids=["float32", "fortran", "reversed", "byte order", "long double", "read only", "list"],
)
def test_arrays_of_every_layout(view, noise):
    matrix = view(noise(60, 5))
    exact = np.asarray(matrix, dtype=np.float64)
    factor = compress(matrix).factor
    np.testing.assert_allclose(factor.T @ factor, exact.T @ exact, atol=1e-11)


def test_the_matrix_is_kept_not_copied_and_not_changed(noise):
    matrix = torch.from_numpy(noise(100, 6)).requires_grad_()
    before = matrix.detach().clone()
    compressed = compress(matrix)
    assert compressed.snapshots.data_ptr() == matrix.data_ptr()
    assert not compressed.snapshots.requires_grad
    assert torch.equal(matrix, before)
    assert (compressed.n_features, compressed.n_snapshots) == (100, 6)


@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_lift_combines_snapshots(dtype, noise):
    matrix = noise(300_000, 8)
    weights = noise(5, 3).astype(dtype) * (1 if dtype == np.float64 else 1 + 2j)
    lifted = compress(matrix).lift(weights, start=2)
    assert lifted.dtype == dtype
    np.testing.assert_allclose(lifted, matrix[:, 2:7] @ weights, atol=1e-12)


def test_repeated_windows_are_decomposed_once(noise):
    compressed = compress(noise(100, 12))
    first = compressed.svd(0, 5)
    assert compressed.svd(0, 5) is first
    for stop in range(2, 12):
        for start in range(stop - 1):
            compressed.svd(start, stop)
    again = compressed.svd(0, 5)
    assert again is not first
    np.testing.assert_array_equal(again.singular_values, first.singular_values)


def test_many_threads_may_ask_at_once(noise):
    compressed = compress(noise(400, 30))
    expected = np.linalg.svd(compressed.factor[:, 2:20], compute_uv=False)
    found: list[np.ndarray] = []

    def ask() -> None:
        for stop in range(19, 22):
            compressed.svd(2, stop)
        found.append(compressed.svd(2, 20).singular_values)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    for values in found:
        np.testing.assert_allclose(values, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (torch.zeros(5), r"shape \(5,\); give two dimensions"),
        (torch.zeros(2, 3, 4), r"shape \(2, 3, 4\); give two dimensions"),
        (torch.zeros(4, 0), r"shape \(4, 0\) and holds nothing"),
        (torch.zeros(0, 4), r"shape \(0, 4\) and holds nothing"),
        (torch.zeros(4, 4, dtype=torch.complex64), r"dtype torch.complex64; give real snapshots"),
        (np.zeros((4, 4), dtype=complex), r"dtype torch.complex128; give real snapshots"),
        (np.array([["a", "b"]]), r"dtype <U1; give a tensor or an array of numbers"),
        (torch.eye(4).to_sparse(), r"torch.sparse_coo tensor on device cpu; give a dense tensor"),
        (torch.zeros(4, 4, device="meta"), r"on device meta; give a dense tensor that holds values"),
    ],
)
def test_bad_matrices_are_refused(matrix, message):
    with pytest.raises(DynExplorerError, match=message):
        compress(matrix)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_counted(bad, noise):
    matrix = noise(300_000, 8)
    matrix[5, 2] = bad
    matrix[299_999, 7] = -bad
    with pytest.raises(DynExplorerError, match=r"holds 2 values of 2400000 that are NaN or infinite"):
        compress(matrix)


def test_finite_values_whose_sum_overflows_are_not_refused():
    factor = compress(np.full((3, 2), 1e308)).factor
    assert isinstance(compress(np.full((3, 2), 1e300)), CompressedSnapshots)
    assert factor.shape == (2, 2)


def test_cancel_stops_between_blocks(noise):
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled, match="was cancelled; nothing was kept"):
        compress(noise(100, 5), cancel=cancel)


@pytest.mark.gpu
def test_on_a_gpu_the_factor_is_the_same(noise):
    matrix = torch.from_numpy(noise(300_000, 40))
    on_cpu, on_gpu = compress(matrix), compress(matrix.cuda())
    assert on_gpu.snapshots.is_cuda
    np.testing.assert_allclose(on_gpu.factor, on_cpu.factor, atol=1e-10)
    weights = noise(40, 3) * (1 - 1j)
    np.testing.assert_allclose(on_gpu.lift(weights), on_cpu.lift(weights), atol=1e-11)
    half = compress(matrix.cuda().half())
    np.testing.assert_allclose(half.factor, compress(matrix.half()).factor, atol=1e-10)

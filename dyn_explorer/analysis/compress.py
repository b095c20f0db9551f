"""The small factor of a tall snapshot matrix, from which every later fit is computed."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, field

import numpy as np
import torch

from dyn_explorer.analysis.row_blocks import Blocks, over_blocks
from dyn_explorer.analysis.window_svd import WindowSVD, WindowSVDCache
from dyn_explorer.errors import Cancelled, DynExplorerError


@dataclass(frozen=True, eq=False)
class CompressedSnapshots:
    """A snapshot matrix X = Q R, held as X itself and the small factor R; Q is never formed.

    Since Q has orthonormal columns, a decomposition of columns of R has the same singular values, eigenvalues and
    norms as one of the same columns of X.

    Parameters
    ----------
    factor : ndarray (min(n_features, n_snapshots), n_snapshots), float64
        R, on the CPU, with a non-negative diagonal.
    snapshots : Tensor (n_features, n_snapshots)
        X as it was given, on its own device and in its own dtype; used to lift modes.
    """

    factor: np.ndarray
    snapshots: torch.Tensor
    _svds: WindowSVDCache = field(default_factory=WindowSVDCache, repr=False, init=False)

    @property
    def n_features(self) -> int:
        """Rows of X."""
        return self.snapshots.shape[0]

    @property
    def n_snapshots(self) -> int:
        """Columns of X."""
        return self.snapshots.shape[1]

    def stacked(self, start: int, stop: int, delays: int = 1) -> np.ndarray:
        """Columns ``start:stop`` of the factor, each with the ``delays - 1`` that follow it in the window below it."""
        count = stop - start - delays + 1
        if delays == 1:
            return self.factor[:, start:stop]
        return np.concatenate([self.factor[:, start + lag : start + lag + count] for lag in range(delays)])

    def svd(self, start: int, stop: int, delays: int = 1) -> WindowSVD:
        """Thin singular value decomposition of ``stacked(start, stop, delays)``, remembered for the last few."""
        return self._svds.get((start, stop, delays), lambda: self.stacked(start, stop, delays))

    def lift(self, coefficients: np.ndarray, start: int = 0) -> np.ndarray:
        """Combine snapshots: ``X[:, start:start + len(coefficients)] @ coefficients``.

        Parameters
        ----------
        coefficients : ndarray (n, k), float64 or complex128
        start : int, default 0
            First snapshot that takes part.

        Returns
        -------
        ndarray (n_features, k), float64 or complex128
            Computed in float64 on the matrix's device, block by block.
        """
        is_complex = np.iscomplexobj(coefficients)
        n_snapshots, n_columns = coefficients.shape
        parts = np.hstack([coefficients.real, coefficients.imag]) if is_complex else coefficients
        lifted = np.empty((self.n_features, n_columns), dtype=np.complex128 if is_complex else np.float64)
        columns = self.snapshots[:, start : start + n_snapshots]
        weights = torch.from_numpy(np.ascontiguousarray(parts))

        def multiply(blocks: Blocks) -> None:
            for rows, block in blocks:
                product = (block @ weights.to(block.device)).cpu().numpy()
                if is_complex:
                    lifted[rows].real = product[:, :n_columns]
                    lifted[rows].imag = product[:, n_columns:]
                else:
                    lifted[rows] = product

        over_blocks(columns, multiply)
        return lifted


def compress(matrix: torch.Tensor | np.ndarray, *, cancel: threading.Event | None = None) -> CompressedSnapshots:
    """Factor a snapshot matrix once, so that any window and any rank of it is decomposed in milliseconds.

    The factorisation works through blocks of rows on the matrix's own device, in float64, and keeps only the
    triangular factor.

    Parameters
    ----------
    matrix : Tensor or ndarray (n_features, n_snapshots)
        One column per snapshot, any real dtype, on any device. It is neither copied nor changed.
    cancel : threading.Event, optional
        Looked at between blocks.

    Returns
    -------
    CompressedSnapshots

    Raises
    ------
    DynExplorerError
        The matrix is not two-dimensional, is empty or complex, or holds values that are not finite.
    Cancelled
        ``cancel`` was set.

    References
    ----------
    Demmel, Grigori, Hoemmen & Langou, "Communication-optimal parallel and sequential QR and LU factorizations",
    SIAM J. Sci. Comput. 34 (2012), doi:10.1137/080731992.

    Example
    -------
    >>> import torch
    >>> from dyn_explorer import analysis
    >>> compressed = analysis.compress(torch.randn(5000, 12))
    >>> compressed.factor.shape
    (12, 12)
    """
    snapshots = _checked_tensor(matrix)
    factor = _triangular_factor(snapshots, cancel).cpu().numpy()
    signs = np.where(np.diagonal(factor) < 0, -1.0, 1.0)
    return CompressedSnapshots(factor=factor * signs[:, None], snapshots=snapshots)


def _triangular_factor(snapshots: torch.Tensor, cancel: threading.Event | None) -> torch.Tensor:
    def fold(blocks: Blocks) -> torch.Tensor:
        factor = None
        for _, block in blocks:
            if cancel is not None and cancel.is_set():
                raise Cancelled("compressing the snapshots was cancelled; nothing was kept")
            # A sum costs a tenth of looking at every value, and is finite only if they all are.
            if not math.isfinite(block.sum().item()):
                _refuse_non_finite(snapshots)
            stacked = block if factor is None else torch.cat([factor, block])
            factor = torch.linalg.qr(stacked, mode="r").R
        return factor

    factors = over_blocks(snapshots, fold)
    return factors[0] if len(factors) == 1 else torch.linalg.qr(torch.cat(factors), mode="r").R


def _checked_tensor(matrix: torch.Tensor | np.ndarray) -> torch.Tensor:
    tensor = matrix.detach() if isinstance(matrix, torch.Tensor) else _as_tensor(matrix)
    if tensor.layout != torch.strided or tensor.device.type == "meta":
        raise DynExplorerError(
            f"`matrix` is a {tensor.layout} tensor on device {tensor.device}; give a dense tensor that holds values"
        )
    if tensor.ndim != 2:
        raise DynExplorerError(
            f"`matrix` has shape {tuple(tensor.shape)}; give two dimensions, (n_features, n_snapshots), "
            "for example `x.flatten(1).T` with one snapshot per row of x"
        )
    if tensor.is_complex():
        raise DynExplorerError(f"`matrix` has dtype {tensor.dtype}; give real snapshots, for example `matrix.real`")
    if 0 in tensor.shape:
        raise DynExplorerError(
            f"`matrix` has shape {tuple(tensor.shape)} and holds nothing; record some snapshots first"
        )
    return tensor


def _as_tensor(matrix: np.ndarray) -> torch.Tensor:
    array = np.asarray(matrix)
    if array.dtype.kind not in "biufc":
        raise DynExplorerError(f"`matrix` has dtype {array.dtype}; give a tensor or an array of numbers")
    if array.dtype.kind in "fc" and (array.dtype.itemsize > 16 or array.dtype == np.longdouble):
        array = array.astype(np.float64 if array.dtype.kind == "f" else np.complex128)
    # Torch can share only memory that is writable, in native byte order and without negative strides.
    if not array.flags.writeable or not array.dtype.isnative or any(stride < 0 for stride in array.strides):
        array = array.astype(array.dtype.newbyteorder("="), order="K", copy=True)
    return torch.from_numpy(array)


def _refuse_non_finite(snapshots: torch.Tensor) -> None:
    bad = sum(int((~torch.isfinite(snapshots[:, column])).sum()) for column in range(snapshots.shape[1]))
    # The sum of finite values may itself overflow: then there is nothing to refuse.
    if bad:
        raise DynExplorerError(
            f"`matrix` holds {bad} values of {snapshots.numel()} that are NaN or infinite; "
            "look for the layer where they begin, or leave out the columns that hold them"
        )

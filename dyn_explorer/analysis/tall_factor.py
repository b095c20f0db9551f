"""The small factor of a snapshot matrix that is too tall for one machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dyn_explorer.errors import DynExplorerError

if TYPE_CHECKING:
    import dask.array


def tall_factor(matrix: dask.array.Array) -> np.ndarray:
    """Factor a Dask array where its blocks are, and bring back only the small factor.

    It is the factor of `compress`, so ``dmd(compress(tall_factor(matrix)))`` has the matrix's own eigenvalues,
    singular values and norms; its modes are in the coordinates of the factor.

    Parameters
    ----------
    matrix : dask.array.Array (n_features, n_snapshots)
        Real, in blocks of rows; blocks that split the columns, or that have fewer rows than columns, are joined first.

    Returns
    -------
    ndarray (min(n_features, n_snapshots), n_snapshots), float64
        Upper triangular, with a non-negative diagonal.

    Raises
    ------
    DynExplorerError
        Dask is not installed, the matrix is no such array, or it holds values that are not finite.

    References
    ----------
    Benson, Gleich & Demmel, "Direct QR factorizations for tall-and-skinny matrices in MapReduce architectures", IEEE
    Big Data (2013), doi:10.1109/BigData.2013.6691583.

    Example
    -------
    >>> import dask.array
    >>> from dyn_explorer import analysis
    >>> matrix = np.random.default_rng(0).standard_normal((900, 5))
    >>> tall = analysis.tall_factor(dask.array.from_array(matrix, chunks=(300, 5)))
    >>> np.allclose(tall, analysis.compress(matrix).factor)
    True
    """
    arrays = _dask_array()
    if not isinstance(matrix, arrays.Array):
        raise DynExplorerError(
            f"`matrix` is a {type(matrix).__name__}; give a dask.array, or use `compress` for what fits into memory"
        )
    if matrix.ndim != 2 or matrix.dtype.kind not in "biuf" or np.isnan(matrix.shape).any() or 0 in matrix.shape:
        raise DynExplorerError(
            f"`matrix` has shape {matrix.shape} and dtype {matrix.dtype}; give real snapshots of a known shape "
            "(n_features, n_snapshots), for example after `compute_chunk_sizes()`"
        )
    tall = matrix.astype(np.float64).rechunk({0: _row_blocks(matrix), 1: -1})
    _, factor = arrays.linalg.tsqr(tall)
    # A factor of finite columns is finite, and one bad value spoils its whole column.
    triangle = np.asarray(factor.compute())
    if not np.isfinite(triangle).all():
        raise DynExplorerError("`matrix` holds values that are NaN or infinite; leave out the columns that hold them")
    return triangle * np.where(np.diagonal(triangle) < 0, -1.0, 1.0)[:, None]


def _row_blocks(matrix: dask.array.Array) -> tuple[int, ...]:
    """Rows of each block: the matrix's own blocks, joined until each has at least as many rows as columns."""
    sizes, held = [], 0
    for rows in matrix.chunks[0]:
        held += rows
        if held >= matrix.shape[1]:
            sizes.append(held)
            held = 0
    if held and sizes:
        sizes[-1] += held
    return tuple(sizes) or (held,)


def _dask_array():
    try:
        import dask.array  # an optional extra, and slow to import
    except ImportError as error:
        raise DynExplorerError('Dask is not installed here; install it: pip install "dyn-explorer[dask]"') from error
    return dask.array

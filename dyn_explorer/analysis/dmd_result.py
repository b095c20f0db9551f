"""What a dynamic mode decomposition found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dyn_explorer.analysis.compress import CompressedSnapshots
from dyn_explorer.analysis.conjugates import conjugate_partners, representatives
from dyn_explorer.analysis.one_thread import one_thread
from dyn_explorer.errors import DynExplorerError


@dataclass(frozen=True, eq=False)
class DMDResult:
    """Eigenvalues, amplitudes and modes of one window at one rank; all arrays are NumPy arrays on the CPU.

    Modes are ordered by ``strengths``, strongest first; the members of a conjugate pair follow each other, positive
    imaginary part first.

    Parameters
    ----------
    eigenvalues : ndarray (r,), complex128
        Factor by which each mode is multiplied from one snapshot to the next.
    amplitudes : ndarray (r,), complex128
        Weights of the modes in the window's first snapshot, by least squares.
    norms : ndarray (r,), float64
        Euclidean length of each mode.
    singular_values : ndarray (min(n_features, n_snapshots, stop - start - 1),), float64
        Of all the window's snapshots but the last, not only the retained ones; of the delay-stacked snapshots for the
        method "hankel".
    rank : int
        Singular values retained.
    window : (int, int)
        Columns decomposed, the second exclusive.
    dt : float
        Time between two snapshots.
    method : str
        Key of `DMD_METHODS`.
    compressed : CompressedSnapshots
        What was decomposed.
    coordinates : ndarray (k, r), complex128
        The modes in the compressed coordinates (the rows of R).
    coefficients : ndarray (stop - start, r), complex128
        The modes as combinations of the window's snapshots.
    eigenvectors : ndarray (rank, r), complex128, or None
        Unit eigenvectors of the projected operator in the leading left singular vectors, where the method has them.
    notes : tuple of str
        What the method wants known about this fit.
    """

    eigenvalues: np.ndarray
    amplitudes: np.ndarray
    norms: np.ndarray
    singular_values: np.ndarray
    rank: int
    window: tuple[int, int]
    dt: float
    method: str
    compressed: CompressedSnapshots
    coordinates: np.ndarray
    coefficients: np.ndarray
    eigenvectors: np.ndarray | None = None
    notes: tuple[str, ...] = ()

    @property
    def n_snapshots(self) -> int:
        """Snapshots in the window."""
        return self.window[1] - self.window[0]

    @property
    def strengths(self) -> np.ndarray:
        """``|b| ||phi||`` (r,): each mode's size in the window's first snapshot."""
        return np.abs(self.amplitudes) * self.norms

    @property
    def energies(self) -> np.ndarray:
        """``|b|^2 ||phi||^2`` (r,)."""
        return self.strengths**2

    @cached_property
    def rows(self) -> np.ndarray:
        """Indices (m,) that list a conjugate pair once, by its member with non-negative imaginary part."""
        return representatives(self.eigenvalues)

    @cached_property
    def partners(self) -> np.ndarray:
        """Index (r,) of each mode's complex conjugate, or its own index."""
        return conjugate_partners(self.eigenvalues)

    @property
    def condition(self) -> float:
        """Largest over smallest retained singular value."""
        return self._largest_over(self.rank - 1)

    @property
    def full_condition(self) -> float:
        """Largest over smallest singular value of the window; infinite when the smallest is zero."""
        return self._largest_over(-1)

    @property
    def continuous_eigenvalues(self) -> np.ndarray:
        """``log(eigenvalues) / dt`` (r,), complex128; an eigenvalue 0 gives -inf."""
        return self.growth + 1j * (np.angle(self.eigenvalues) / self.dt)

    @property
    def frequencies(self) -> np.ndarray:
        """Cycles per unit of time (r,)."""
        return np.angle(self.eigenvalues) / (2 * np.pi * self.dt)

    @property
    def growth(self) -> np.ndarray:
        """Logarithmic growth per unit of time (r,); negative for decay."""
        with np.errstate(divide="ignore"):
            return np.log(np.abs(self.eigenvalues)) / self.dt

    @cached_property
    def reconstruction_error(self) -> float:
        """Frobenius norm of window minus reconstruction, relative to the window's; inf where a mode overflows."""
        start, stop = self.window
        columns = self.compressed.factor[:, start:stop]
        # Squares of snapshots as small as 1e-200 would vanish.
        size = np.abs(columns).max()
        # The real part of a product, without its imaginary part.
        left = np.hstack([self.coordinates.real, -self.coordinates.imag])
        with one_thread(), np.errstate(over="ignore", invalid="ignore"):
            courses = self.dynamics() / size
            right = np.vstack([courses.real, courses.imag])
            error = np.linalg.norm(columns / size - left @ right) / np.linalg.norm(columns / size)
        return float(error) if np.isfinite(error) else float("inf")

    def modes(self, indices: int | Sequence[int] | None = None) -> np.ndarray:
        """Lift modes to feature space; only the ones asked for are computed.

        Parameters
        ----------
        indices : int or sequence of int, optional
            Which modes; all of them by default.

        Returns
        -------
        ndarray (n_features, k), complex128

        Raises
        ------
        DynExplorerError
            An index is outside 0..r-1.
        """
        return self.compressed.lift(self.coefficients[:, self._checked(indices)], self.window[0])

    def dynamics(self, indices: int | Sequence[int] | None = None, *, n: int | None = None) -> np.ndarray:
        """Course of each mode's weight, ``b lambda^t`` at t = 0, 1, ..., n - 1 steps.

        Parameters
        ----------
        indices : int or sequence of int, optional
            Which modes; all of them by default.
        n : int, optional
            Number of steps; the window's snapshots by default.

        Returns
        -------
        ndarray (k, n), complex128
        """
        chosen = self._checked(indices)
        steps = self.n_snapshots if n is None else n
        with np.errstate(over="ignore", invalid="ignore"):
            powers = np.vander(self.eigenvalues[chosen], steps, increasing=True)
            return self.amplitudes[chosen][:, None] * powers

    def reconstruct(
        self, indices: int | Sequence[int] | None = None, *, times: int | Sequence[int] | None = None
    ) -> np.ndarray:
        """Snapshots rebuilt from some of the modes; a conjugate pair takes part whole.

        Parameters
        ----------
        indices : int or sequence of int, optional
            Which modes; all of them by default.
        times : int or sequence of int, optional
            Steps after the window's first snapshot; by default every snapshot of the window.

        Returns
        -------
        ndarray (n_features, k), float64
        """
        chosen = self._checked(indices)
        chosen = np.union1d(chosen, self.partners[chosen])
        steps = np.arange(self.n_snapshots) if times is None else np.atleast_1d(times)
        with np.errstate(over="ignore", invalid="ignore"):
            weights = self.amplitudes[chosen][:, None] * self.eigenvalues[chosen][:, None] ** steps
            combination = (self.coefficients[:, chosen] @ weights).real
        return self.compressed.lift(combination, self.window[0])

    def _largest_over(self, index: int) -> float:
        with np.errstate(divide="ignore", over="ignore"):
            return float(self.singular_values[0] / self.singular_values[index])

    def _checked(self, indices: int | Sequence[int] | None) -> np.ndarray:
        count = len(self.eigenvalues)
        if indices is None:
            return np.arange(count)
        chosen = np.atleast_1d(np.asarray(indices))
        if chosen.size == 0:
            return np.zeros(0, dtype=np.intp)
        if chosen.dtype.kind not in "iu" or chosen.ndim != 1 or chosen.min() < 0 or chosen.max() >= count:
            raise DynExplorerError(f"`indices` (={indices!r}) must be whole numbers in 0..{count - 1}")
        return chosen

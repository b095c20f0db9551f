"""What the Dynamics panel computes: at once what follows the hand, afterwards what it is compared with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dyn_explorer import analysis, capture
from dyn_explorer.errors import DynExplorerError

GALLERY = 8


@dataclass(frozen=True, eq=False)
class Comparison:
    """What the metrics stand beside, and the maps that are no part of following the hand.

    Attributes
    ----------
    shuffled : ShuffledColumnsNull
        The metrics over random orders of the same columns.
    untrained : DynamicsMetrics or None
        The metrics of an untrained copy, at the same rank; None with `untrained_reason`.
    untrained_reason : str
        Why there is no untrained copy.
    gallery : list of (row, caption, map)
        The stable modes, strongest first; where there are none, the strongest.
    gallery_is_stable : bool
        Whether the gallery's modes are stable.
    maps : list of (caption, map)
        Snapshot, reconstruction, background, foreground and the first principal component, where columns are maps.
    pseudospectrum : Pseudospectrum or None
        If it was asked for.
    """

    shuffled: analysis.ShuffledColumnsNull
    untrained: analysis.DynamicsMetrics | None
    untrained_reason: str
    gallery: list[tuple[int, str, np.ndarray]]
    gallery_is_stable: bool
    maps: list[tuple[str, np.ndarray]]
    pseudospectrum: analysis.Pseudospectrum | None


@dataclass(frozen=True, eq=False)
class DynamicsResult:
    """What the Dynamics panel shows.

    Attributes
    ----------
    dmd : DMDResult
        The decomposition; its eigenvalues, amplitudes, energies, singular values, rank and window are also here.
    snapshots : Snapshots
        The matrix it was fitted to, with the meaning of its columns.
    mode : int
        Row of the chosen mode.
    map : ndarray (h, w) complex or (n_features,) complex
        The chosen mode, in the shape of a map where it has one.
    picture : ndarray (H, W, 3) uint8 or None
        The input under the map.
    stable : ndarray of int
        Indices of the stable modes, strongest first.
    metrics : DynamicsMetrics
        Summaries of the eigenvalues and amplitudes.
    residuals : ndarray (r,)
        Residual of each eigenpair relative to ``|lambda|``.
    observable_residuals : ndarray (r,)
        Residual of each observable; all nan at full rank, where it says nothing.
    comparison : Comparison or None
        What the metrics are compared with; it arrives a moment later.
    """

    dmd: analysis.DMDResult
    snapshots: capture.Snapshots
    mode: int
    map: np.ndarray
    picture: np.ndarray | None
    stable: np.ndarray
    metrics: analysis.DynamicsMetrics
    residuals: np.ndarray
    observable_residuals: np.ndarray
    comparison: Comparison | None = None

    eigenvalues = property(lambda self: self.dmd.eigenvalues)
    amplitudes = property(lambda self: self.dmd.amplitudes)
    energies = property(lambda self: self.dmd.energies)
    singular_values = property(lambda self: self.dmd.singular_values)
    rank = property(lambda self: self.dmd.rank)
    window = property(lambda self: self.dmd.window)
    modes = property(lambda self: self.dmd.modes)


def as_map(values: np.ndarray, snapshots: capture.Snapshots) -> np.ndarray:
    """A column in the shape of a picture where it has one; over channels and depth the magnitude is averaged.

    Raises
    ------
    DynExplorerError
        If the column is not finite.
    """
    if not np.isfinite(values).all():
        raise DynExplorerError("the chosen mode is not finite; lower the rank.")
    shape = snapshots.map_shape or snapshots.feature_shape
    if len(shape) < 2 or (snapshots.map_shape is None and len(shape) == 2):
        return values
    shaped = values.reshape(-1, *shape[-2:])
    return shaped[0] if len(shaped) == 1 else np.abs(shaped).mean(axis=0)


def contribution(dmd: analysis.DMDResult, row: int) -> np.ndarray:
    """A mode (n_features,) turned by the phase of its amplitude: its part in the window's first snapshot, unscaled.

    A mode's own sign is the linear algebra library's and may flip from one rank to the next; this one does not.
    """
    index = int(dmd.rows[row])
    amplitude = dmd.amplitudes[index]
    phase = amplitude / abs(amplitude) if abs(amplitude) > 0 else 1.0
    return phase * dmd.modes([index])[:, 0]


def gallery(result: DynamicsResult) -> tuple[list[tuple[int, str, np.ndarray]], bool]:
    """Maps of the stable modes, strongest first, or of the strongest modes where none is stable."""
    dmd, rows = result.dmd, np.asarray(result.dmd.rows)
    is_stable = len(result.stable) > 0
    indices = (result.stable if is_stable else rows)[:GALLERY]
    modes = dmd.modes([int(index) for index in indices])
    return [
        (
            int(np.searchsorted(rows, index)),
            f"{abs(dmd.eigenvalues[index]):.3f}",
            np.abs(as_map(mode, result.snapshots)),
        )
        for index, mode in zip(indices, modes.T, strict=True)
    ], is_stable


def maps(result: DynamicsResult, step: int, terms: int, compressed) -> list[tuple[str, np.ndarray]]:
    """One snapshot of the window, its reconstruction from some modes, its two parts, and a map without dynamics.

    Parameters
    ----------
    result : DynamicsResult
        Whose columns are maps; otherwise the list is empty.
    step : int
        Snapshot of the window; one past its end means the last.
    terms : int
        Number of modes, strongest first; 0 for all.
    compressed : CompressedSnapshots
        For the first principal component of the same columns.
    """
    if result.map.ndim != 2:
        return []
    dmd, (start, stop) = result.dmd, result.window
    step = min(step, stop - start - 1)
    rows = np.asarray(dmd.rows)
    kept = [int(index) for index in (rows[:terms] if terms else rows)]
    original = result.snapshots.matrix[:, start + step].detach().cpu().double().numpy()
    split = analysis.background_foreground(dmd, times=[step])
    heat = analysis.svd_heat_map(compressed, window=result.window)
    columns = [
        (f"snapshot {start + step}", original),
        (f"from {len(kept)} modes", dmd.reconstruct(kept, times=[step])[:, 0]),
        (f"background\n(mode {np.searchsorted(rows, split.mode) + 1})", split.background[:, 0]),
        ("foreground\n(the rest)", split.foreground[:, 0]),
        (f"first component\n({heat.share:.0%})", heat.values),
    ]
    return [(caption, as_map(column, result.snapshots).real) for caption, column in columns]

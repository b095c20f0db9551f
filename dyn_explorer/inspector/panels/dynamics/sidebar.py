"""The controls of the Dynamics panel."""

from __future__ import annotations

from dyn_explorer.inspector.controls import grouped, menu, rank, slider, span, toggle
from dyn_explorer.inspector.state import MIN_WINDOW

from ..base import Settings
from .options import (
    ALL_RESIDUALS,
    AXES,
    METHODS,
    MOST_COLUMNS,
    NORMALISE,
    ORDERS,
    PARTS,
    PATHS,
    PRESETS,
    RANK_PRESETS,
)
from .result import DynamicsResult


def sidebar(settings: Settings, result: DynamicsResult | None) -> list[dict]:
    """Every control, in four groups."""
    return [
        *grouped("Snapshots", _snapshots(settings)),
        *grouped("Decomposition", _decomposition(settings, result)),
        *grouped("Scaling and order", _scaling(settings), folded=True),
        *grouped("Display", _display(settings, result)),
    ]


def _snapshots(settings: Settings) -> list[dict]:
    made = [menu("axis", "Snapshots are", settings.axis, list(AXES))]
    if settings.axis == "path":
        made += [
            menu("dynamics.path", "The image is", settings.path, list(PATHS)),
            slider("dynamics.steps", "Steps", settings.steps, 3, 128, 1, digits=0),
        ]
    return made


def _decomposition(settings: Settings, result: DynamicsResult | None) -> list[dict]:
    made = []
    if result is not None:
        n_features, count = result.snapshots.matrix.shape
        start, stop = settings.window or result.window
        # Higher-order methods stack snapshots, so they have their own number of directions.
        most = min(stop - start - 1, n_features, len(result.singular_values))
        chosen = settings.rank if isinstance(settings.rank, int) else result.rank
        hint = "How many directions of the snapshots are kept before the fit."
        made += [
            span("window", "Window", (start, stop), 0, count, MIN_WINDOW, "Snapshots that take part."),
            rank("rank", settings.rank, chosen, most, list(RANK_PRESETS), hint),
        ]
    return [*made, menu("method", "Method", settings.method, list(METHODS))]


def _scaling(settings: Settings) -> list[dict]:
    made = [menu("dynamics.preset", "Preset", settings.preset, list(PRESETS))]
    if settings.preset != "none":
        return made
    made += [
        menu("dynamics.normalise", "Normalise", settings.normalise, list(NORMALISE)),
        toggle("dynamics.centre", "Subtract the mean", settings.centre, "The mean column, before the fit."),
        menu("dynamics.order", "Column order", settings.order, list(ORDERS)),
    ]
    if settings.order == "random":
        made.append(slider("dynamics.seed", "Seed", settings.seed, 0, 99, 1, digits=0))
    hint = "Evenly chosen ones where there are more."
    made.append(
        slider("dynamics.max_columns", "Most columns", settings.max_columns, 3, MOST_COLUMNS, 1, hint, digits=0)
    )
    return made


def _display(settings: Settings, result: DynamicsResult | None) -> list[dict]:
    made = [
        slider(
            "dynamics.most_residual",
            "Hide residuals above",
            settings.most_residual,
            0.02,
            ALL_RESIDUALS,
            0.02,
            "Eigenvalues with a larger residual are not drawn; at the right end all are.",
        ),
        toggle(
            "dynamics.pseudospectrum",
            "Pseudospectrum contours",
            settings.pseudospectrum,
            "How nearly each number is an eigenvalue: contours at τ = 0.03, 0.1, 0.3, 0.6, 0.9; dark is near.",
        ),
        slider(
            "dynamics.stable_tol",
            "Stability band ±",
            settings.stable_tol,
            0.01,
            0.3,
            0.01,
            "A mode counts as stable when its modulus is this close to 1 (our choice; the paper gives none).",
        ),
        menu("dynamics.part", "Mode shown as", settings.part, list(PARTS)),
        slider("dynamics.opacity", "Mode opacity", settings.opacity, 0, 1, 0.05),
    ]
    if result is None or result.map.ndim != 2:
        return made
    last, count = result.window[1] - result.window[0] - 1, len(result.dmd.rows)
    return [
        *made,
        slider(
            "dynamics.step", "Snapshot rebuilt", min(settings.step, last), 0, last, 1, "Step of the window.", digits=0
        ),
        slider("dynamics.terms", "Modes used", min(settings.terms, count), 0, count, 1, "0 takes all.", digits=0),
    ]

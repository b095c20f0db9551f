"""The Dynamics panel in digits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from dyn_explorer.sweeps.measures.dynamics import DYNAMICS
from dyn_explorer.views.mode_energies import row_shares

from .result import DynamicsResult

if TYPE_CHECKING:
    import pandas as pd

# field of DynamicsMetrics, label, what it is
METRICS = tuple((name, words.label, words.help) for name, words in DYNAMICS.words.items())
PERCENT = {"stable_fraction", "zero_amplitude_fraction", "reconstruction_error"}


def number(label: str, value: str, hint: str) -> dict:
    """One figure in digits."""
    return {"label": label, "value": value, "help": hint}


def numbers(result: DynamicsResult) -> list[dict]:
    """What everything else depends on: columns, rank, condition."""
    dmd, dropped = result.dmd, result.snapshots.dropped
    count = result.window[1] - result.window[0]
    left_out = "; ".join(f"{label}: {reason}" for label, reason in dropped[:8]) or "None."
    return [
        number("snapshots", f"{count} of {result.snapshots.matrix.shape[1]}", "In the window."),
        number("rank", f"{dmd.rank} of {count - 1}", "Directions kept. At the most, the fit says nothing."),
        number("condition", f"{dmd.condition:.2g}", "σ₁ / σᵣ; above about 1e8 float32 activations are noise."),
        number("stable", f"{len(result.stable)} of {len(dmd.rows)}", "Modes inside the stability band."),
        number("dropped", str(len(dropped)), f"Dead or duplicate columns, which make the fit singular. {left_out}"),
    ]


def metrics(result: DynamicsResult) -> dict:
    """Every metric beside its two nulls, as a page section."""
    values, comparison = result.metrics.as_dict(), result.comparison
    mean = comparison.shuffled.mean if comparison else {}
    sd = comparison.shuffled.sd if comparison else {}
    untrained = comparison.untrained.as_dict() if comparison and comparison.untrained else {}
    rows = [
        {
            "label": label,
            "help": hint,
            "cells": [
                shown(values[name], name),
                f"{shown(mean[name], name)} ± {shown(sd[name], name)}" if name in mean else "…",
                shown(untrained[name], name) if name in untrained else ("n/a" if comparison else "…"),
            ],
        }
        for name, label, hint in METRICS
    ]
    rows.append(_residual_row(result))
    note = f"No untrained copy: {comparison.untrained_reason}" if comparison and not comparison.untrained else ""
    columns = ["metric", "this view", "shuffled columns", "untrained copy"]
    return {"title": "Metrics and their nulls", "nulls": True, "columns": columns, "rows": rows, "note": note}


def _residual_row(result: DynamicsResult) -> dict:
    comparison = result.comparison
    mine = _median(result.residuals)
    null = f"{_median(comparison.shuffled.residuals):.3g}" if comparison else "…"
    hint = "Distance of each eigenpair from a true one, relative to |λ|; at the null's size a mode means nothing."
    return {"label": "median residual", "help": hint, "cells": [f"{mine:.3g}", null, ""]}


def _median(values: np.ndarray) -> float:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else math.nan


def shown(value: float, name: str) -> str:
    """A metric in the digits that mean something."""
    if math.isnan(value):
        return "n/a"
    return f"{value:.1%}" if name in PERCENT else f"{value:.3g}"


def mode_table(result: DynamicsResult) -> pd.DataFrame:
    """One row per mode, a conjugate pair being one."""
    import pandas as pd  # takes a quarter of a second, which opening an inspector should not cost

    dmd = result.dmd
    rows = np.asarray(dmd.rows)
    value = dmd.eigenvalues[rows]
    return pd.DataFrame(
        {
            "mode": np.arange(1, len(rows) + 1),
            "pair": value.imag != 0,
            "real": value.real,
            "imag": value.imag,
            "modulus": np.abs(value),
            "turn": np.abs(np.angle(value)) / (2 * np.pi),
            "strength": dmd.strengths[rows],
            "energy": dmd.energies[rows],
            "share": row_shares(dmd),
            "residual": result.residuals[rows],
            "observable": result.observable_residuals[rows],
        }
    )

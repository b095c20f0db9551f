"""The Filters panel in digits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from dyn_explorer.analysis import WeightSpectrum, spectrum_verdict

from ..dynamics.tables import number
from .options import ASCENDING, SHUFFLES
from .profile_figures import null_in_words
from .result import FiltersResult

if TYPE_CHECKING:
    import pandas as pd

# field of RandomMatrixFit, label, what it is
METRICS = (
    ("alpha", "exponent α", "Of the power-law tail, by maximum likelihood. Random weights have one too."),
    ("ks_distance", "… KS distance", "Of the tail from the power law; smaller fits better."),
    ("tail_points", "… tail points", "Eigenvalues that the exponent rests on."),
    ("alpha_weighted", "α log₁₀ λ₁", "Depends on the normalisation, which is λ = σ² / larger side here."),
    ("spikes", "spikes", "Eigenvalues beyond the Marchenko-Pastur edge of a bulk with this median."),
    ("stable_rank", "stable rank Σλ / λ₁", "How many directions carry the weight."),
    ("entropy", "entropy over ln n", "Of the eigenvalues' shares; 1 is an even spectrum."),
)
COLUMNS = {
    "layer": "layer",
    "part": "part",
    "kind": "kind",
    "shape": "matrix",
    "groups": "groups",
    "eigenvalues": "eigenvalues",
    "alpha": "α",
    "tail_points": "tail points",
    "spikes": "spikes",
    "stable_rank": "stable rank",
    "spectral_norm": "spectral norm",
    "entropy": "entropy",
    "folded": "folded",
    "reason": "reason",
}
WHOLE = ("tail_points", "spikes")


def numbers(result: FiltersResult) -> list[dict]:
    """What everything else depends on."""
    directions, weight = result.directions, result.directions.weight
    rows, columns = directions.found.shape
    made = [
        number("matrix", f"{rows} × {columns}", "Filters by inputs under a kernel, of one group."),
        number("groups", str(weight.groups), "Each is decomposed by itself."),
        number("σ₁", f"{directions.sigma[0]:.3g}", "Of the unfolded weight; not the layer's gain."),
        _gain(result),
        number("direction", f"{result.direction + 1} of {len(directions.sigma)}", "Strongest first."),
    ]
    if weight.folded:
        made.append(
            number("folded", weight.folded, "Its scale is in the weight; which one it is, the names' order says.")
        )
    profiles = result.profiles
    if profiles is not None and profiles.classes is not None:
        found = profiles.classes.separation
        hint = "Mean similarity of the inputs' profiles within classes less between; the null has permuted labels."
        made.append(number("profiles", f"{found.difference:+.3f}; null {null_in_words(found)}", hint))
    return made


def _gain(result: FiltersResult) -> dict:
    comparison, weight, sigma = result.comparison, result.directions.weight, result.directions.sigma[0]
    if comparison is None:
        return number("gain", "…", "Of the layer as an operator.")
    if math.isnan(comparison.gain):
        return number("gain", "n/a", f"Of the layer as an operator: {comparison.gain_reason}")
    hint = "Largest singular value of the layer as an operator, with circular padding."
    if set(weight.stride) != {1}:  # only for stride 1 are there such bounds
        return number("gain", f"{comparison.gain:.3g}", hint)
    taps = math.prod(weight.values.shape[2:])
    bound = f"{comparison.gain:.3g} ≤ {math.sqrt(taps) * sigma:.3g}"
    return number("gain", bound, f"{hint} It lies between σ₁ and √{taps} σ₁ of the unfolded weight.")


def metrics(result: FiltersResult) -> dict | None:
    """Every metric beside shuffled weights and an untrained copy, as a page section."""
    spectrum, comparison = result.directions.spectrum, result.comparison
    if spectrum.fit is None:
        return None
    rows = [
        {
            "label": label,
            "help": hint,
            "cells": [
                shown(float(getattr(spectrum.fit, name)), name),
                _null(comparison.shuffled, name) if comparison else "…",
                _untrained(comparison.untrained, name) if comparison else "…",
            ],
        }
        for name, label, hint in METRICS
    ]
    notes = []
    if comparison is not None:
        verdict = spectrum_verdict(spectrum, comparison.shuffled)
        notes.append(f"Verdict: {verdict} (our rule: structured has more spikes and a larger λ₁ than every shuffle).")
    notes.append(f"No exponent: {spectrum.reason}." if spectrum.reason else "")
    if comparison is not None and comparison.untrained_reason:
        notes.append(f"No untrained copy: {comparison.untrained_reason}")
    columns = ["metric", "this layer", f"shuffled weights ({SHUFFLES})", "untrained copy"]
    return {
        "title": "Spectrum and its nulls",
        "nulls": True,
        "columns": columns,
        "rows": rows,
        "note": " ".join(filter(None, notes)),
    }


def _null(drawn: tuple[WeightSpectrum, ...], name: str) -> str:
    fits = [each.fit for each in drawn if each.fit is not None]
    values = np.array([float(getattr(fit, name)) for fit in fits if name != "tail_points" or fit.tail_points])
    values = values[np.isfinite(values)]
    if not len(values):
        return "n/a"
    return f"{values.mean():.3g} ± {values.std():.2g}"


def _untrained(spectrum: WeightSpectrum | None, name: str) -> str:
    return "n/a" if spectrum is None or spectrum.fit is None else shown(float(getattr(spectrum.fit, name)), name)


def shown(value: float, name: str) -> str:
    """A metric in the digits that mean something."""
    if math.isnan(value) or (name == "tail_points" and value == 0):
        return "n/a"
    return str(int(value)) if name in WHOLE else f"{value:.3g}"


def ordered(rows: pd.DataFrame, order: str) -> pd.DataFrame:
    """The layer table by a column, what has no number last."""
    if order == "layer":
        return rows
    return rows.sort_values(order, ascending=order in ASCENDING, na_position="last", kind="stable")


def layers(result: FiltersResult, order: str) -> pd.DataFrame:
    """The layer table under the names that the page shows; columns that say nothing are left out."""
    import pandas as pd

    table = ordered(result.rows, order)
    silent = {"part", "folded", "reason"} - {name for name in ("part", "folded", "reason") if table[name].ne("").any()}
    if table["groups"].eq(1).all():
        silent.add("groups")
    kept = table[[name for name in COLUMNS if name not in silent]].copy()
    for name in WHOLE:
        missing = table[name].isna() | (table["alpha"].isna() if name == "tail_points" else False)
        counts = [math.nan if gone else int(v) for v, gone in zip(table[name], missing, strict=True)]
        kept[name] = pd.Series(counts, index=kept.index, dtype=object)  # a count reads as one, not as 2.0000
    return kept.rename(columns=COLUMNS)

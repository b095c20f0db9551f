"""The Basins panel in digits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from dyn_explorer.analysis import Basin

from ..dynamics.tables import number
from .result import NAMES, BasinsResult

if TYPE_CHECKING:
    import pandas as pd


def size(value: float) -> str:
    """A half width as text."""
    if math.isnan(value):
        return "undefined"
    return "beyond the grid" if math.isinf(value) else f"{value:.3g}"


def sentence(reason: str) -> str:
    """A reason as a sentence of its own."""
    return f"{reason[0].upper()}{reason[1:]}."


def numbers(result: BasinsResult) -> list[dict]:
    """What the sizes depend on."""
    basin = next(iter(result.basins.values()))
    made = [
        number(NAMES[space], size(found.half_width), found.reason or "Amplitude at which the curve crosses.")
        for space, found in result.basins.items()
    ]
    made.append(
        number("threshold", f"{basin.threshold:.3g}", "; ".join(basin.notes) or "Accuracy at which the basin ends.")
    )
    if "sample" in result.basins:
        scale = result.basins["sample"].scale
        said = f"{scale['low']:.3g} to {scale['high']:.3g}, sd {scale['sd']:.3g}"
        made.append(number("inputs", said, "S50 is in these units: it is large or small beside this range."))
    made.append(number("noise", f"{basin.draws} draws, seed {basin.seed}", "The same at every amplitude and epoch."))
    made.append(number("samples", str(len(basin.labels)), "Inputs that every accuracy is over."))
    return made


def metrics(result: BasinsResult) -> dict:
    """Both sizes beside those of an untrained copy, as a page section."""
    rows, missing = [], "n/a" if "nulls" in result.reasons else "…"
    for space, basin in result.basins.items():
        null = result.nulls.get(space, missing)
        name = NAMES[space]
        rows += [
            _row(
                name,
                basin.reason or "Where the accuracy first falls below the threshold.",
                basin,
                null,
                _half,
            ),
            _row(f"{name} over draws", "Mean ± sd of the size in each draw alone.", basin, null, _over_draws),
            _row(
                f"{name}, area", "Under accuracy over log₁₀ σ, in decades; it needs no threshold.", basin, null, _area
            ),
        ]
    clean = next(iter(result.basins.values()))
    null = next(iter(result.nulls.values()), missing)
    rows.append(_row("accuracy without noise", "Below the threshold a size is undefined.", clean, null, _clean))
    reasons = [basin.reason for basin in result.basins.values() if basin.reason]
    reasons += list(result.reasons.values())
    note = (
        "An untrained copy is hardly ever right, so its own answers without noise count as right for it: this column "
        "says how much noise a network bears that has learned nothing. One that always gives the same answer bears any."
    )
    return {
        "title": "Basin sizes",
        "nulls": True,
        "columns": ["size", "this model", "untrained copy, own answers"],
        "rows": rows,
        "note": " ".join([*map(sentence, reasons), note]),
    }


def _row(label: str, hint: str, basin: Basin, null: Basin | str, show) -> dict:
    return {"label": label, "help": hint, "cells": [show(basin), null if isinstance(null, str) else show(null)]}


def _half(basin: Basin) -> str:
    return size(basin.half_width)


def _over_draws(basin: Basin) -> str:
    values = basin.draw_half_widths
    if not len(basin.sigmas) or not np.isfinite(values).all():
        return "n/a"
    return f"{values.mean():.3g} ± {values.std():.2g}"


def _area(basin: Basin) -> str:
    return "…" if basin.search != "grid" else f"{basin.area:.3g}"


def _clean(basin: Basin) -> str:
    return f"{basin.clean_accuracy:.3g}"


def samples(result: BasinsResult) -> pd.DataFrame:
    """One row per sample, the most easily disturbed first once the curves are there in full."""
    import pandas as pd  # slow to import

    basins = result.basins
    first = next(iter(basins.values()))
    frame = pd.DataFrame({"sample": np.arange(len(first.labels)), "class": first.labels, "right": first.clean})
    for space, basin in basins.items():
        frame[f"{NAMES[space]} ({basin.draws} draws)"] = basin.sample_half_widths
    return frame.sort_values(list(frame.columns[3:]), kind="stable", ignore_index=True)

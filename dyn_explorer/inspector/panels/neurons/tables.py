"""The Neurons panel in digits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ..dynamics.tables import number
from .result import NeuronsResult

if TYPE_CHECKING:
    import pandas as pd


def neurons(result: NeuronsResult) -> pd.DataFrame:
    """One row per neuron, the one that the class reads most strongly first."""
    import pandas as pd

    chosen, category = result.chosen, result.category
    order = chosen.by_weight(category)
    gradient = chosen.aligned.gradient[:, order]
    defined = np.isfinite(gradient).any(axis=0)
    best = np.where(defined, np.argmax(np.where(np.isfinite(gradient), gradient, -np.inf), axis=0), -1)
    frame = pd.DataFrame({"neuron": chosen.places[order]})
    if len(chosen.shape) > 1:
        frame["place"] = [chosen.name(index) for index in order]
    frame["weight"] = chosen.readout[category, order].astype(float)
    frame["G"] = gradient[category]
    frame["G / null sd"] = gradient[category] / chosen.aligned.null_sd[category]
    frame["best class"] = best
    frame["its G"] = np.where(defined, np.take_along_axis(gradient, best[None], axis=0)[0], np.nan)
    return frame


def layers(result: NeuronsResult) -> dict:
    """G of every hidden layer beside its three nulls, as a page section."""
    rows = []
    for name in result.network.names:
        found = result.network.layers.get(name)
        if found is None:
            rows.append({"label": name, "help": result.network.reasons[name], "cells": ["n/a", "", "", ""]})
            continue
        aligned = found.aligned
        cells = [
            _signed(aligned.layer_gradient),
            f"0 ± {aligned.layer_null_sd:.3f}",
            f"0 ± {aligned.sign_null_sd:.3f}",
            "…" if result.untrained is None else _signed(result.untrained.get(name, math.nan)),
        ]
        hint = f"Mean over {found.readout.size} pairs of class and neuron."
        rows.append({"label": name, "help": hint, "cells": cells})
    note = (
        "Permuted labels: exact standard deviation. Random readout: the weights that read each neuron (each channel) "
        "change sign by chance. Low G is unaligned or cooperating; it does not say which."
    )
    return {
        "title": "Rank alignment G of the hidden layers, and its nulls",
        "nulls": True,
        "columns": ["layer", "G", "permuted labels", "random readout", "untrained copy"],
        "rows": rows,
        "note": " ".join(filter(None, [note, result.reason])),
    }


def numbers(result: NeuronsResult) -> list[dict]:
    """The chosen layer, and the truncated network beside the whole one."""
    chosen, aligned = result.chosen, result.chosen.aligned
    total = math.prod(chosen.shape)
    above, below = aligned.shares()
    drawn = f"{total}" if total == len(chosen.places) else f"{len(chosen.places)} of {total}"
    null = max(aligned.layer_null_sd, aligned.sign_null_sd)
    made = [
        number("layer", result.layer, "Whose outputs are ranked."),
        number("neurons", drawn, "Each channel and position is a neuron; of more than 2,000 some are drawn."),
        number("G", _signed(aligned.layer_gradient), "Mean over classes and neurons."),
        number("chance", f"± {null:.3f}", "The larger of G's two null deviations."),
        number(
            "pairs",
            f"{above:.0%} up, {below:.0%} down",
            "Of class and neuron, above 3 deviations under permuted labels and below -3. An untrained readout has as "
            "many of the one as of the other.",
        ),
    ]
    return [*made, *_truncated(result)]


def _truncated(result: NeuronsResult) -> list[dict]:
    found = result.truncation
    if found is None:
        return [number("accuracy", "…", "Of the network as it is, on these inputs.")]
    made = [number("accuracy", f"{found.full_accuracy:.1%}", "Of the network as it is, on these inputs.")]
    if result.start is not None and result.start < len(found.accuracy):
        made.append(
            number(
                "truncated",
                f"{found.accuracy[result.start]:.1%}",
                f"With every activation from {activation_name(result, result.start)} on made the identity.",
            )
        )
        made.append(
            number(
                "error",
                f"{found.relative_error[result.start]:.2f}",
                "Change of the scores over their size: 0 is the network itself, 1 no better than the mean score.",
            )
        )
    return made


def activation_name(result: NeuronsResult, index: int) -> str:
    """What an activation is called: the layer that feeds it, or its number and kind."""
    one = result.truncation.activations[index]
    return one.layer if one.layer is not None else f"{one.kind} {index + 1}"


def _signed(value: float) -> str:
    return "n/a" if math.isnan(value) else f"{value:+.3f}"

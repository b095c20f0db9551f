"""The Classes panel in digits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ..dynamics.tables import number
from .result import ClassesResult

if TYPE_CHECKING:
    import pandas as pd

MEASURES = (
    ("purity", "mean purity", "Largest class share of a hyperedge, over those that hold anything."),
    ("entropy", "mean entropy", "Of a hyperedge's class shares: 0 for one class, 1 for equal shares."),
    ("jaccard_ratio", "Jaccard ratio", "Mean overlap of two images' hyperedges, within classes over between classes."),
    ("modularity", "modularity", "How much more often one class holds a majority than by chance (Kamiński et al.)."),
    ("conductance", "conductance", "Chance that a random walk leaves its class (Zhou et al.), mean over classes."),
)
UNDEFINED = "n/a"


def numbers(result: ClassesResult) -> list[dict]:
    """What the figures rest on."""
    found, hypergraph = result.found, result.found.hypergraph
    sizes = hypergraph.sizes
    span = str(sizes.max()) if sizes.min() == sizes.max() else f"{sizes.min()} to {sizes.max()}"
    made = [
        number("layer", result.layer, "Whose directions are read; the last with directions up to the chosen one."),
        number("images", str(hypergraph.n_vertices), f"Of {len(found.classes)} classes."),
        number("directions", str(len(result.gains)), "At most as many as the layer has."),
        number("images per edge", span, "With purity of few images, chance is large."),
        number(f"components, s = {result.s}", str(hypergraph.barcode.count(result.s)), "They rarely are the classes."),
    ]
    if result.pair is not None:
        made += _pair_numbers(result)
    return [*made, *(number("note", "!", note) for note in found.notes)]


def _pair_numbers(result: ClassesResult) -> list[dict]:
    first, second = result.pair
    names = f"{result.class_names[first]}, {result.class_names[second]}"
    shares, edges = result.class_shares(), result.found.edge_names()
    tie = np.minimum(shares[:, first], shares[:, second])
    split = np.abs(shares[:, first] - shares[:, second])
    made = [number(f"tied by ({names})", edges[tie.argmax()], f"It holds {tie.max():.0%} of both classes or more.")]
    if first != second:
        hint = f"Its shares of the two classes differ by {split.max():.0%}."
        made.append(number(f"split by ({names})", edges[split.argmax()], hint))
    return made


def metrics(result: ClassesResult) -> dict:
    """Every measure of the layer beside its controls, as a page section."""
    rows = [{"label": label, "help": hint, "cells": _cells(result, name)} for name, label, hint in MEASURES]
    note = (
        "Mean ± standard deviation over 20 permutations and over 4 random bases. What channels, a random basis or an "
        "untrained network reach too is no merit of the singular directions or of training."
    )
    reason = result.controls.reason if result.controls else ""
    return {
        "title": f"Separation in {result.layer}",
        "nulls": True,
        "columns": ["measure", "this model", "permuted labels", "untrained", "channels", "random basis"],
        "rows": rows,
        "note": f"{note} No untrained copy: {reason}" if reason else note,
    }


def _cells(result: ClassesResult, name: str) -> list[str]:
    own, place, controls = result.separation[result.place][name], result.place, result.controls
    if controls is None:
        return [_shown(own), "…", "…", "…", "…"]
    untrained = UNDEFINED if controls.untrained is None else _shown(controls.untrained[place][name])
    return [
        _shown(own),
        _spread(controls.permuted[place].values[name]),
        untrained,
        _shown(controls.channel[place][name]),
        _spread(controls.random_values(name)[:, place]),
    ]


def _shown(value: float) -> str:
    return UNDEFINED if math.isnan(value) else "∞" if math.isinf(value) else _digits(value)


def _spread(values: np.ndarray) -> str:
    defined = values[np.isfinite(values)]
    return f"{_digits(defined.mean())} ± {_digits(defined.std(ddof=1))}" if len(defined) > 1 else UNDEFINED


def _digits(value: float) -> str:
    # Adding 0 takes the sign off a number that is rounded to 0.
    return f"{value:.3g}" if abs(value) >= 1 else f"{round(value, 3) + 0:.3f}"


def edges(result: ClassesResult) -> pd.DataFrame:
    """One row per hyperedge."""
    import pandas as pd

    found = result.found
    counts = found.class_counts
    frame = pd.DataFrame(
        {
            "hyperedge": found.edge_names(),
            "σ": result.gains[found.direction],
            "images": found.hypergraph.sizes,
            "purity": found.purity,
            "entropy": found.entropy,
            "main class": [
                result.class_names[k] if size else ""
                for k, size in zip(counts.argmax(axis=1), counts.sum(axis=1), strict=True)
            ],
            "component": found.s_components(result.s),
        }
    )
    if result.controls is not None:
        permuted = result.controls.permuted[result.place].edge_purity
        frame.insert(4, "permuted", permuted.mean(axis=0))
    if result.pair is not None:
        for code in dict.fromkeys(result.pair):
            frame[f"share of {result.class_names[code]}"] = result.class_shares()[:, code]
    return frame

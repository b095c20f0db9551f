"""The sections of the inspector's page, as plain JSON; everything from outside is text and stays text."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dyn_explorer.capture import LayerInfo

from .panels import Panel

if TYPE_CHECKING:
    import pandas as pd

MOST_TABLE_ROWS = 200
_LONG = 32  # letters of a cell that is broken into lines
_WORD = re.compile(r"[a-z]{2}", re.IGNORECASE)
_NO_WORD = re.compile(r"yes|-?inf|nan")


def header(model, epoch: int | None, n_inputs: int | None, most_inputs: int, warning: str | None) -> dict:
    """Which model this is."""
    parameters = list(model.parameters())
    device = str(parameters[0].device) if parameters else "no parameters"
    count = sum(p.numel() for p in parameters)
    capped = n_inputs is not None and n_inputs == most_inputs
    inputs = "inputs not read yet" if n_inputs is None else f"{n_inputs} inputs"
    return {
        "model": type(model).__name__,
        "facts": [
            *([] if epoch is None else [f"weights of epoch {epoch}"]),
            f"{short_count(count)} parameters",
            device,
            "train mode" if model.training else "eval mode",
            inputs,
        ],
        "hints": [
            *([] if epoch is None else ["A copy of the model with the weights that its history kept."]),
            f"{count:,} parameters",
            "Device of the model; it is never moved.",
            "Dropout is live and batch statistics are used; masks are the same in every recording."
            if model.training
            else "Running statistics are used and dropout is off.",
            f"The first {most_inputs} inputs are looked at." if capped else "All inputs that were given.",
        ],
        "warning": warning,
    }


def short_count(count: int) -> str:
    """A count in three digits: 5.83k, 11.7M."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if count >= size:
            return f"{count / size:.3g}{unit}"
    return str(count)


def short_time(seconds: float) -> str:
    """A time in the unit that suits it."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def tree(layers: dict[str, LayerInfo]) -> list[dict]:
    """The layers in the order in which the model runs them."""
    return [
        {
            "name": info.name,
            "kind": info.kind,
            "shape": " × ".join(map(str, info.weight_shape)) if info.weight_shape else "",
            "reason": info.disabled_because,
        }
        for info in layers.values()
    ]


def panel_frame(panels: list[Panel], opened: Panel) -> dict:
    """Tabs, and the cards of the open panel."""
    return {
        "tabs": [{"key": panel.key, "title": panel.title} for panel in panels],
        "open": opened.key,
        "about": opened.about,
        "cards": [vars(card) for card in opened.cards],
    }


def table(frame: pd.DataFrame, chooses: str = "", values: Sequence = ()) -> dict:
    """A data frame for the page, with numbers in the digits that mean something.

    Parameters
    ----------
    frame : DataFrame
        Its first rows are shown.
    chooses : str
        The linked choice that a row sets, and `values`, what each row sets it to.
    """
    shown = frame.head(MOST_TABLE_ROWS)
    rows = [[cell(value) for value in row] for row in shown.itertuples(index=False)]
    return {
        "chooses": chooses,
        "values": list(values[: len(shown)]),
        "columns": list(shown.columns),
        "kinds": [_kind([row[k] for row in rows]) for k in range(shown.shape[1])],
        "rows": rows,
        "hidden": len(frame) - len(shown),
    }


def _kind(cells: list[str]) -> str:
    """The style of a column: numbers stand at the right, words at the left, and sentences are broken into lines."""
    if not any(_WORD.search(text) and not _NO_WORD.fullmatch(text) for text in cells):
        return ""
    return "dx-long" if max(map(len, cells)) > _LONG else "dx-words"


def cell(value) -> str:
    """One value of a table as text."""
    if getattr(value, "ndim", None) == 0:
        value = value.item()  # a loss comes as a tensor, a table's number as NumPy's
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, float):
        if math.isnan(value):
            return "n/a"
        return f"{value:.4f}" if 1e-3 <= abs(value) < 1e4 or value == 0 else f"{value:.3e}"
    return str(value)

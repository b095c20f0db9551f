"""Separation against depth, as curves."""

from __future__ import annotations

import numpy as np

from dyn_explorer import views

from ..layer_axis import layer_ticks
from .result import ClassesResult

MOST_TICKS = 12


def show_depth(view: views.Curves, result: ClassesResult, name: str, label: str) -> None:
    """Draw one measure of all layers beside its controls, where they are there."""
    x = np.arange(len(result.layers), dtype=float)
    curves = [] if result.controls is None else _control_curves(result, name, x)
    own = views.Curve("this model", x, _finite(result.values(name)), run=0, epochs=np.array(result.layers))
    ticks, x_label = _ticks(result.layers)
    view.update([*curves, own], x_label=x_label, y_label=label, cursor=float(result.place), ticks=ticks)


def _ticks(layers: tuple[str, ...]) -> tuple[list[tuple[float, str]], str]:
    """Names of the layers where there is room for them, else their numbers."""
    if named := layer_ticks(layers):
        return named, "layer"
    step = -(-len(layers) // MOST_TICKS)
    return [(float(k), str(k + 1)) for k in range(0, len(layers), step)], "number of the layer; the hover names it"


def _control_curves(result: ClassesResult, name: str, x: np.ndarray) -> list[views.Curve]:
    controls, layers = result.controls, np.array(result.layers)
    permuted, random = controls.permuted_values(name), controls.random_values(name)
    low, middle, high = np.quantile(_whole(permuted), [0.05, 0.5, 0.95], axis=0)
    random = _whole(random)
    curves = [
        views.Curve("permuted labels, 5 to 95 %", x, middle, low, high, is_null=True),
        views.Curve("channels", x, _finite(np.array([n[name] for n in controls.channel])), run=1, epochs=layers),
        views.Curve(
            "random bases", x, random.mean(axis=0), random.min(axis=0), random.max(axis=0), run=2, epochs=layers
        ),
    ]
    if controls.untrained is not None:
        values = _finite(np.array([numbers[name] for numbers in controls.untrained]))
        curves.append(views.Curve("untrained", x, values, run=3, epochs=layers))
    return curves


def _whole(draws: np.ndarray) -> np.ndarray:
    """Draws as rows; a layer where some draw is undefined has none."""
    return np.where(np.isfinite(draws).all(axis=0), draws, np.nan)


def _finite(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), values, np.nan)

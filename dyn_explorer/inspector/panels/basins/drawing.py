"""What the figures of the Basins panel show."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dyn_explorer import analysis, views

from .result import NAMES, BasinsResult
from .tables import sentence


def draw(shown: Mapping[str, views.View], result: BasinsResult) -> None:
    """Show everything that is known by now."""
    _show_curves(shown, result)
    _show_chosen(shown, result)
    _show_classes(shown, result)
    layers = result.layers
    overall = result.basins["weight"].half_width
    shown["layers"].update(list(layers), [basin.half_width for basin in layers.values()], overall=overall)
    if not layers:
        shown["layers"].clear()
    _show_path(shown, result)


def _show_curves(shown: Mapping[str, views.View], result: BasinsResult) -> None:
    for space in NAMES:
        basin = result.basins.get(space)
        if basin is None:
            shown[space].clear()
            shown[space].summary = sentence(result.reasons[space])
            continue
        null = result.nulls.get(space)
        shown[space].update(
            _curve(basin),
            threshold=basin.threshold,
            null=None if null is None else _curve(null),
            cursor=result.sigma if space == "sample" else None,
        )
        if basin.reason:
            shown[space].summary = sentence(basin.reason)


def _show_chosen(shown: Mapping[str, views.View], result: BasinsResult) -> None:
    chosen = result.chosen
    if chosen is None:
        shown["pictures"].clear()
        shown["plane"].clear()
        return
    pictures = [(noisy.caption, noisy.picture, noisy.right) for noisy in chosen.pictures]
    shown["pictures"].update(pictures)
    shown["plane"].update(chosen.plane.axis, chosen.plane.classes, radius=chosen.basin.half_width)


def _show_classes(shown: Mapping[str, views.View], result: BasinsResult) -> None:
    for space in NAMES:
        view, basin = shown[f"class_{space}"], result.basins.get(space)
        if basin is None or basin.search != "grid":
            view.clear()
            continue
        there = np.unique(basin.labels)
        known = result.class_names or ()
        names = [known[index] if index < len(known) else str(index) for index in there.tolist()]
        view.update(names, basin.class_half_widths[there], overall=basin.half_width)


def _show_path(shown: Mapping[str, views.View], result: BasinsResult) -> None:
    view = shown["path"]
    if not result.epochs:
        if result.run:
            view.clear()
            view.summary = "It comes in a moment."
        else:
            view.blank("There is no run here: open the model with history=dx.History(..., checkpoints=True).")
        return
    columns = zip(*((at.epoch, at.sample, at.weight, at.accuracy) for at in result.epochs), strict=True)
    view.update(*(np.array(column) for column in columns), chosen=result.epoch)


def _curve(basin: analysis.Basin) -> views.NoiseCurve:
    spread = basin.draw_accuracy.std(axis=1)
    return views.NoiseCurve(
        basin.sigmas, basin.accuracy, basin.accuracy - spread, basin.accuracy + spread, basin.half_width
    )

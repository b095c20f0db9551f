"""The controls of the Basins panel."""

from __future__ import annotations

from dyn_explorer.inspector.controls import grouped, menu, slider, stops

from ..base import Settings
from .options import CURSORS, POINTS, TARGETS
from .result import BasinsResult


def sidebar(settings: Settings, result: BasinsResult | None) -> list[dict]:
    """Every control, in two groups."""
    basin = None if result is None else result.basins["weight"]
    threshold = settings.threshold if basin is None else basin.threshold
    cursor = [(sigma, f"{sigma:g}") for sigma in CURSORS]
    shown = [
        slider("basins.threshold", "Threshold", 0.5 if threshold is None else round(threshold, 3), 0.02, 0.98, 0.01,
               "Accuracy at which a basin ends; one half in the paper."),
        stops("basins.sigma", "Noise σ of the pictures", settings.sigma, cursor, "In units of the inputs."),
        menu("basins.target", "Right is", settings.target, list(TARGETS)),
    ]  # fmt: skip
    epochs = settings.limits.epochs
    if epochs:
        places = [*((epoch, str(epoch)) for epoch in epochs), (None, "now")]
        shown.append(stops("epoch", "Epoch", settings.epoch, places, "Weights that are looked at."))
    measured = [
        slider("basins.images", "Inputs", settings.images, 1, 256, 1, "The first so many.", digits=0),
        slider("basins.draws", "Draws of noise", settings.draws, 1, 16, 1, "Per input and amplitude.", digits=0),
        slider("basins.seed", "Seed", settings.seed, 0, 99, 1, "Of the noise.", digits=0),
        menu("basins.points", "Amplitudes", settings.points, list(POINTS)),
    ]
    return [*grouped("Basins", shown), *grouped("Noise", measured)]

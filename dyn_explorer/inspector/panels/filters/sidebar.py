"""What the hand can move in the Filters panel."""

from __future__ import annotations

from dyn_explorer.inspector.controls import grouped, menu, slider, stops, toggle

from ..base import Settings
from .options import COMPARED, KINDS, ORDERS
from .result import FiltersResult


def sidebar(settings: Settings, result: FiltersResult | None) -> list[dict]:
    """Direction and weight, profiles, and how the table is sorted."""
    made = []
    if result is not None:
        places = [(k, str(k + 1)) for k in range(len(result.directions))]
        made.append(stops("filters.direction", "Direction", result.direction, places, "1 is the strongest."))
    if result is not None and result.parts:
        parts = [(part, part, "") for part in result.parts]
        made.append(menu("filters.part", "Weight", result.directions.weight.part, parts))
    hint = "Scale each output as the batch normalisation behind it does."
    made.append(toggle("filters.fold_batchnorm", "Fold batch norm", settings.fold_batchnorm, hint))
    hint = "An input that drives the direction further than those given; takes seconds for a large model."
    made.append(toggle("filters.make_image", "Make an image that drives it", settings.make_image, hint))
    profiles = [menu("filters.profile", "Neurons", settings.profile, list(KINDS))]
    if settings.profile != "off":
        hint = "Share of an input's summed scores that its influential neurons make up, with one more neuron."
        profiles += [
            slider("filters.tau", "Share τ", settings.tau, 0.01, 0.99, 0.01, hint),
            menu("filters.compare", "Compare", settings.compare, list(COMPARED)),
        ]
    return [
        *grouped("Directions", made),
        *grouped("Profiles", profiles),
        *grouped("Layer table", [menu("filters.order", "Sorted by", settings.order, list(ORDERS))]),
        *grouped("Signal map", [slider("filters.opacity", "Signal opacity", settings.opacity, 0, 1, 0.05)]),
    ]

"""What the hand can move in the Classes panel."""

from __future__ import annotations

from dyn_explorer.inspector.controls import grouped, menu, slider

from ..base import Settings
from .options import LABELS, POOL_MENU, RULE_MENU
from .result import ClassesResult


def sidebar(settings: Settings, result: ClassesResult | None) -> list[dict]:
    """How the hypergraph is made, s, and what is drawn of it."""
    made = [
        menu("classes.labels", "Classes", settings.labels, list(LABELS)),
        menu("classes.rule", "Rule", settings.rule, list(RULE_MENU)),
    ]
    if settings.rule == "quantile":
        hint = "Share of the images at each end of a direction."
        made.append(slider("classes.quantile", "Quantile", settings.quantile, 0.01, 0.5, 0.01, hint))
    else:
        hint = "Share of an image's summed signals that its leading directions make up."
        made.append(slider("classes.tau", "Share τ", settings.tau, 0.01, 0.9, 0.01, hint))
    most = "Strongest first; a layer may have fewer."
    made += [
        slider("classes.directions", "Directions", settings.directions, 1, 64, 1, most, digits=0),
        menu("classes.pool", "Over positions", settings.pool, list(POOL_MENU)),
    ]
    largest = 1 if result is None else max(1, int(result.found.hypergraph.sizes.max()))
    hint = "Images that two hyperedges must share to be joined."
    shown = min(settings.s, largest)
    share = "Share of a class's images that a hyperedge must hold to hold the class in the drawing of bands."
    drawn = [
        slider("classes.s", "Shared images s", shown, 1, largest, 1, hint, digits=0),
        slider("classes.theta", "Share θ", settings.theta, 0.01, 1, 0.01, share),
    ]
    return [*grouped("Hypergraph", made), *grouped("Components and bands", drawn)]

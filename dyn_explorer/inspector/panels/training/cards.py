"""The cards of the Training panel, in reading order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dyn_explorer.views import theme

from ..base import Card

MARKS = ("●", "▲", "■", "◆")
COLORS = (theme.STABLE, theme.GROWING, theme.DECAYING, theme.OUTSIDE)
LEGEND = (("●", theme.STABLE, "this run"),)

VOLATILITIES = (
    ("●", theme.STABLE, "index"),
    ("▲", theme.GROWING, "responses"),
    ("■", theme.DECAYING, "loss"),
    ("◆", theme.OUTSIDE, "accuracy"),
)
CARDS = (
    Card(
        "trend",
        "The metric from epoch to epoch",
        "Mean and spread over images and seeds.",
        half=True,
        legend=LEGEND,
    ),
    Card("against", "The metric against accuracy", "The same points; lines join epochs.", half=True, legend=LEGEND),
    Card("accuracy", "Accuracy", "As the training loop gave it.", half=True, legend=LEGEND),
    Card("loss", "Loss", "As the training loop gave it.", half=True, legend=LEGEND),
    Card(
        "integration",
        "Integration",
        "From the exponent of a detrended fluctuation analysis, 1 at its optimum; grey: 90 % of the null. "
        "The map is ours.",
        half=True,
        legend=LEGEND,
    ),
    Card(
        "metastability",
        "Metastability",
        "How much the agreement of phases varies, over what independent oscillators give (1); grey: 90 % of the null.",
        half=True,
        legend=LEGEND,
    ),
    Card(
        "index",
        "Stability index",
        "The mean of the two; weights are ours. Grey: 90 % of the null.",
        half=True,
        legend=LEGEND,
    ),
    Card(
        "volatility",
        "Volatility",
        "Standard deviation over five epochs, of the index beside those of loss, accuracy and the responses, of one "
        "run: only an index that comes to rest before these tells anything.",
        half=True,
        legend=VOLATILITIES,
    ),
    Card(
        "scalar",
        "Another measure",
        "Of another panel, or another number of the loop, as chosen at the left; grey is its null.",
        half=True,
        legend=LEGEND,
    ),
    Card("plane", "Integration and metastability", "The run as a path, epoch by epoch.", half=True, legend=LEGEND),
    Card(
        "order",
        "Agreement of phases",
        "Order parameter R; the ends, where phases err, are left out.",
        half=True,
        legend=LEGEND,
    ),
    Card("wheel", "Phases", "First oscillator dark, last light; the bar is their mean, of length R.", square=True),
)


def cards_of(names: Sequence[str]) -> tuple[Card, ...]:
    """The cards with the names of the runs in their legends."""
    legend = tuple(zip(MARKS, COLORS, names, strict=False))
    return tuple(replace(card, legend=legend) if card.legend is LEGEND else card for card in CARDS)

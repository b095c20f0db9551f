"""The figures of the Network panel, with what to know when reading them."""

from __future__ import annotations

from dyn_explorer.views import theme

from ..base import Card

NULL = ("▬", theme.NEUTRAL, "shuffled weights, ± 2 sd")
MODEL = ("●", theme.STABLE, "this model")
UNTRAINED = ("▲", theme.GROWING, "untrained copy")
CARDS = (
    Card("map", "The chosen nodes", "A picture per channel, one scale. Tap one to see its links below.", square=True),
    Card(
        "divergence",
        "Divergence between layers",
        "Jensen-Shannon, from histograms with 64 common bins; small layers look further apart than they are, by "
        "about 63 / (4 n ln 2) bits. Numbers are rows of the table, from 0. Tap a cell to choose its row.",
        square=True,
    ),
    Card(
        "distribution",
        "Distribution of strengths",
        "Of the chosen nodes, beside the same weights in random order and an untrained copy.",
        legend=(("■", theme.STABLE, "this model"), NULL, ("―", theme.DECAYING, "untrained copy")),
    ),
    Card(
        "depth",
        "Fluctuation against depth",
        "One mark per node layer, in the order of execution; rows of the table, from 0. Tap one to choose it.",
        legend=(MODEL, UNTRAINED, NULL),
    ),
    Card(
        "run",
        "Fluctuation against epoch",
        "Of the chosen nodes, at every epoch whose weights the history kept.",
        legend=(MODEL, NULL),
    ),
    Card(
        "graph",
        "The graph around the chosen nodes",
        "A column per node layer, a mark per channel, sized by mean strength within its column; lines are the "
        "strongest links of the chosen mark, as total weight per node of their target. Arcs above join the columns "
        "that a layer joins. Tap a mark.",
        wide=True,
        legend=(
            ("●", theme.GROWING, "positive"),
            ("■", theme.STABLE, "negative"),
            ("○", theme.SELECTED, "chosen"),
        ),
    ),
    Card(
        "ensemble",
        "Densities by accuracy",
        "All nodes (or weights) of a bin's networks pooled, from dark (low) to bright; one network per run and bin. "
        "Alike densities do not mean that weights carry no information.",
        half=True,
    ),
    Card(
        "bins",
        "Divergence between bins of accuracy",
        "Jensen-Shannon of the same pools; small pools look further apart than they are.",
        half=True,
    ),
)

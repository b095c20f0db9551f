"""The figures of the Filters panel."""

from __future__ import annotations

import numpy as np

from dyn_explorer import analysis, views
from dyn_explorer.views import theme

from ..base import Card, Settings
from . import patches, profile_figures, tiles
from .options import EXCITED, LEVEL, SUPPRESSED
from .result import Comparison, FiltersResult

CARDS = (
    Card(
        "spectrum",
        "Eigenvalues of the layer's weight",
        "Equal areas are equal shares. Dotted: the edge of the random bulk; triangles: spikes beyond it. Tap one.",
        half=True,
        legend=(
            ("■", theme.STABLE, "this layer"),
            ("■", theme.NEUTRAL, "shuffled"),
            ("━", theme.GROWING, "Marchenko-Pastur"),
            ("┅", theme.DECAYING, "power-law tail"),
        ),
    ),
    Card(
        "scree",
        "Singular values",
        "The grey band is the range over shuffled weights. Tap one of the strongest to choose it.",
        half=True,
        legend=(("●", theme.STABLE, "bulk"), ("▲", theme.GROWING, "spike"), ("■", theme.NEUTRAL, "shuffled")),
    ),
    Card(
        "directions",
        "Input patterns v, strongest first",
        "Red is positive, blue negative, each in its own scale; three channels are colours around grey. The "
        "strongest channels side by side. The number is σ. Tap one.",
        square=True,
    ),
    Card(
        "map",
        "The chosen direction's signal over the input",
        "u · (y − b) = σ v · patch at every position, red where the pattern is met, blue where its opposite is.",
        square=True,
    ),
    Card(
        "excite",
        "Inputs that drive it furthest, and furthest the other way",
        "Ringed: the place of the extreme in the layer's map, laid over the picture. Framed, and cut out below: the "
        "part of the input that it looks at, by kernels, strides, padding and dilation on the way, or, where those are "
        "not followed, the box around what has a gradient in eval mode. Below stands its size in pixels, or that it is "
        "the whole input; hatched is padding beyond the input. Tap one to choose the input.",
        wide=True,
    ),
    Card(
        "chosen",
        "The chosen direction",
        "What goes in, channel by channel, and what comes out, one square per channel. If asked for, an image made to "
        "drive it: waves within the range of the inputs, climbing the mean signal (128 steps of Adam, shifted a little "
        "at each; our choices).",
        half=True,
    ),
    Card(
        "links",
        "What feeds it, and what it feeds",
        f"From the weights alone: only links that {LEVEL:.0%} of random patterns do not reach are drawn; a few of "
        "so many pass by chance. Activation functions between the layers are left out. Tap a dot.",
        half=True,
        legend=(("●", theme.STABLE, "this layer"), ("●", theme.NEUTRAL, "its neighbours")),
    ),
    *profile_figures.CARDS,
)


def make_views() -> dict[str, views.View]:
    """A view per card."""
    strip = EXCITED + SUPPRESSED
    return {
        "spectrum": views.SpectrumDensity(),
        "scree": views.FilterScree(),
        "directions": views.TileGrid(5, 4, aspect=1.0, empty_text="No patterns to show."),
        "map": views.ModeImage(),
        "excite": views.TileGrid(strip, 2, aspect=strip / 2.44, empty_text="No inputs to show: they are no pictures."),
        "chosen": views.TileGrid(3, 1, aspect=1.8, empty_text="No direction to show.", grows=True),
        "links": views.DirectionGraph(),
        **profile_figures.make_views(),
    }


def draw(shown: dict[str, views.View], result: FiltersResult, settings: Settings) -> None:
    """Draw the layer and the chosen direction.

    Parameters
    ----------
    shown : dict of str to View
        As `make_views` made them.
    result : FiltersResult
    settings : Settings
        For the chosen input, the opacity and the profiles.
    """
    _draw_spectrum(shown["spectrum"], result)
    _draw_scree(shown["scree"], result)
    directions = result.directions
    shown["directions"].update(tiles.grid(result), selected=result.direction)
    shown[
        "directions"
    ].summary = (
        f"The {len(directions)} strongest of {len(directions.sigma)} input patterns; {result.direction + 1} is chosen."
    )
    shown["chosen"].update(tiles.chosen(result))
    shown["chosen"].summary = tiles.in_words(result)
    _draw_map(shown["map"], result, settings)
    _draw_excited(shown["excite"], result, settings.sample)
    if result.comparison is not None:
        _draw_links(shown["links"], result, result.comparison)
    profile_figures.draw(shown, result, settings)


def _draw_spectrum(view: views.SpectrumDensity, result: FiltersResult) -> None:
    spectrum = result.directions.spectrum
    if spectrum.fit is None:
        view.blank(f"No spectrum to compare with random matrices: {spectrum.reason}.")
        return
    rows, columns = result.directions.found.shape
    view.update(
        spectrum.fit,
        ratio=min(rows, columns) / max(rows, columns),
        shuffled=None if result.comparison is None else result.comparison.shuffled_eigenvalues,
        selected=result.direction,
    )


def _draw_scree(view: views.FilterScree, result: FiltersResult) -> None:
    directions = result.directions
    null = None if result.comparison is None else result.comparison.shuffled_eigenvalues
    view.update(
        directions.sigma,
        edge=directions.edge,
        shuffled=None if null is None else np.sqrt(null * max(directions.found.shape)),
        selected=result.direction,
    )


def _draw_map(view: views.ModeImage, result: FiltersResult, settings: Settings) -> None:
    signals = result.signals
    if signals is None:
        view.clear()
        view.summary = f"No signals: {result.signals_reason}"
        return
    picture = result.pictures.get(settings.sample) if signals.is_map else None
    view.update(signals.shown, picture=picture, opacity=settings.opacity, signed=True, entries="position or input")
    low, high = float(signals.shown.min()), float(signals.shown.max())
    over = "over this input" if signals.is_map else "one value per position or input"
    view.summary = f"Direction {result.direction + 1}, {over}: from {low:.3g} to {high:.3g}."


def _draw_excited(view: views.TileGrid, result: FiltersResult, sample: int) -> None:
    found = tiles.excited(result)
    if not found:
        view.blank("No inputs to show: they are no pictures.")
        return
    most, least = result.signals.most, result.signals.least
    samples = [each.sample for each in (*most, *least)]
    chosen = samples.index(sample) if sample in samples else None
    view.update([*found, *tiles.patches(result)], selected=chosen, columns=len(found))
    view.summary = (
        f"Input {most[0].sample} drives direction {result.direction + 1} furthest ({most[0].value:+.3g}), "
        f"input {least[0].sample} furthest the other way ({least[0].value:+.3g}).{_looks_at(result)}"
    )


def _looks_at(result: FiltersResult) -> str:
    """The part of the first input that is cut out, in words."""
    signals, box = result.signals, result.signals.most[0].box
    note = f" {signals.boxes_note}" if signals.boxes_note else ""
    if box is None:
        return note
    size = result.pictures[signals.most[0].sample].shape[:2]
    return f" Cut out of the first: {patches.in_words(box, size)}.{note}"


def _draw_links(view: views.DirectionGraph, result: FiltersResult, comparison: Comparison) -> None:
    found = comparison.neighbours
    links = [_drawable(part, found.sigmas[k + 1], found.sigmas[k]) for k, part in enumerate(found.synapses)]
    view.update(found.names, found.sigmas, links, chosen=found.chosen, selected=result.direction)
    if links:
        count = sum(part.drawn.size for part in links)
        view.summary += f" By chance about {(1 - LEVEL) * count:.1f} of {count} would be."


def _drawable(part: analysis.DirectionSynapses, right: np.ndarray, left: np.ndarray) -> views.Links:
    kept = slice(len(right)), slice(len(left))
    null = part.null_mean[kept]
    ratios = np.divide(part.strengths[kept], null, out=np.zeros_like(null), where=null > 0)
    return views.Links(part.strengths[kept], ratios, part.edges[kept])

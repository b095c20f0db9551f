"""The Classes panel: figures, controls and the code behind them."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from dyn_explorer import views
from dyn_explorer.inspector.jobs import Job
from dyn_explorer.inspector.source import Source
from dyn_explorer.inspector.state import InspectorState
from dyn_explorer.views import theme

from ..base import Card, Panel, Settings
from . import measure, tables
from .code import code
from .depth import show_depth
from .options import NO_LAYERS, ClassesOptions
from .result import ClassesResult
from .sidebar import sidebar

if TYPE_CHECKING:
    import pandas as pd

KEPT = 512
GRID = (5, 4)
LEGEND = (
    ("●", theme.STABLE, "singular directions"),
    ("▲", theme.GROWING, "channels"),
    ("■", theme.DECAYING, "random bases"),
    ("◆", theme.OUTSIDE, "untrained"),
    ("▬", theme.NEUTRAL, "permuted labels"),
)


class ClassesPanel(Panel):
    """Separation against depth, and the hypergraph of one layer."""

    key = "classes"
    title = "Classes"
    about = (
        "Images are vertices; each sign of a layer's strongest singular directions is a hyperedge that holds the "
        "images with the largest such signal. How far hyperedges keep to one class is the layer's separation. The "
        "paper (Praggastis et al., 2022) models class separation with hypergraphs over singular directions, and how "
        "is not public: this construction, its rules and its defaults are ours. Compare with the controls: the grey "
        "band is the same hypergraph with permuted labels; untrained networks separate too, because inputs of a "
        "class resemble each other; and channels or random bases may do as well as singular directions. Components "
        "over s rarely are the classes."
    )
    Options = ClassesOptions
    tap_chooses = "classes.edge"
    menus = MappingProxyType({})
    cards = (
        Card("purity", "Purity against depth", "Mean over hyperedges. Tap a layer.", half=True, legend=LEGEND),
        Card(
            "ratio",
            "Jaccard ratio against depth",
            "Shared hyperedges of two images, within classes over between. 1 is no separation. Tap a layer.",
            half=True,
            legend=LEGEND,
        ),
        Card(
            "incidence",
            "Incidence",
            "A cell where a hyperedge holds an image. Tap one to choose its hyperedge.",
            square=True,
            legend=(("■", theme.STABLE, "of the hyperedge's main class"), ("■", theme.GROWING, "of another class")),
        ),
        Card(
            "hulls",
            "Hyperedges as bands",
            "A hyperedge holds a class where it holds the share θ of its images; of 60 images or fewer, images are "
            "drawn instead of classes. Tap a square.",
            square=True,
            legend=(("●", theme.NEUTRAL, "class"), ("■", theme.STABLE, "hyperedge"), ("■", theme.SELECTED, "chosen")),
        ),
        Card("pairs", "Pairs of classes", "Mean Jaccard index of their images. Tap a pair to compare it."),
        Card(
            "bars",
            "Components over s",
            "Hyperedges that share s images are joined; blue bars are components at this s. Tap a bar.",
        ),
        Card("images", "Images of the hyperedge", "Largest weight first. Tap one to choose it everywhere."),
    )

    def __init__(self) -> None:
        super().__init__()
        self._known = measure.Hypergraphs(KEPT)

    def make_views(self) -> dict[str, views.View]:
        """A view per card."""
        return {
            "purity": views.Curves("layer"),
            "ratio": views.Curves("layer"),
            "incidence": views.IncidenceMatrix(),
            "hulls": views.HullGraph(),
            "pairs": views.ClassPairs(),
            "bars": views.ComponentBars(),
            "images": views.PictureGrid(*GRID, "This hyperedge holds no image."),
        }

    def layers_needed(self, settings: Settings, source: Source) -> tuple[str, ...]:
        """The chosen layer: what the inputs are is read from its recording."""
        return (settings.layer,)

    def compute(self, source: Source, state: InspectorState, settings: Settings, job: Job) -> ClassesResult:
        """A hypergraph for every layer, and the chosen one's parts."""
        read, layers = self._read(source, settings, job)
        state.limits.n_samples = len(source.recording.inputs)
        separation = tuple(self._known.numbers(read, name, 0, settings) for name in layers)
        place = measure.place_of(settings.layer, layers, source)
        found = self._known.of(read, layers[place], 0, settings)
        edge = min(settings.edge, found.hypergraph.n_edges - 1)
        images = _strongest_images(found, edge)
        n_classes = len(found.classes)
        class_names = tuple(source.class_name(label) for label in found.classes.tolist())
        return ClassesResult(
            layers=layers,
            separation=separation,
            place=place,
            found=found,
            gains=read.reader.bases[layers[place]][0].gains[: settings.directions],
            class_names=class_names,
            s=min(settings.s, max(1, int(found.hypergraph.sizes.max()))),
            edge=edge,
            pair=divmod(settings.pair, n_classes) if 0 <= settings.pair < n_classes**2 else None,
            sample=settings.sample,
            images=images,
            pictures=tuple(source.picture(image) for image in images[: GRID[0] * GRID[1]]),
            drawing=measure.drawing_of(found, class_names, settings.theta),
        )

    def _read(self, source: Source, settings: Settings, job: Job) -> tuple[measure.Reading, tuple[str, ...]]:
        if source.recording is None:
            source.record(self.layers_needed(settings, source), job)
        layers = measure.readable_layers(source)
        recording, reader = source.signals(layers, ("svd",), settings.pool, job)
        labels = measure.class_labels(recording, settings.labels)
        return measure.Reading(recording, reader, labels, (settings.labels, recording.revision)), layers

    def refine(self, source: Source, result: ClassesResult, settings: Settings, job: Job) -> ClassesResult:
        """The bands and controls."""
        read, layers = self._read(source, settings, job)
        return replace(result, controls=measure.controls(source, read, layers, self._known, settings, job))

    def show(self, result: ClassesResult, settings: Settings) -> None:
        """Draw everything."""
        show_depth(self.views["purity"], result, "purity", "mean purity")
        show_depth(self.views["ratio"], result, "jaccard_ratio", "Jaccard ratio")
        found = result.found
        names = found.edge_names()
        self.views["incidence"].update(
            found.weights.toarray(),
            found.codes,
            result.class_names,
            names,
            incidence=found.incidence.toarray(),
            selected=result.edge,
        )
        self.views["pairs"].update(
            found.class_jaccard, result.class_names, label="Mean Jaccard index", selected=result.pair
        )
        drawing = result.drawing
        self.views["hulls"].update(drawing.edges, drawing.names, names, what=drawing.what, selected=result.edge)
        self.views["bars"].update(found.hypergraph.barcode, names, s=result.s, selected=result.edge)
        captions = [result.class_names[found.codes[image]] for image in result.images]
        hidden = [None] * (len(result.images) - len(result.pictures))
        self.views["images"].update(
            [*result.pictures, *hidden],
            captions,
            rows=result.images,
            title=f"Images of {names[result.edge]}",
            selected=result.sample,
        )

    def controls(self, settings: Settings, result: ClassesResult | None) -> list[dict]:
        """How the hypergraph is made, and s."""
        return sidebar(settings, result)

    def numbers(self, result: ClassesResult) -> list[dict]:
        """What the figures rest on."""
        return tables.numbers(result)

    def metrics(self, result: ClassesResult) -> dict:
        """Every measure beside its controls."""
        return tables.metrics(result)

    def meaning(self, result: ClassesResult) -> str:
        """What vertices and hyperedges are here."""
        signs = "both signs of " if result.found.sign.any() else ""
        return f"Vertices are images, hyperedges {signs}the strongest singular directions of {result.layer}"

    def table(self, result: ClassesResult) -> pd.DataFrame:
        """One row per hyperedge."""
        return tables.edges(result)

    def taps(self, result: ClassesResult, row_values: list) -> dict[str, tuple[str, list]]:
        """Layers in the curves, pairs in the heat map, images in the grid, hyperedges elsewhere."""
        layers = list(result.layers)
        # A hyperedge is one end of a direction, so the Filters panel is to show that direction too.
        both = f"{self.tap_chooses},filters.direction"
        edges = [(edge, int(result.found.direction[edge])) for edge in row_values]
        return {
            "purity": ("layer", layers),
            "ratio": ("layer", layers),
            "incidence": (both, edges),
            "hulls": (both, edges),
            "pairs": ("classes.pair", range(len(result.class_names) ** 2)),
            "bars": (self.tap_chooses, row_values),
            "images": ("sample", range(result.found.hypergraph.n_vertices)),
        }

    def code(self, settings: Settings, source: Source) -> str:
        """The view's numbers without the widget."""
        layers = measure.layers_with_directions(source)
        if not layers:
            return f"# {NO_LAYERS}"
        return code(settings, source, layers, layers[measure.place_of(settings.layer, layers, source)])


def _strongest_images(found, edge: int) -> np.ndarray:
    """Images of a hyperedge, of largest weight first."""
    column = found.weights.tocsc()[:, [edge]].tocoo()
    return column.row[np.argsort(-column.data, kind="stable")]

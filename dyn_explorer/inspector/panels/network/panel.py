"""The Network panel: figures, controls and the code behind them."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from dyn_explorer import views
from dyn_explorer.errors import DynExplorerError
from dyn_explorer.inspector.controls import grouped, menu, stops, toggle
from dyn_explorer.inspector.jobs import Job
from dyn_explorer.inspector.recorder import Memo
from dyn_explorer.inspector.source import Source
from dyn_explorer.inspector.state import InspectorState

from ..base import Panel, Settings
from . import tables
from .cards import CARDS
from .code import code
from .data import over_data
from .figures import draw_depth, draw_distribution, draw_many, draw_run
from .many import many, table_of
from .measure import Kept, as_maps, comparison, measured, place_of, weight_divergence
from .options import COMPARED, ENSEMBLES, MEASURES, PADDINGS, SHOWN, SIGNS, NetworkOptions, options_of
from .picture import node_name, picture
from .result import NetworkResult, OverData

if TYPE_CHECKING:
    import pandas as pd

WHILE_TRAINING = (
    "The graph is made of the weights, which a training loop is changing now: press Refresh once training is over. A "
    "history with checkpoints shows every epoch then."
)
KEPT = 2  # graphs; those of large models are hundreds of MB


class NetworkPanel(Panel):
    """Strength maps, their distribution and fluctuation, divergence between layers, and the graph itself."""

    key = "network"
    title = "Network"
    about = (
        "Neurons are nodes and weights are links; a kernel counts once per position. The strength of a node is the sum "
        "of its links in, its bias among them, and of its links out; inputs and outputs have one of weight 1 more. Y "
        "is the standard deviation of the strengths of a node layer: read it beside the same weights in random order. "
        "The untrained copy begins as PyTorch begins its layers, perhaps not as this model did. Part of what training "
        "does is forced by the loss: plain gradient descent conserves what leads out of each last hidden neuron. "
        "Strengths are not summed across what has no fixed links (pooling by maximum, attention): the table says "
        "where. After the public code of La Malfa et al. (2021), its padding and flattening corrected; sums of "
        "branches, folding, bins and nulls are our choices."
    )
    Options = NetworkOptions
    tap_chooses = "layer"
    menus = MappingProxyType({})
    cards = CARDS

    def __init__(self) -> None:
        super().__init__()
        self._graphs = Memo(KEPT)
        self._measured = Memo(KEPT)
        self._kept = Kept()
        self._over_data: OverData | None = None

    def make_views(self) -> dict[str, views.View]:
        """A view per card."""
        return {
            "map": views.StrengthMaps(),
            "divergence": views.DivergenceMap(named=True),
            "distribution": views.Distribution(),
            "depth": views.Curves("nodes"),
            "run": views.Curves(),
            "graph": views.NodeGraph(),
            "ensemble": views.Densities(),
            "bins": views.DivergenceMap("bin"),
        }

    def layers_needed(self, settings: Settings, source: Source) -> tuple[str, ...]:
        """The chosen layer: it is read for the inputs and the order of execution."""
        return (settings.layer,)

    def compute(self, source: Source, state: InspectorState, settings: Settings, job: Job) -> NetworkResult:
        """Follow the model once, sum its links, and choose."""
        revision = (source.recording or source.record((settings.layer,), job)).revision
        key = (revision, settings.fold_bn)
        if source.held and key not in self._graphs:
            raise DynExplorerError(WHILE_TRAINING)
        graph = self._graphs.get(key, lambda: source.layer_graph(source.model, fold_bn=settings.fold_bn, job=job))
        options = options_of(settings)
        found = self._measured.get((key, *options.values()), lambda: measured(graph, options))
        place, why = place_of(graph, settings.layer, list(source.layers))
        for note in (*graph.notes, *([why] if why else [])):
            job.note(note)
        strengths = graph.strength(place, **options).numpy()
        data = None if settings.shown == "strength" else over_data(source, graph, place, settings.shown, job)
        self._over_data = data
        names, rows, divergence = tuple(n.name for n in graph.nodes), list(range(len(graph.nodes))), found.divergence
        if settings.compare == "weights":
            divergence, names, rows = weight_divergence(graph)
        known = [name for name, info in source.layers.items() if info.disabled_because is None]
        return NetworkResult(
            measured=found,
            place=place,
            strengths=strengths,
            data=data,
            maps=as_maps(strengths if data is None else data.mean, graph.nodes[place]),
            divergence=divergence,
            compared=names,
            compared_rows=tuple(rows),
            choices=tables.choices(graph, known, settings.layer),
            picture=picture(found, place, settings.node),
            epoch=source.epoch,
        )

    def refine(self, source: Source, result: NetworkResult, settings: Settings, job: Job) -> NetworkResult:
        """Shuffled weights, the untrained copy, and the run."""
        key = (source.recording.revision, settings.fold_bn, *options_of(settings).values())
        found = comparison(source, result.graph, result.place, settings, self._kept, key, job)
        if settings.ensemble == "none":
            return replace(result, comparison=found)
        source.check_free()
        history = None if source.history is None else source.history.checkpoint_epochs
        networks = (settings.ensemble, history, settings.fold_bn, *options_of(settings).values())
        return replace(
            result, comparison=found, many=self._kept.many.get(networks, lambda: many(source, settings, job))
        )

    def show(self, result: NetworkResult, settings: Settings) -> None:
        """Draw what is known so far."""
        drawn = result.picture
        column = drawn.selected[0] if drawn.selected else -1
        is_here = bool(drawn.columns) and drawn.columns[column].name == result.name
        signed = settings.sign == "signed" or result.data is not None
        self.views["map"].update(result.maps, selected=drawn.selected[1] if is_here else None, signed=signed)
        self.views["graph"].update(drawn.columns, drawn.joins, drawn.strands, selected=drawn.selected)
        selected = result.place if result.place in result.compared_rows else None
        self.views["divergence"].update(
            result.divergence, result.compared, numbers=result.compared_rows, selected=selected
        )
        draw_distribution(self.views["distribution"], result)
        draw_depth(self.views["depth"], result, settings.measure)
        draw_run(self.views["run"], result, settings.measure)
        draw_many(self.views["ensemble"], self.views["bins"], result, settings)

    def controls(self, settings: Settings, result: NetworkResult | None) -> list[dict]:
        """How links count, what is drawn, and the epoch."""
        links = [
            menu("network.sign", "Links", settings.sign, list(SIGNS)),
            menu("network.padding", "Padding", settings.padding, list(PADDINGS)),
            toggle("network.bias", "Biases are links", settings.bias, "A bias counts as a link into its node."),
            toggle(
                "network.boundary", "Boundary links", settings.boundary,
                "Inputs have one link of weight 1 in, outputs one out, as in the published code.",
            ),
            toggle(
                "network.fold_bn", "Fold BatchNorm", settings.fold_bn,
                "BatchNorm in eval mode multiplies the weights right before it; off, it is an activation like others.",
            ),
        ]  # fmt: skip
        shown = [
            menu("network.shown", "Pictures of", settings.shown, list(SHOWN)),
            menu("network.measure", "Fluctuation", settings.measure, list(MEASURES)),
            menu("network.compare", "Divergence of", settings.compare, list(COMPARED)),
            menu("network.ensemble", "Accuracy bins", settings.ensemble, list(ENSEMBLES)),
        ]
        if settings.limits.epochs:
            places = [*((epoch, str(epoch)) for epoch in settings.limits.epochs), (None, "now")]
            shown.append(stops("epoch", "Epoch", settings.epoch, places, "Where the weights of an epoch were kept."))
        return [*grouped("Links", links), *grouped("Figures", shown)]

    def numbers(self, result: NetworkResult) -> list[dict]:
        """What the figures rest on."""
        return tables.numbers(result)

    def metrics(self, result: NetworkResult) -> dict | None:
        """Fluctuation by accuracy, where networks were asked for."""
        return None if result.many is None else table_of(result.name, result.many)

    def meaning(self, result: NetworkResult) -> str:
        """Whose strengths are shown."""
        nodes = result.graph.nodes[result.place]
        sides = [side for side, why in (("in", nodes.open_in), ("out", nodes.open_out)) if not why]
        known = "links in and out" if len(sides) == 2 else f"links {sides[0]} only" if sides else "some links"
        return f"The {nodes.size:,} nodes that {result.name} puts out: {known}"

    def table(self, result: NetworkResult) -> pd.DataFrame:
        """One row per node layer, then the layers without links."""
        return tables.node_layers(result)

    def row_values(self, result: NetworkResult, count: int) -> list:
        """The layer of each row; rows of layers without links name them, so that the header says why."""
        others = self.table(result)["nodes"].tolist()[len(result.choices) : count]
        return [*result.choices, *others]

    def taps(self, result: NetworkResult, row_values: list) -> dict[str, tuple[str, list]]:
        """Marks of the graph and pictures choose a node, all others a layer."""
        layers = ("layer", row_values)
        maps = [node_name(result.name, channel, result.name) for channel in range(len(result.maps))]
        epochs = [] if result.comparison is None or result.comparison.run is None else result.comparison.run.epochs
        return {
            "map": ("network.node", maps),
            "graph": ("network.node", list(result.picture.nodes)),
            "divergence": layers,
            "depth": layers,
            "run": ("epoch", [int(epoch) for epoch in epochs]),
        }

    def code(self, settings: Settings, source: Source) -> str:
        """The view's numbers without the widget."""
        return code(settings, source, self._over_data)

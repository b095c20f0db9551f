"""The Network panel in digits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dyn_explorer import analysis
from dyn_explorer.analysis import LayerGraph

from ..dynamics.tables import number
from .options import SHUFFLES
from .picture import open_note
from .result import NetworkResult

if TYPE_CHECKING:
    import pandas as pd

WITHOUT_LINKS = "it acts on each node by itself"


def node_layers(result: NetworkResult) -> pd.DataFrame:
    """One row per node layer, then one per layer that has no links, with the reason; activations are left out."""
    import pandas as pd

    measured, found, graph = result.measured, result.comparison, result.graph
    told = {nodes.name for nodes in graph.nodes}
    others = {n: why for n, why in graph.reasons.items() if n not in told and not why.startswith(WITHOUT_LINKS)}
    nothing, more = np.full(len(graph.nodes), np.nan), np.full(len(others), np.nan)
    null = nothing if found is None else found.mean
    untrained = nothing if found is None or found.untrained is None else found.untrained
    numbers = {
        "weight sd": np.array([_weight_sd(graph, place) for place in range(len(graph.nodes))]),
        "mean strength": measured.mean,
        "Y": measured.fluctuation,
        "shuffled": null,
        "shuffled sd": nothing if found is None else found.sd,
        "ratio": ratio(measured.fluctuation, null),
        "untrained": untrained,
    }
    blank = [""] * len(others)
    return pd.DataFrame(
        {
            "nodes": [*(nodes.name for nodes in graph.nodes), *others],
            "shape": [*(" × ".join(map(str, nodes.shape)) for nodes in graph.nodes), *blank],
            "links in": [*(_names(graph.into(place)) for place in range(len(graph.nodes))), *blank],
            **{name: np.concatenate([values, more]) for name, values in numbers.items()},
            "not known": [*(open_note(nodes) for nodes in graph.nodes), *others.values()],
        }
    )


def choices(graph: LayerGraph, known: list[str], current: str) -> tuple[str, ...]:
    """The layer of the model that each row of the table chooses; what is no layer chooses what is chosen."""
    names = [nodes.name for nodes in graph.nodes]
    return tuple(name if name in known else current for name in names)


def ratio(values: np.ndarray, null: np.ndarray) -> np.ndarray:
    """Fluctuation over its null; nan where shuffled weights do not fluctuate."""
    null = np.asarray(null, float)
    return np.divide(values, null, out=np.full(len(values), np.nan), where=null > 0)


def _names(links: list) -> str:
    return ", ".join(link.name for link in links)


def _weight_sd(graph: LayerGraph, place: int) -> float:
    values = [analysis.link_weights(link.layer.weight).values for link in graph.into(place) if link.layer is not None]
    return float(np.concatenate(values).std()) if values else float("nan")


def numbers(result: NetworkResult) -> list[dict]:
    """What the figures rest on."""
    graph = result.graph
    nodes = graph.nodes[result.place]
    weighted = [link for link in graph.links if link.layer is not None]
    open_ends = sum(bool(layer.open_in) + bool(layer.open_out) for layer in graph.nodes)
    y = result.measured.fluctuation[result.place]
    made = [
        number("nodes", result.name, open_note(nodes) or "All links of these nodes are known."),
        number("shape", " × ".join(map(str, nodes.shape)), f"{nodes.size:,} nodes."),
        number("Y", f"{y:.4g}", "Population standard deviation of their strengths; no standard disparity."),
    ]
    if result.comparison is not None:
        null, sd = result.comparison.mean[result.place], result.comparison.sd[result.place]
        made.append(
            number("shuffled", f"{null:.4g} ± {sd:.2g}", f"Mean and sd of {SHUFFLES} orders of the same weights.")
        )
    return [
        *made,
        number("layers", str(len(weighted)), "Layers with links: convolutions, matrices, average pooling."),
        number("open", str(open_ends), "Sides of node layers where links have no fixed weight; see the table."),
    ]

"""Class hypergraphs against HyperNetX, XGI and plain loops, the panel's answer to the hand, and class separation.

python benchmarks/classes.py    # about a minute on one core

HyperNetX is measured where it is installed; it needs pandas below 3, so that is an environment of its own.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial

import networkx as nx
import numpy as np
import xgi

import dyn_explorer as dx
from dyn_explorer import analysis
from dyn_explorer.inspector.jobs import Job
from dyn_explorer.inspector.panels import ClassesPanel, Settings
from dyn_explorer.inspector.source import Source
from dyn_explorer.inspector.state import InspectorState, Limits

try:
    import hypernetx
    from hypernetx import algorithms as hypernetx_algorithms
except ImportError:
    hypernetx = None

IMAGES, DIRECTIONS, FILLED = 2000, 256, 0.05
LAYERS = ("conv1", "conv2", "conv3", "head")
S = 10


def median_seconds(work: Callable[[], object], repeats: int) -> float:
    """Median wall time of one call, after one that is not counted."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


# ---------------------------------------------------------------- the other side


def loop_build(signals: np.ndarray, count: int) -> dict[str, set[int]]:
    """Hyperedges as sets, one direction after the other."""
    edges = {}
    for direction, column in enumerate(signals.T):
        order = sorted(range(len(column)), key=column.__getitem__)
        edges[f"+{direction}"], edges[f"-{direction}"] = set(order[-count:]), set(order[:count])
    return edges


def loop_components(edges: dict[str, set[int]], s: int) -> list[set[str]]:
    """Components of the line graph, pair by pair."""
    graph, names = nx.Graph(), list(edges)
    graph.add_nodes_from(names)
    for place, first in enumerate(names):
        graph.add_edges_from((first, second) for second in names[:place] if len(edges[first] & edges[second]) >= s)
    return list(nx.connected_components(graph))


def xgi_components(edges: dict[str, set[int]], s: int) -> list[set[str]]:
    """XGI's line graph, and networkx."""
    return list(nx.connected_components(xgi.to_line_graph(xgi.Hypergraph(edges), s=s)))


def hypernetx_components(edges: dict[str, set[int]], s: int) -> list[set[str]]:
    """HyperNetX's, without what it remembers of an earlier call."""
    made = hypernetx.Hypergraph(edges)
    start = time.perf_counter()
    found = list(made.s_connected_components(s=s, edges=True, return_singletons=True))
    hypernetx_components.seconds = time.perf_counter() - start
    return found


def our_components(found: analysis.ClassHypergraph) -> np.ndarray:
    """Components with the overlaps computed anew."""
    return analysis.Hypergraph(found.incidence).s_components(S)


def print_speed() -> None:
    """Print the times of both sides on the same signals."""
    rng = np.random.default_rng(0)
    signals, labels = rng.standard_normal((IMAGES, DIRECTIONS)), rng.integers(0, 10, IMAGES)
    build = partial(analysis.class_hypergraph, signals, labels, quantile=FILLED)
    found = build()
    edges = loop_build(signals, round(FILLED * IMAGES))
    print(f"{IMAGES} images x {found.hypergraph.n_edges} hyperedges, {FILLED:.0%} filled")
    ours = median_seconds(build, 15)
    print(f"  build      dyn_explorer, signals to hypergraph {1e3 * ours:8.1f} ms")
    _print_peer("plain loop, signals to sets", median_seconds(lambda: loop_build(signals, 100), 3), ours)
    _print_peer("XGI, sets to hypergraph", median_seconds(lambda: xgi.Hypergraph(edges), 3), ours)
    if hypernetx is not None:
        _print_peer(
            f"HyperNetX {hypernetx.__version__}, sets to hypergraph",
            median_seconds(lambda: hypernetx.Hypergraph(edges), 3),
            ours,
        )
    ours = median_seconds(lambda: our_components(found), 15)
    print(f"  s-components of hyperedges, s = {S}   dyn_explorer {1e3 * ours:8.1f} ms")
    _print_peer("plain loop", median_seconds(lambda: loop_components(edges, S), 1), ours)
    _print_peer("XGI's line graph", median_seconds(lambda: xgi_components(edges, S), 1), ours)
    if hypernetx is not None:
        times = []
        for _ in range(3):
            theirs = hypernetx_components(edges, S)
            times.append(hypernetx_components.seconds)
        _print_peer("HyperNetX", statistics.median(times), ours)
        print(f"  the same components as HyperNetX: {_groups(found, S) == {frozenset(map(str, c)) for c in theirs}}")
    print(f"  the same components as the loop: {_groups(found, S) == set(map(frozenset, loop_components(edges, S)))}")


def _print_peer(name: str, seconds: float, ours: float) -> None:
    print(f"    {name:40s} {1e3 * seconds:9.1f} ms   ratio {seconds / ours:7.1f}")


def _groups(found: analysis.ClassHypergraph, s: int) -> set[frozenset[str]]:
    labels, names = found.s_components(s), found.edge_names()
    return {frozenset(names[k] for k in np.flatnonzero(labels == label)) for label in np.unique(labels)}


# ---------------------------------------------------------------- the same numbers


def print_agreement() -> None:
    """Print the largest difference of every measure that HyperNetX offers, on random and on digits hypergraphs."""
    if hypernetx is None:
        print("HyperNetX is not installed here: nothing to agree with")
        return
    rng = np.random.default_rng(1)
    images, labels = dx.demo.digits("test")
    cases = [
        analysis.class_hypergraph(rng.standard_normal((80, 8)), rng.integers(0, 4, 80), **options)
        for options in ({"quantile": 0.1}, {"quantile": 0.25})
    ]
    signals = signals_of(dx.demo.load("trained"), images[:120], "svd")
    cases += [analysis.class_hypergraph(signals[name], labels[:120]) for name in LAYERS]
    worst: dict[str, float] = {}
    for found in cases:
        for name, difference in _differences(found).items():
            worst[name] = max(worst.get(name, 0.0), difference)
    print(f"largest difference from HyperNetX over {len(cases)} hypergraphs, s = 1 to 6")
    for name, difference in worst.items():
        print(f"  {name:28s} {difference:.1e}")


def _differences(found: analysis.ClassHypergraph) -> dict[str, float]:
    theirs, graph, names = found.to_hypernetx(), found.hypergraph, found.edge_names()
    held = set(theirs.nodes)
    parts = [{i for i in np.flatnonzero(found.codes == c).tolist() if i in held} for c in range(len(found.classes))]
    kinds = ("linear", "majority", "strict")
    weights = {kind: getattr(hypernetx_algorithms, kind) for kind in kinds}
    result = {
        "modularity": max(
            abs(found.modularity(kind) - hypernetx_algorithms.modularity(theirs, parts, weights[kind]))
            for kind in kinds
        ),
        "conductance": max(
            abs(found.conductance("cut")[c] - hypernetx_algorithms.conductance(theirs, part))
            for c, part in enumerate(parts)
            if part
        ),
    }
    n = graph.n_edges
    for s in range(1, 7):
        line = theirs.get_linegraph(s=s, edges=True)
        steps = np.full((n, n), np.inf)
        place = {name: k for k, name in enumerate(names)}
        for source, lengths in nx.all_pairs_shortest_path_length(line):
            for target, length in lengths.items():
                steps[place[str(source)], place[str(target)]] = length
        ours = graph.s_distance(s)
        same = (np.isinf(ours) == np.isinf(steps)).all()
        components = {
            frozenset(map(str, c)) for c in theirs.s_connected_components(s=s, edges=True, return_singletons=True)
        }
        between = hypernetx_algorithms.s_betweenness_centrality(theirs, s=s)
        close = hypernetx_algorithms.s_closeness_centrality(theirs, s=s)
        harmonic = hypernetx_algorithms.s_harmonic_centrality(theirs, s=s, normalized=False)
        for name, difference in (
            ("s-components", 0.0 if components == _groups(found, s) else np.inf),
            ("s-distance", np.abs(ours[np.isfinite(ours)] - steps[np.isfinite(ours)]).max() if same else np.inf),
            ("s-betweenness", _largest(graph.s_betweenness(s), between, names)),
            ("s-closeness", _largest(graph.s_closeness(s), close, names)),
            ("s-harmonic, not normalised", _largest(graph.s_harmonic(s) * (n - 1), harmonic, names)),
        ):
            result[name] = max(result.get(name, 0.0), float(difference))
    return result


def _largest(ours: np.ndarray, theirs: dict, names: tuple[str, ...]) -> float:
    named = {str(name): value for name, value in theirs.items()}
    return max(abs(value - named[name]) for value, name in zip(ours, names, strict=True))


# ---------------------------------------------------------------- the panel


def print_panel(images: int = 1000) -> None:
    """Print the kernel time from a change of an option to the figures."""
    inputs, labels = dx.demo.digits("train")
    source = Source(dx.demo.load("trained"), inputs[:images], labels[:images], most_inputs=images)
    panel, state = ClassesPanel(), InspectorState(limits=Limits(), layer="conv3")
    panel.open()

    def follow() -> None:
        options = {name: getattr(panel.options, name) for name in panel.options.trait_names()}
        settings = Settings(state.choices(), options, state.limits)
        panel.show(panel.compute(source, state, settings, Job(lambda _job: None)), settings)

    follow()
    print(f"Classes panel, {images} images, {len(LAYERS)} layers, 32 hyperedges each: kernel time to the figures")
    for option, values in (("quantile", np.linspace(0.05, 0.3, 11)), ("s", range(2, 13)), ("edge", range(11))):
        times = []
        for value in values:
            setattr(panel.options, option, value)
            start = time.perf_counter()
            follow()
            times.append(time.perf_counter() - start)
        print(f"  {option:10s} median {1e3 * statistics.median(times):6.1f} ms   largest {1e3 * max(times):6.1f} ms")


# ---------------------------------------------------------------- separation


def signals_of(model, images, kind: str, pool: str = "mean", seed: int = 0) -> dict[str, np.ndarray]:
    """Signals of each layer along the first 16 directions of a basis."""
    reader = dx.capture.SignalReader(model, LAYERS, kinds=(kind,), pool=pool, directions=16, seed=seed)
    recording = dx.record(model, images, layers=LAYERS, reduce=reader)
    return {name: reader.signals(recording, name) for name in LAYERS}


def separations(model, images, labels, kind: str = "svd", **options) -> list[analysis.ClassHypergraph]:
    """The hypergraph of each layer."""
    signals = signals_of(model, images, kind, **options)
    return [analysis.class_hypergraph(signals[name], labels) for name in LAYERS]


def print_separation(pool: str) -> None:
    """Print purity and Jaccard ratio by layer over the seeds of the bundled runs, with their controls."""
    images, labels = dx.demo.digits("test")
    models = {
        "untrained": [_at(dx.demo.history("true", seed), 0) for seed in dx.demo.RUN_SEEDS],
        "true labels": [_at(dx.demo.history("true", seed), 120) for seed in dx.demo.RUN_SEEDS],
        "shuffled labels": [_at(dx.demo.history("shuffled", seed), 120) for seed in dx.demo.RUN_SEEDS],
    }
    rows = {name: [separations(m, images, labels, pool=pool) for m in made] for name, made in models.items()}
    for kind in ("channel", "random"):
        rows[f"true labels, {kind} basis"] = [
            separations(model, images, labels, kind, pool=pool, seed=seed)
            for seed, model in enumerate(models["true labels"])
        ]
    nulls = [[analysis.separation_null(found) for found in run] for run in rows["true labels"]]
    for name in dx.demo.CHECKPOINTS:
        rows[f"checkpoint {name}"] = [separations(dx.demo.load(name), images, labels, pool=pool)]
    for measure in ("purity", "jaccard_ratio"):
        print(
            f"{measure}, pooled by {pool}, 360 test images, 16 directions, quantile 0.1: mean [least, most] over seeds"
        )
        print(f"  {'':28s}" + "".join(f"{layer:>22s}" for layer in LAYERS))
        for name, runs in rows.items():
            _print_row(name, np.array([[analysis.separation(found)[measure] for found in run] for run in runs]))
        drawn = np.concatenate([np.stack([null.values[measure] for null in run], axis=1) for run in nulls])
        _print_row("true labels, labels permuted", np.quantile(drawn, [0.05, 0.95], axis=0))
    grows = {
        name: [bool((np.diff([found.mean_purity for found in run]) > 0).all()) for run in runs]
        for name, runs in rows.items()
    }
    print("  purity grows from every layer to the next, by seed:")
    for name, verdicts in grows.items():
        print(f"    {name:28s} {verdicts}")


def _at(history: dx.History, epoch: int):
    return dx.capture.copy_with(dx.demo.small_cnn(), history.state(epoch), f"epoch {epoch}")


def _print_row(name: str, values: np.ndarray) -> None:
    cells = (f"{v.mean():.2f} [{v.min():.2f}, {v.max():.2f}]" for v in values.T)
    print(f"  {name:28s}" + "".join(f"{cell:>22s}" for cell in cells))


if __name__ == "__main__":
    print_speed()
    print_agreement()
    print_panel()
    for pooling in ("mean", "signed_max"):
        print_separation(pooling)

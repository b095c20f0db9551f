"""Python that rebuilds a view of the Network panel."""

from __future__ import annotations

from dyn_explorer.inspector.recorder import SEED
from dyn_explorer.inspector.source import Source

from ..base import Settings
from .options import EDGES, EPOCH_SHUFFLES, SCORES, SHUFFLES, options_of
from .result import OverData


def code(settings: Settings, source: Source, data: OverData | None) -> str:
    """Lines that need only ``model`` and ``inputs``, and ``history`` where an epoch is chosen."""
    device = "" if source.device is None else f", device={str(source.device)!r}"
    read = f"fold_bn={settings.fold_bn}, seed={SEED}{device}"
    looked_at = "model"
    lines = ["import dyn_explorer as dx", ""]
    if source.epoch is not None:
        looked_at = "then"
        label = f"epoch {source.epoch}"
        lines.append(f"then = dx.capture.copy_with(model, {source.history_code}.state({source.epoch}), {label!r})")
    given = ", ".join(f"{name}={value!r}" for name, value in options_of(settings).items())
    return "\n".join(
        [
            *lines,
            f"graph = dx.capture.layer_graph({looked_at}, inputs, {read})",
            f"options = dict({given})",
            "strengths = graph.strengths(**options)",
            "fluctuation = dx.analysis.layer_fluctuation(strengths)",
            f"null = dx.analysis.strength_null(graph, shuffles={SHUFFLES}, seed={SEED}, **options)",
            f"fresh = dx.capture.layer_graph(dx.capture.untrained_copy(model, seed={SEED}), inputs, {read})",
            "untrained = dx.analysis.layer_fluctuation(fresh.strengths(**options))",
            *_divergence(settings.compare),
            *_over_data(data, source, looked_at, device),
            *_ensemble(settings, source, read),
        ]
    )


def _over_data(data: OverData | None, source: Source, model: str, device: str) -> list[str]:
    if data is None:
        return []
    record = f"dx.record({model}, inputs, layers={data.layer!r}, max_samples={source.most_inputs}, seed={SEED}{device})"
    return [
        f"outputs = {record}.activations[{data.layer!r}][:{data.inputs}]",
        "neurons = dx.analysis.neuron_strength(outputs)",
    ]


def _ensemble(settings: Settings, source: Source, read: str) -> list[str]:
    if settings.ensemble == "none":
        return []
    lines = [f"histories, base, probe = [{source.history_code}], model, inputs"]
    if settings.ensemble == "bundled":
        read = f"fold_bn={settings.fold_bn}, seed={SEED}"
        lines = [
            "histories = [dx.demo.history('true', seed) for seed in dx.demo.RUN_SEEDS]",
            "base, probe = dx.demo.small_cnn(), dx.demo.digits('test')[0]",
        ]
    return [
        *lines,
        f"score = next(name for name in {SCORES!r} if all(name in past.metrics for past in histories))",
        "known = [(run, epoch) for run, past in enumerate(histories) for epoch in past.checkpoint_epochs]",
        "scores = [histories[run].metrics[score][list(histories[run].epochs).index(epoch)] for run, epoch in known]",
        f"chosen = dx.analysis.accuracy_bins(scores, [run for run, _ in known], {EDGES!r})",
        "thens = {",
        "    place: dx.capture.copy_with(base, histories[known[place][0]].state(known[place][1]), 'then')",
        "    for members in chosen for place in members",
        "}",
        f"graphs = {{place: dx.capture.layer_graph(then, probe, {read}) for place, then in thens.items()}}",
        "bins = [[graphs[place] for place in members] for members in chosen if members]",
        f"networks = dx.analysis.ensemble(bins, shuffles={EPOCH_SHUFFLES}, seed={SEED}, **options)",
    ]


def _divergence(compare: str) -> list[str]:
    if compare == "strengths":
        return ["divergence = dx.analysis.jensen_shannon(strengths)"]
    return [
        "layers = [link.layer for link in graph.links if link.layer is not None]",
        "weights = [dx.analysis.link_weights(layer.weight, layer.bias).values for layer in layers]",
        "divergence = dx.analysis.jensen_shannon(weights)",
    ]

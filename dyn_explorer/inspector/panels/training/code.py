"""Python that rebuilds a view of the Training panel."""

from __future__ import annotations

from dyn_explorer.inspector.recorder import SEED
from dyn_explorer.inspector.source import Source
from dyn_explorer.sweeps.epochs import why_not
from dyn_explorer.sweeps.measures import FOLLOWED

from ..base import Settings
from .measure import bundled_layer
from .options import VOLATILITY_WINDOW
from .scalars import BUNDLED_INPUTS
from .synchrony import is_measurable


def code(settings: Settings, source: Source) -> str:
    """Lines that need only ``model``, ``inputs`` and ``history`` (and ``labels``), or for the bundled runs nothing."""
    bundled = settings.runs == "bundled"
    lines = ["import dyn_explorer as dx", "", *(_bundled(settings) if bundled else _own(settings, source))]
    if bundled or (source.history is not None and is_measurable(source.history, settings.follow)):
        lines += _synchrony(settings)
    return "\n".join(lines)


def _bundled(settings: Settings) -> list[str]:
    lines = [
        "model, (images, labels) = dx.demo.small_cnn(), dx.demo.digits('test')",
        f"inputs, labels = images[:{BUNDLED_INPUTS}], labels[:{BUNDLED_INPUTS}]",
        f"layer = {bundled_layer(settings.layer)!r}",
        "runs = {",
        f"    (name, seed): dx.demo.history(name, seed, optimiser={settings.optimiser!r})",
        "    for name in dx.demo.RUN_LABELS",
        "    for seed in dx.demo.RUN_SEEDS",
        "}",
        "run = runs['true', 0]",
        *_trends(settings, "runs", "'true', 0"),
    ]
    return lines + (_scalar(settings, "runs") if settings.scalar in FOLLOWED else [])


def _own(settings: Settings, source: Source) -> list[str]:
    device = "" if source.device is None else f", device={str(source.device)!r}"
    labels = ", labels=labels" if source.has_labels else ""
    names = list(source.histories)
    runs = f"dict(zip({names!r}, history))"
    if source.history_code == "history":
        runs = f"dict(zip({names!r}, [history]))"
    elif source.history_code != "history[0]":
        runs = "{str(name): run for name, run in history.items()}"
    lines = [
        f"layer = {settings.layer!r}",
        f"recording = dx.record(model, inputs, layers=[layer]{labels}, max_samples={source.most_inputs}, "
        f"seed={SEED}{device})",
        "inputs, labels = recording.inputs, recording.labels",
        f"runs = {runs}",
        f"run = runs[{names[0]!r}]" if names else "run = None",
    ]
    weighted = [name for name, history in source.histories.items() if history.checkpoint_epochs]
    if names and names[0] in weighted:
        lines += _trends(settings, repr(weighted), repr(names[0]))
    if settings.scalar in FOLLOWED:
        layer = settings.layer if FOLLOWED[settings.scalar].where else None
        measured = [name for name, each in source.histories.items() if not why_not(each, settings.scalar, layer)]
        lines += _scalar(settings, repr(measured), device)
    return lines


def _trends(settings: Settings, names: str, first: str) -> list[str]:
    """Lines for the chosen metric of the dynamics."""
    return [
        "trends = {",
        f"    name: dx.metrics_trend(model, runs[name], inputs[:{settings.images}], layer)",
        f"    for name in {names}",
        "}",
        f"trend = trends[{first}]",
        f"curve = trend.groupby('epoch')[{settings.metric!r}].mean()",
    ]


def _scalar(settings: Settings, names: str, device: str = "") -> list[str]:
    """Lines for the measure of another panel."""
    return [
        "",
        "scalars = {",
        "    name: dx.measure_trend(",
        f"        model, runs[name], {settings.scalar!r}, inputs, labels, layer, samples={settings.images}{device}",
        "    )",
        f"    for name in {names}",
        "}",
    ]


def _synchrony(settings: Settings) -> list[str]:
    """Lines for integration, metastability and the index of every epoch."""
    return [
        "",
        "signals = dx.analysis.probe_signals([run.trace(layer) for layer in run.layers])",
        "measures = dx.analysis.training_measures(",
        f"    signals, axis={settings.follow!r}, window=min({settings.window_epochs}, len(signals)), "
        f"force={settings.force}, volatility_window={VOLATILITY_WINDOW}",
        ")",
    ]

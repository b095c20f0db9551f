"""Python that rebuilds a view of the Training panel."""

from __future__ import annotations

from dyn_explorer.inspector.recorder import SEED
from dyn_explorer.inspector.source import Source

from ..base import Settings
from .measure import bundled_layer
from .options import VOLATILITY_WINDOW
from .synchrony import is_measurable


def code(settings: Settings, source: Source) -> str:
    """Lines that need only ``model``, ``inputs`` and ``history``, or for the bundled runs nothing."""
    lines = ["import dyn_explorer as dx", ""]
    if settings.runs == "bundled":
        history = f"dx.demo.history(labels, seed, optimiser={settings.optimiser!r})"
        lines += [
            f"images = dx.demo.digits('test')[0][:{settings.images}]",
            "trends = {",
            "    (labels, seed): dx.metrics_trend(",
            f"        dx.demo.small_cnn(), {history}, images, {bundled_layer(settings.layer)!r}",
            "    )",
            "    for labels in dx.demo.RUN_LABELS",
            "    for seed in dx.demo.RUN_SEEDS",
            "}",
            "trend = trends['true', 0]",
            f"history = dx.demo.history('true', 0, optimiser={settings.optimiser!r})",
        ]
    else:
        device = "" if source.device is None else f", device={str(source.device)!r}"
        lines += [
            f"recording = dx.record(model, inputs, layers=[{settings.layer!r}], max_samples={source.most_inputs}, "
            f"seed={SEED}{device})",
            f"trend = dx.metrics_trend(model, history, recording.inputs[:{settings.images}], {settings.layer!r})",
        ]
    lines.append(f"curve = trend.groupby('epoch')[{settings.metric!r}].mean()")
    if settings.runs == "bundled" or (source.history is not None and is_measurable(source.history, settings.follow)):
        lines += _synchrony(settings)
    return "\n".join(lines)


def _synchrony(settings: Settings) -> list[str]:
    """Lines for integration, metastability and the index of every epoch."""
    return [
        "",
        "signals = dx.analysis.probe_signals([history.trace(layer) for layer in history.layers])",
        "measures = dx.analysis.training_measures(",
        f"    signals, axis={settings.follow!r}, window=min({settings.window_epochs}, len(signals)), "
        f"force={settings.force}, volatility_window={VOLATILITY_WINDOW}",
        ")",
    ]

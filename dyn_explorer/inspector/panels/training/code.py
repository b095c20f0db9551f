"""Python that rebuilds a view of the Training panel."""

from __future__ import annotations

from dyn_explorer.inspector.recorder import SEED
from dyn_explorer.inspector.source import Source

from ..base import Settings
from .measure import bundled_layer


def code(settings: Settings, source: Source) -> str:
    """Lines that need only ``model``, ``inputs`` and ``history``, or for the bundled runs nothing."""
    lines = ["import dyn_explorer as dx", ""]
    if settings.runs == "bundled":
        lines += [
            f"images = dx.demo.digits('test')[0][:{settings.images}]",
            "trends = {",
            "    (labels, seed): dx.metrics_trend(",
            f"        dx.demo.small_cnn(), dx.demo.history(labels, seed), images, {bundled_layer(settings.layer)!r}",
            "    )",
            "    for labels in dx.demo.RUN_LABELS",
            "    for seed in dx.demo.RUN_SEEDS",
            "}",
            "trend = trends['true', 0]",
        ]
    else:
        device = "" if source.device is None else f", device={str(source.device)!r}"
        lines += [
            f"recording = dx.record(model, inputs, layers=[{settings.layer!r}], max_samples={source.most_inputs}, "
            f"seed={SEED}{device})",
            f"trend = dx.metrics_trend(model, history, recording.inputs[:{settings.images}], {settings.layer!r})",
        ]
    return "\n".join([*lines, f"curve = trend.groupby('epoch')[{settings.metric!r}].mean()"])

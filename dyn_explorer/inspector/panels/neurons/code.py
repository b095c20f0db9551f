"""Python that rebuilds a view of the Neurons panel."""

from __future__ import annotations

from dyn_explorer.inspector.recorder import SEED
from dyn_explorer.inspector.source import Source

from ..base import Settings
from .options import MOST_NEURONS


def code(settings: Settings, source: Source) -> str:
    """Lines that need only ``model``, ``inputs`` and ``labels``, and ``history`` for a past epoch."""
    device = "" if source.device is None else f", device={str(source.device)!r}"
    layer, stats = settings.layer, f"bn_stats={settings.bn_stats!r}"
    then = "model"
    lines = ["import numpy as np", "import dyn_explorer as dx", ""]
    if source.epoch is not None:
        then = "then"
        state = f"{source.history_code}.state({source.epoch})"
        lines.append(f"then = dx.capture.copy_with(model, {state}, 'epoch {source.epoch}')")
    return "\n".join(
        [
            *lines,
            f"recording = dx.record({then}, inputs, layers=[{layer!r}], labels=labels, "
            f"max_samples={source.most_inputs}, seed={SEED}{device})",
            "images, classes = recording.inputs, recording.labels",
            f"fields, places = dx.analysis.layer_fields({then}, images, [{layer!r}], {stats}, most={MOST_NEURONS})"
            f"[{layer!r}]",
            f"readout = dx.analysis.linear_map({then}, {layer!r}, tuple(images.shape[1:]), {stats}, inputs=images)"
            "[:, places]",
            f"channels = np.unravel_index(places, recording.shapes[{layer!r}])[recording.channel_dims[{layer!r}] - 1]",
            "aligned = dx.analysis.rank_alignment(fields, readout, classes, groups=channels)",
            "gradient, density = aligned.gradient, aligned.density",
            f"truncation = dx.analysis.truncation({then}, images, classes, {stats}, pooling={settings.pooling!r})",
            "accuracy = truncation.accuracy",
        ]
    )

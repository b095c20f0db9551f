"""Python that rebuilds a view of the Basins panel."""

from __future__ import annotations

from dyn_explorer.inspector.recorder import SEED
from dyn_explorer.inspector.source import Source

from ..base import Settings
from .measure import OWN_DRAWS, REACH
from .options import HIGHEST, LOWEST


def code(settings: Settings, layers: tuple[str, ...], source: Source) -> str:
    """Lines that need only ``model``, ``inputs`` and ``labels``, and ``history`` where it is looked at."""
    device = "" if source.device is None else f", device={str(source.device)!r}"
    recording = source.recording
    known = recording is not None and recording.labels is not None
    floating = recording is None or recording.inputs.is_floating_point()
    common = f"seed={settings.seed}, target={settings.target!r}, threshold={settings.threshold!r}"
    lines = ["import numpy as np", "", "import dyn_explorer as dx", ""]
    if source.epoch is not None:
        epoch = source.epoch
        lines.append(f"model = dx.capture.copy_with(model, {source.history_code}.state({epoch}), 'epoch {epoch}')")
    lines += [
        f"recording = dx.record(model, inputs, layers={list(layers)!r}, labels=labels, "
        f"max_samples={source.most_inputs}, seed={SEED}{device})",
        f"images = recording.inputs[:{settings.images}]",
        f"classes = recording.labels[:{settings.images}]" if known else "classes = None",
        f"sigmas = np.geomspace({LOWEST}, {HIGHEST}, {settings.points})",
        f"options = dict(sigmas=sigmas, {common})",
    ]
    if floating:
        sample = settings.sample
        own = f"recording.labels[{sample}:{sample + 1}]" if known else "None"
        lines += [
            f"samples = dx.analysis.sample_basin(model, images, classes, draws={settings.draws}, **options)",
            "s50 = samples.half_width",
            f"own = dx.analysis.sample_basin(model, recording.inputs[{sample}:{sample + 1}], {own}, "
            f"draws={OWN_DRAWS}, **{{**options, 'threshold': None}})",
            f"extent = {REACH} * own.half_width if 0 < own.half_width < np.inf else 1.0",
            f"plane = dx.analysis.basin_plane(model, recording.inputs[{sample}], extent=extent, seed={settings.seed})",
            f"noisy = dx.analysis.noisy_inputs(recording.inputs, sigma={settings.sigma}, seed={settings.seed})"
            f"[:, {sample}]",
        ]
    return "\n".join(
        [
            *lines,
            f"weights = dx.analysis.weight_basin(model, images, classes, draws={settings.draws}, **options)",
            "w50 = weights.half_width",
        ]
    )

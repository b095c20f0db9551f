"""What a weight's numbers and a layer's profiles were made from, as keys of what is kept."""

from __future__ import annotations

from dyn_explorer import capture
from dyn_explorer.inspector.source import Source

from ..base import Settings


def fingerprint(weight: capture.LayerWeight) -> tuple:
    """A few numbers that tell weights apart."""
    if weight.values is None:
        return weight.layer, weight.part, weight.reason
    values = weight.values.float()
    return weight.layer, weight.part, tuple(values.shape), float(values.sum()), float(values.norm()), _last(values)


def _last(values) -> tuple[float, ...]:
    """A few entries, which tell apart weights that are the same but for their order."""
    flat = values.flatten()
    return tuple(flat[:: max(1, len(flat) // 16)][:16].tolist())


def cost(weight: capture.LayerWeight) -> float:
    """Multiplications of a decomposition."""
    if weight.values is None:
        return 0.0
    rows = weight.values.shape[0] // weight.groups
    columns = weight.values.numel() / max(weight.values.shape[0], 1)
    return weight.groups * min(rows, columns) ** 2 * max(rows, columns)


def field_key(source: Source, layer: str) -> tuple:
    """Of a layer at the last recording."""
    return id(source.live_model), source.epoch, source.recording.revision, layer


def profile_key(source: Source, settings: Settings) -> tuple:
    """Of a layer's profiles at the last recording."""
    kind = settings.part, settings.fold_batchnorm, settings.profile, settings.tau
    return (*field_key(source, settings.layer), *kind)

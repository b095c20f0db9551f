"""Python that rebuilds a view of the Network panel."""

from __future__ import annotations

from dyn_explorer.inspector.recorder import SEED
from dyn_explorer.inspector.source import Source

from ..base import Settings
from .measure import options_of
from .options import SHUFFLES


def code(settings: Settings, source: Source) -> str:
    """Lines that need only ``model`` and ``inputs``, and ``history`` where an epoch is chosen."""
    device = "" if source.device is None else f", device={str(source.device)!r}"
    read = f"fold_bn={settings.fold_bn}, seed={SEED}{device}"
    looked_at = "model"
    lines = ["import dyn_explorer as dx", ""]
    if source.epoch is not None:
        looked_at = "then"
        label = f"epoch {source.epoch}"
        lines.append(f"then = dx.capture.copy_with(model, history.state({source.epoch}), {label!r})")
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
        ]
    )


def _divergence(compare: str) -> list[str]:
    if compare == "strengths":
        return ["divergence = dx.analysis.jensen_shannon(strengths)"]
    return [
        "layers = [link.layer for link in graph.links if link.layer is not None]",
        "weights = [dx.analysis.link_weights(layer.weight, layer.bias).values for layer in layers]",
        "divergence = dx.analysis.jensen_shannon(weights)",
    ]

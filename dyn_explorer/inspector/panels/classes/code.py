"""Python that rebuilds a view of the Classes panel."""

from __future__ import annotations

from dyn_explorer.inspector.recorder import SEED
from dyn_explorer.inspector.source import Source

from ..base import Settings
from .measure import options_of
from .options import PERMUTATIONS


def code(settings: Settings, source: Source, layers: tuple[str, ...], layer: str) -> str:
    """Lines that need only ``model`` and ``inputs``, and ``labels`` where they are used."""
    device = "" if source.device is None else f", device={str(source.device)!r}"
    given = settings.labels == "given"
    options = "".join(f", {name}={value!r}" for name, value in options_of(settings).items())
    return "\n".join(
        [
            "import dyn_explorer as dx",
            "",
            f"layers = {list(layers)!r}",
            f"reader = dx.capture.SignalReader(model, layers, pool={settings.pool!r})",
            f"recording = dx.record(model, inputs, layers=layers{', labels=labels' if given else ''}, reduce=reader, "
            f"max_samples={source.most_inputs}, seed={SEED}{device})",
            "classes = recording.labels" if given else "classes = recording.outputs.argmax(dim=1)",
            "hypergraphs = {",
            "    name: dx.analysis.class_hypergraph(",
            f"        reader.signals(recording, name, directions={settings.directions}), classes{options}",
            "    )",
            "    for name in layers",
            "}",
            "separation = {name: dx.analysis.separation(found) for name, found in hypergraphs.items()}",
            f"found = hypergraphs[{layer!r}]",
            "purity, class_jaccard = found.purity, found.class_jaccard",
            f"components = found.s_components({settings.s})",
            f"null = dx.analysis.separation_null(found, permutations={PERMUTATIONS})",
        ]
    )

"""How far each layer's singular directions separate the classes."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ...analysis import class_hypergraph, separation, separation_null
from ...capture import SignalReader, list_layers, record
from ...capture.signals import has_directions
from ...errors import DynExplorerError
from ..finding import Finding
from ..look import Look
from .family import WEIGHTED, Family
from .words import Words

NULL = "permuted labels"
WORDS = {
    "purity": Words("purity of hyperedges", "Mean largest class share of what a singular direction picks.", NULL),
    "jaccard_ratio": Words(
        "Jaccard ratio", "Shared hyperedges of two images of one class over those of two classes.", NULL
    ),
}
MEASURES = tuple(WORDS)
DIRECTIONS = 16
UNDEFINED = "undefined: too few samples share a hyperedge, or only those of one class do; give more samples"


def classes(look: Look) -> Iterable[Finding]:
    """Mean purity of the hyperedges and the Jaccard ratio of each layer, by the quantile rule (ours) at 0.1.

    The null is the mean over permuted labels.
    """
    usable = [info.name for info in list_layers(look.model) if info.disabled_because is None and has_directions(info)]
    layers = [name for name in usable if look.wants(name)]
    if not layers:
        return
    reader = SignalReader(look.model, layers, directions=DIRECTIONS, cancel=look.cancel)
    options = {"device": look.device, "training": False, "seed": look.seed("answers"), "cancel": look.cancel}
    recording = record(look.model, look.inputs, layers, look.labels, reduce=reader, **options)
    if recording.labels is None:
        raise DynExplorerError("separation needs `labels`, one class number per sample")
    for name in layers:
        look.check_cancelled()
        if name not in recording.activations:
            continue  # it is not run for these inputs
        try:
            found = class_hypergraph(reader.signals(recording, name), recording.labels.numpy())
        except DynExplorerError as error:
            yield from (Finding(measure, layer=name, error=str(error)) for measure in MEASURES)
            continue
        null = separation_null(found, permutations=look.options.shuffles, seed=look.seed("classes", name))
        values = separation(found)
        for measure in MEASURES:
            value = values[measure]
            reason = None if math.isfinite(value) else UNDEFINED
            yield Finding(measure, value, float(null.values[measure].mean()), recording.n_samples, name, reason)


CLASSES = Family("classes", MEASURES, classes, title="Classes", words=WORDS, where=WEIGHTED)

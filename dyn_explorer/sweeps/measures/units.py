"""How far the units of each layer separate the classes: needs responses only, no weights."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ...analysis import class_hypergraph, separation, separation_null
from ...errors import DynExplorerError
from ..finding import Finding
from ..look import Look
from .classes import UNDEFINED
from .family import Family
from .words import Words

NULL = "permuted labels"
WHERE = "a layer whose responses were kept"
WORDS = {
    "unit_purity": Words("purity of units", "Mean largest class share of what drives one unit most or least.", NULL),
    "unit_jaccard_ratio": Words(
        "Jaccard ratio of units", "Shared units of two images of one class over those of two classes.", NULL
    ),
}
MEASURES = dict(zip(WORDS, ("purity", "jaccard_ratio"), strict=True))


def units(look: Look) -> Iterable[Finding]:
    """Mean purity and Jaccard ratio of each layer's units, by the quantile rule (ours) at 0.1.

    A unit is a channel, and its signal the mean over positions, which is what a `History` keeps of every epoch; the
    family "classes" reads singular directions instead, which takes the weights. The null is the mean over permuted
    labels.
    """
    responses, labels = look.responses
    if labels is None:
        raise DynExplorerError("separation needs labels, one class number per probe input: History(..., probe_labels)")
    for name, signals in responses.items():
        look.check_cancelled()
        if not look.wants(name):
            continue
        try:
            found = class_hypergraph(signals, labels)
        except DynExplorerError as error:
            yield from (Finding(measure, layer=name, error=str(error)) for measure in MEASURES)
            continue
        null = separation_null(found, permutations=look.options.shuffles, seed=look.seed("units", name))
        values = separation(found)
        for measure, key in MEASURES.items():
            reason = None if math.isfinite(values[key]) else UNDEFINED
            yield Finding(measure, values[key], float(null.values[key].mean()), len(labels), name, reason)


UNITS = Family("units", tuple(MEASURES), units, title="Classes", words=WORDS, where=WHERE, reads="responses")

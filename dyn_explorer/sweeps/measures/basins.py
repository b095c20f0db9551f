"""How much noise a model bears."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ...analysis import Basin, sample_basin, weight_basin
from ..finding import Finding
from ..look import Look
from .family import Family
from .words import Words

NULL = "an untrained copy"
WORDS = {
    "sample_half_width": Words("half width S50 (units of the inputs)", "Half of the answers change there.", NULL),
    "weight_half_width": Words("half width W50 (units of sd(W))", "Half of the answers change there.", NULL),
}
SAMPLES = 256
DRAWS = 4


def basins(look: Look) -> Iterable[Finding]:
    """Amplitudes of noise in the inputs (S50) and in the weights (W50) at which half of the answers have changed.

    What counts as right is the answer without noise (ours), so that no label is needed and models that are often wrong
    can be compared. The null is an untrained copy.

    References
    ----------
    Lin, Zhang, Feng & Zhao (2025), arXiv:2501.02436.
    """
    inputs = look.answers.inputs[:SAMPLES]
    options = {"draws": DRAWS, "search": "bisection", "target": "prediction", "cancel": look.cancel}
    for measure, basin in (("sample_half_width", sample_basin), ("weight_half_width", weight_basin)):
        seed = look.seed("basins", measure)
        value, null = (basin(model, inputs, None, seed=seed, **options) for model in (look.model, look.untrained))
        yield Finding(measure, value.half_width, null.half_width, len(inputs), "", _reason(value))


def _reason(basin: Basin) -> str | None:
    if math.isnan(basin.half_width):
        return "undefined: the accuracy lies below the threshold without noise"
    return "undefined: the accuracy stays above the threshold" if math.isinf(basin.half_width) else None


BASINS = Family("basins", tuple(WORDS), basins, title="Basins", words=WORDS)

"""Outcomes as one tidy table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from .task import Outcome

if TYPE_CHECKING:
    import pandas

COLUMNS = ("model", "layer", "measure", "value", "null", "n", "seconds", "error")


def frame(outcomes: Iterable[Outcome]) -> pandas.DataFrame:
    """One row per model, layer and measure.

    Example
    -------
    >>> list(frame([]).columns)
    ['model', 'layer', 'measure', 'value', 'null', 'n', 'seconds', 'error']
    """
    import pandas  # slow to import, and needed by nothing else here

    rows = [row for outcome in outcomes for row in _rows(outcome)]
    table = pandas.DataFrame(rows, columns=COLUMNS)
    table = table.astype({"value": "float64", "null": "float64", "n": "Int64", "seconds": "float64"})
    # Left to itself, pandas turns None among texts into nan.
    table["error"] = pandas.Series([row[-1] for row in rows], dtype=object)
    return table


def _rows(outcome: Outcome) -> Iterator[tuple[object, ...]]:
    for asked, kept in outcome.families:
        found = [each for each in kept.findings if asked.wanted is None or each.measure in asked.wanted]
        for each in found:
            yield (
                outcome.name,
                each.layer,
                each.measure,
                each.value,
                each.null,
                each.n,
                kept.seconds / len(found),
                each.error,
            )

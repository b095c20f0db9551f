"""Every measure that a sweep knows by name; a new family is one file and one line here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ...capture.names import nearest
from ...errors import DynExplorerError
from .accuracy import ACCURACY
from .basins import BASINS
from .classes import CLASSES
from .dynamics import DYNAMICS
from .family import Family, failed, found_by, of_a_callable, of_each_weight
from .filters import FILTERS
from .network import NETWORK
from .neurons import NEURONS
from .run import RUN
from .size import SIZE
from .spectrum import SPECTRUM
from .units import UNITS
from .words import Words

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (ACCURACY, RUN, SIZE, DYNAMICS, FILTERS, NETWORK, SPECTRUM, CLASSES, UNITS, NEURONS, BASINS)
}

FOLLOWED: dict[str, Family] = {measure: family for family in FAMILIES.values() for measure in family.words}
"""Measures that can be followed through a training run, each with its family."""

__all__ = [
    "FAMILIES",
    "FOLLOWED",
    "Asked",
    "Family",
    "Words",
    "asked_measures",
    "failed",
    "found_by",
    "of_a_callable",
    "of_each_weight",
]


@dataclass(frozen=True)
class Asked:
    """A family that was asked for; small and picklable, so that it travels to another process.

    Parameters
    ----------
    name : str
        Of the family, or of a person's own measure.
    function : callable or None
        A person's own measure.
    wanted : frozenset of str or None
        Measures of the family that get rows; None for all.

    Example
    -------
    >>> Asked("accuracy").family.needs
    'labels'
    """

    name: str
    function: Callable[..., object] | None = None
    wanted: frozenset[str] | None = None

    @property
    def family(self) -> Family:
        """The family itself."""
        return FAMILIES[self.name] if self.function is None else of_a_callable(self.name, self.function)


def asked_measures(measures: object, *, labels: bool) -> tuple[Asked, ...]:
    """Read what a person asked to be measured.

    Parameters
    ----------
    measures : None, str, callable, mapping or iterable of these
        Names of families or of single measures; a mapping gives a person's own functions their names.
    labels : bool
        Whether there are labels.

    Returns
    -------
    tuple of Asked
        One per family, in the order of asking.

    Raises
    ------
    DynExplorerError
        A name is unknown, or stands for two things.

    Example
    -------
    >>> [asked.name for asked in asked_measures(["accuracy", "link_std"], labels=True)]
    ['accuracy', 'network']
    """
    if measures is None:
        there = {"", "history", *(["labels"] if labels else [])}
        return tuple(Asked(name) for name, family in FAMILIES.items() if family.by_default and family.needs in there)
    merged: dict[str, Asked] = {}
    for asked in _each(measures):
        before = merged.get(asked.name)
        if before is not None and (asked.function or before.function):
            raise DynExplorerError(
                f"`measures` holds two under the name {asked.name!r}; give one another name: {{...}}"
            )
        merged[asked.name] = asked if before is None else Asked(asked.name, None, _joined(before.wanted, asked.wanted))
    if not merged:
        raise DynExplorerError(f"`measures` is empty; name some of {', '.join(FAMILIES)}, or leave it out")
    return tuple(merged.values())


def _each(measures: object) -> Iterable[Asked]:
    if isinstance(measures, str) or callable(measures):
        yield _one(measures)
    elif isinstance(measures, Mapping):
        for name, measure in measures.items():
            yield _one(measure) if isinstance(measure, str) else _own(str(name), measure)
    elif isinstance(measures, Iterable):
        for measure in measures:
            yield from _each(measure)
    else:
        raise DynExplorerError(f"`measures` holds a {type(measures).__name__}; give names or functions")


def _one(measure: str | Callable[..., object]) -> Asked:
    if callable(measure):
        return _own(getattr(measure, "__name__", type(measure).__name__), measure)
    if measure in FAMILIES:
        return Asked(measure)
    for family in FAMILIES.values():
        if measure in family.measures:
            return Asked(family.name, None, frozenset([measure]))
    known = [*FAMILIES, *(name for family in FAMILIES.values() for name in family.measures)]
    raise DynExplorerError(f"there is no measure {measure!r}; {nearest(measure, list(dict.fromkeys(known)))}")


def _own(name: str, function: object) -> Asked:
    if not callable(function):
        raise DynExplorerError(
            f"measure {name!r} is a {type(function).__name__}; give a function of (model, inputs, labels)"
        )
    if name in FAMILIES:
        raise DynExplorerError(f"{name!r} is a family of measures; give your own another name: {{'my_{name}': ...}}")
    return Asked(name, function)


def _joined(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    return None if one is None or other is None else one | other

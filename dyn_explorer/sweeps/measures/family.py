"""A family of measures: what is computed together, under one name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from numbers import Real
from types import MappingProxyType

import numpy as np
import torch

from ...capture import borrow
from ...errors import Cancelled, DynExplorerError
from ..finding import Finding
from ..look import Look
from .words import Words

_MOST = 3
WEIGHTED = "a linear layer or convolution"


@dataclass(frozen=True)
class Family:
    """Measures that are computed together.

    Parameters
    ----------
    name : str
    measures : tuple of str
        What it finds.
    compute : callable
        Takes a `Look`, gives the findings.
    by_default : bool
        Whether a sweep that names no measures computes it.
    needs : {"", "labels", "history"}
        A sweep that names no measures leaves it out where there are none of these.
    title : str
        Of the panel that shows more of it.
    words : mapping of str to Words
        Of each measure that can be followed through a training run.
    where : str
        Which layers it is found in; empty for measures of the whole model.
    reads : {"weights", "responses"}
        What of a training run it is computed from.

    Example
    -------
    >>> Family("one", ("one",), lambda look: [Finding("one", 1.0)]).by_default
    False
    """

    name: str
    measures: tuple[str, ...]
    compute: Callable[[Look], Iterable[Finding]]
    by_default: bool = False
    needs: str = ""
    title: str = ""
    words: Mapping[str, Words] = field(default_factory=dict)
    where: str = ""
    reads: str = "weights"


def of_each_weight(
    name: str,
    measures: tuple[str, ...],
    function: Callable[..., Iterable[object]],
    *,
    by_default: bool = False,
    title: str = "",
    words: Mapping[str, Words] = MappingProxyType({}),
) -> Family:
    """A family that reads one weight at a time; its null is the same layer of an untrained copy.

    Parameters
    ----------
    name : str
    measures : tuple of str
    function : callable
        Takes the weight of a linear layer or a convolution, gives one number per measure.
    by_default, title, words
        As for `Family`.

    Returns
    -------
    Family

    Example
    -------
    >>> of_each_weight("norms", ("frobenius",), lambda weight: [weight.norm()]).measures
    ('frobenius',)
    """

    def compute(look: Look) -> Iterable[Finding]:
        modules = dict(look.untrained.named_modules())
        for layer, affine in look.wanted_affine.items():
            look.check_cancelled()
            if isinstance(affine, DynExplorerError):
                yield from (Finding(measure, layer=layer, error=str(affine)) for measure in measures)
                continue
            try:
                values, nulls = function(affine.weight), function(modules[layer].weight.detach().double())
            except DynExplorerError as error:
                yield from (Finding(measure, layer=layer, error=str(error)) for measure in measures)
                continue
            for measure, value, null in zip(measures, values, nulls, strict=True):
                yield number(measure, value, null=null, n=affine.weight.numel(), layer=layer)

    return Family(name, measures, compute, by_default, title=title, words=words, where=WEIGHTED)


def of_a_callable(name: str, function: Callable[..., object]) -> Family:
    """A family made of a person's own function of ``(model, inputs, labels)``, or of the first one or two of these.

    Parameters
    ----------
    name : str
        Name of the measure.
    function : callable
        Gives a number, or a mapping of layer names to numbers. It gets the model on loan, in eval mode.

    Returns
    -------
    Family

    Example
    -------
    >>> of_a_callable("weights", lambda model, inputs, labels: 3.0).measures
    ('weights',)
    """

    def compute(look: Look) -> Iterable[Finding]:
        with borrow(look.model) as lent, torch.no_grad():
            lent.eval()
            given = (lent, look.inputs, look.labels)
            found = function(*given[: _positions(function)])
        by_layer = found if isinstance(found, Mapping) else {"": found}
        return [number(name, value, layer=str(layer)) for layer, value in by_layer.items()]

    return Family(name, (name,), compute)


def _positions(function: Callable[..., object]) -> int:
    """How many arguments a function takes by position, at most 3, not counting options such as ``scale=2``."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # some builtins have none to show
        return _MOST
    if any(each.kind is each.VAR_POSITIONAL for each in parameters):
        return _MOST
    taken = [each for each in parameters if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    return min(_MOST, sum(each.default is each.empty or each.default is None for each in taken))


def number(measure: str, value: object, *, null: object = np.nan, n: int | None = None, layer: str = "") -> Finding:
    """A finding from what a measure returned.

    Raises
    ------
    DynExplorerError
        It is no single real number.

    Example
    -------
    >>> number("size", torch.tensor(3.0), n=2)
    Finding(measure='size', value=3.0, null=nan, n=2, layer='', error=None)
    """
    single = value
    if isinstance(value, (torch.Tensor, np.ndarray, np.generic)) and len(np.atleast_1d(value).reshape(-1)) == 1:
        single = value.item()
    if isinstance(single, bool) or not isinstance(single, Real):
        raise DynExplorerError(
            f"measure {measure!r} returned a {type(value).__name__}; return a real number, or a mapping of layer names "
            "to numbers"
        )
    error = None if np.isfinite(float(single)) else f"undefined: the measure returned {float(single)}"
    return Finding(measure, float(single), float(null), n, layer, error)


def found_by(family: Family, look: Look) -> tuple[tuple[Finding, ...], bool]:
    """What a family finds, and whether it failed as a whole: then each of its measures with the reason in words.

    Raises
    ------
    Cancelled
        The caller asked for it.

    Example
    -------
    >>> broken = Family("broken", ("a",), lambda look: 1 / 0)
    >>> (found,), has_failed = found_by(broken, None)
    >>> found.error, has_failed
    ('ZeroDivisionError: division by zero', True)
    """
    try:
        return tuple(family.compute(look)), False
    except Cancelled:
        raise
    except DynExplorerError as error:
        return failed(family, str(error)), True
    except Exception as error:  # noqa: BLE001 - a model or a person's own measure may raise anything
        return failed(family, f"{type(error).__name__}: {error}"), True


def failed(family: Family, reason: str) -> tuple[Finding, ...]:
    """One finding per measure, with the reason why there is none.

    Example
    -------
    >>> failed(Family("f", ("a", "b"), tuple), "no labels")[1].measure
    'b'
    """
    return tuple(Finding(measure, error=reason) for measure in family.measures)

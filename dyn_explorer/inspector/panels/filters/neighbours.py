"""The layers before and behind the chosen one, and the links between their directions."""

from __future__ import annotations

from dyn_explorer import analysis, capture
from dyn_explorer.errors import DynExplorerError

from .measure import Measures
from .options import LEVEL, LINKED
from .result import Directions, Neighbours

PROJECTIONS = {"q", "k", "v", "query", "key", "value", "q_proj", "k_proj", "v_proj"}


def neighbours_of(chosen: Directions, weights: list[capture.LayerWeight], measures: Measures) -> Neighbours:
    """The nearest layer before the chosen one that puts out as many channels as it takes, and the nearest behind it.

    Parameters
    ----------
    chosen : Directions
    weights : list of LayerWeight
        In the order of execution.
    measures : Measures
        Decomposes them.
    """
    usable = [weight for weight in weights if weight.values is not None and not weight.part]
    place = next((k for k, weight in enumerate(usable) if weight.layer == chosen.weight.layer), None)
    if place is None:
        return _joined([chosen], [], 0)
    mine = chosen.weight
    earlier = [weight for weight in usable[:place][::-1] if _fits(weight, mine) and not _are_siblings(weight, mine)]
    later = [weight for weight in usable[place + 1 :] if _fits(mine, weight) and not _are_siblings(mine, weight)]
    before = _nearest(earlier, measures, lambda other: _linked(other, chosen))
    behind = _nearest(later, measures, lambda other: _linked(chosen, other))
    columns = [*([before[0]] if before else []), chosen, *([behind[0]] if behind else [])]
    synapses = [found[1] for found in (before, behind) if found]
    return _joined(columns, synapses, 1 if before else 0)


def _fits(source: capture.LayerWeight, target: capture.LayerWeight) -> bool:
    outputs = source.values.shape[1] * source.groups if source.transposed else source.values.shape[0]
    inputs = target.values.shape[0] if target.transposed else target.values.shape[1] * target.groups
    is_flattened = source.values.ndim > 2 and target.values.ndim == 2 and inputs % outputs == 0
    return inputs == outputs or (is_flattened and inputs > outputs)


def _are_siblings(one: capture.LayerWeight, other: capture.LayerWeight) -> bool:
    """Whether both are projections of one attention, which read the same tokens."""
    (parent, _, name), (other_parent, _, other_name) = one.layer.rpartition("."), other.layer.rpartition(".")
    return parent == other_parent and {name, other_name} <= PROJECTIONS


def _nearest(candidates: list[capture.LayerWeight], measures: Measures, link):
    for weight in candidates:
        try:
            other = measures.directions(weight)
            return other, link(other)
        except DynExplorerError:
            continue  # it does not fit, or cannot be decomposed
    return None


def _linked(source: Directions, target: Directions) -> analysis.DirectionSynapses:
    return analysis.direction_synapses(source.found, target.found, level=LEVEL)


def _joined(columns: list[Directions], synapses: list[analysis.DirectionSynapses], chosen: int) -> Neighbours:
    return Neighbours(
        names=tuple(column.weight.layer for column in columns),
        sigmas=tuple(column.sigma[: min(LINKED, len(column.order))] for column in columns),
        synapses=tuple(synapses),
        chosen=chosen,
    )

"""Which neurons of the chosen layer each input drives, its class's, and how alike inputs are in that."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from dyn_explorer import analysis, capture
from dyn_explorer.errors import DynExplorerError

from ..base import Settings
from .options import PERMUTATIONS
from .result import Directions

MOST_SCORES = 5_000_000  # inputs times neurons that are looked at beside everything else
NO_LABELS = "No labels, so no classes to compare: open the model with dx.explore(model, images, labels)."


@dataclass(frozen=True, eq=False)
class ClassComparison:
    """Profiles of the classes, and how far inputs of one class are alike.

    Attributes
    ----------
    codes : ndarray (P,)
        Place of each input's class.
    order : ndarray (P,)
        The inputs, sorted by class.
    of_inputs : ndarray (P, P)
        Similarity of the inputs in this order.
    names : tuple of str
        Of the classes.
    profiles : Profiles
        One row per class.
    similarity : ndarray (C, C)
        Of these.
    exemplars : tuple of int
        Of each class, the input whose profile is most like that of the class.
    separation : ProfileSeparation
    """

    codes: np.ndarray
    order: np.ndarray
    of_inputs: np.ndarray
    names: tuple[str, ...]
    profiles: analysis.Profiles
    similarity: np.ndarray
    exemplars: tuple[int, ...]
    separation: analysis.ProfileSeparation


@dataclass(frozen=True, eq=False)
class LayerProfiles:
    """Profiles of all inputs at one layer.

    Attributes
    ----------
    found : Profiles
        Of the neurons that are influential for some input.
    neurons : ndarray
        Which of all neurons those are.
    total : int
        Number of all neurons.
    grid : tuple of int
        Positions of the layer's maps.
    everyone : Profiles
        One row, over all inputs: what a class of inputs drawn by chance would have.
    similarity : ndarray (P, P)
    classes : ClassComparison or None
        None with `reason`.
    reason : str
    """

    found: analysis.Profiles
    neurons: np.ndarray
    total: int
    grid: tuple[int, ...]
    everyone: analysis.Profiles
    similarity: np.ndarray
    classes: ClassComparison | None
    reason: str = ""

    def names(self) -> list[str]:
        """Of the neurons: a direction from 1, a channel from 0, a place by its row and column."""
        if self.found.kind == "svd":
            return [str(neuron + 1) for neuron in self.neurons]
        if not self.grid or self.found.kind == "channel":
            return [str(neuron) for neuron in self.neurons]
        places, made = math.prod(self.grid), []
        for channel, place in zip(*divmod(self.neurons, places), strict=True):
            at = ", ".join(str(int(axis)) for axis in np.unravel_index(place, self.grid))
            made.append(f"({at})" if self.found.kind == "spatial" else f"{channel} ({at})")
        return made


def profile_layer(
    recording: capture.Recording,
    layer: str,
    directions: Directions,
    settings: Settings,
    class_name: Callable[[object], str],
) -> LayerProfiles:
    """Profiles of all inputs at a layer, compared.

    Raises
    ------
    DynExplorerError
        If the layer has no outputs of the weight, too many of them, or none of this kind.
    """
    weight, kind = directions.weight, settings.profile
    if layer not in recording.activations:
        raise DynExplorerError("this layer was not executed in this forward pass.")
    outputs, channel_dim = recording.activations[layer], recording.channel_dims[layer]
    if kind == "svd" and weight.part:
        raise DynExplorerError(f"what the {weight.part!r} weight of this layer puts out is not recorded by itself.")
    if kind == "element" and outputs.numel() > MOST_SCORES:
        raise DynExplorerError(
            f"{outputs.numel():,} elements are too many to sort along; use analysis.profiles on fewer inputs."
        )
    given = {"directions": directions.found, "bias": weight.bias, "scale": weight.scale} if kind == "svd" else {}
    found = analysis.profiles(outputs, kind=kind, tau=settings.tau, channel_dim=channel_dim, **given)
    neurons = np.flatnonzero(found.counts.any(axis=0))
    kept = replace(found, weights=found.weights[:, neurons], counts=found.counts[:, neurons])
    similarity = analysis.profile_similarity(kept)
    classes, reason = None, NO_LABELS
    if recording.labels is not None:
        try:
            classes, reason = _compared(kept, similarity, recording.labels, class_name), ""
        except DynExplorerError as error:
            reason = f"No classes to compare: {error}."
    return LayerProfiles(
        found=kept,
        neurons=neurons,
        total=found.weights.shape[1],
        grid=tuple(outputs.movedim(channel_dim, 1).shape[2:]),
        everyone=analysis.class_profiles(kept, np.zeros(len(kept.weights), int)),
        similarity=similarity,
        classes=classes,
        reason=reason,
    )


def _compared(
    found: analysis.Profiles, similarity: np.ndarray, labels: object, class_name: Callable[[object], str]
) -> ClassComparison:
    separation = analysis.profile_separation(similarity, labels, permutations=PERMUTATIONS)
    joined = analysis.class_profiles(found, labels)
    codes = np.searchsorted(separation.classes, np.asarray(labels))
    order = np.argsort(codes, kind="stable")
    near = np.nan_to_num(analysis.profile_similarity(found, joined), nan=-1.0)
    members = [np.flatnonzero(codes == code) for code in range(len(separation.classes))]
    return ClassComparison(
        codes=codes,
        order=order,
        of_inputs=similarity[np.ix_(order, order)],
        names=tuple(class_name(label) for label in separation.classes.tolist()),
        profiles=joined,
        similarity=analysis.profile_similarity(joined),
        exemplars=tuple(int(mine[near[mine, code].argmax()]) for code, mine in enumerate(members)),
        separation=separation,
    )

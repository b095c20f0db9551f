"""The computations behind the Filters panel, kept for as long as a weight stays the same."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from dyn_explorer import analysis, capture
from dyn_explorer.errors import Cancelled, DynExplorerError
from dyn_explorer.inspector.jobs import Job
from dyn_explorer.inspector.recorder import SEED, Memo
from dyn_explorer.inspector.source import Source
from dyn_explorer.spectra import weight_row

from ..base import Settings
from . import keys
from .options import KEPT, SHUFFLES, STEPS
from .profile import LayerProfiles, profile_layer
from .result import Directions
from .signals import mean_response

if TYPE_CHECKING:
    import pandas as pd

KEPT_DIRECTIONS = 64
KEPT_ROWS = 4096
KEPT_NULLS = 64
KEPT_PROFILES = 8
# A layer table of fewer multiplications is made while the hand waits.
QUICK_TABLE = 5e8


class Measures:
    """Decompositions, table rows and nulls by the weight that they are of."""

    def __init__(self) -> None:
        self._weights = Memo(1)
        self._keys: WeakKeyDictionary[capture.LayerWeight, tuple] = WeakKeyDictionary()
        self._directions = Memo(KEPT_DIRECTIONS)
        self._rows = Memo(KEPT_ROWS)
        self._shuffled = Memo(KEPT_NULLS)
        self._untrained = Memo(1)
        self._untrained_spectra = Memo(KEPT_NULLS)
        self._gains = Memo(KEPT_NULLS)
        self._made = Memo(KEPT_NULLS)
        self._fields = Memo(KEPT_NULLS)
        self._profiles = Memo(KEPT_PROFILES)

    def weights(self, source: Source, fold: bool) -> list[capture.LayerWeight]:
        """All weights in the order of execution, as they were when the model was last recorded.

        Layers that can have no filters are left out.

        Raises
        ------
        DynExplorerError
            Beside a training loop.
        """
        key = (id(source.live_model), source.epoch, source.recording.revision, fold)
        return self._weights.get(key, lambda: _layer_weights(source, fold))

    def part_of(self, layer: str, part: str) -> str:
        """The part, if the layer is known to have it; the option may be left from another layer."""
        return part if any(w.layer == layer and w.part == part for every in self._weights for w in every) else ""

    def _key(self, weight: capture.LayerWeight) -> tuple:
        if weight not in self._keys:
            self._keys[weight] = keys.fingerprint(weight)
        return self._keys[weight]

    def directions(self, weight: capture.LayerWeight) -> Directions:
        """A weight's strongest directions.

        Raises
        ------
        DynExplorerError
            If it has NaN or infinite entries.
        """
        return self._directions.get(self._key(weight), lambda: _decomposed(weight))

    def table(self, weights: list[capture.LayerWeight], job: Job, *, wait: bool) -> pd.DataFrame | None:
        """The layer table; None where it would take long and `wait` is False."""
        import pandas as pd

        missing = [weight for weight in weights if self._key(weight) not in self._rows]
        if not wait and sum(keys.cost(weight) for weight in missing) > QUICK_TABLE:
            return None
        rows = []
        for place, weight in enumerate(weights):
            _check(job)
            rows.append(self._rows.get(self._key(weight), lambda weight=weight: weight_row(weight)))
            job.progress(place / len(weights), f"spectrum of {weight.layer}")
        return pd.DataFrame(rows)

    def shuffled(self, weight: capture.LayerWeight, job: Job) -> tuple[analysis.WeightSpectrum, ...]:
        """Spectra of a weight's entries in random orders."""

        def make() -> tuple[analysis.WeightSpectrum, ...]:
            drawn = []
            for shuffle in range(SHUFFLES):
                _check(job)
                drawn.append(_spectrum(weight, shuffle=shuffle))
            return tuple(drawn)

        return self._shuffled.get(self._key(weight), make)

    def untrained(self, source: Source, weight: capture.LayerWeight, fold: bool) -> analysis.WeightSpectrum:
        """The spectrum of the same layer in an untrained copy.

        Raises
        ------
        DynExplorerError
            If there is none.
        """
        model = source.live_model

        def make() -> analysis.WeightSpectrum:
            source.check_free()
            copy = self._untrained.get(id(model), lambda: capture.untrained_copy(model, seed=SEED))
            return _spectrum(capture.layer_weight(copy, weight.layer, part=weight.part, fold_batchnorm=fold))

        return self._untrained_spectra.get((id(model), weight.layer, weight.part, fold), make)

    def gain(self, weight: capture.LayerWeight, output_shape: tuple[int, ...]) -> float:
        """Largest singular value of a convolution as an operator on inputs of the size that it meets.

        Raises
        ------
        DynExplorerError
            If it is no convolution of the kind that `operator_spectrum` takes, or too large to wait for.
        """
        return self._gains.get((self._key(weight), output_shape), lambda: _gain(weight, output_shape))

    def field(self, source: Source, layer: str) -> capture.ReceptiveField | str:
        """The receptive field of a layer's places, or why it is not known."""

        def make() -> capture.ReceptiveField | str:
            source.check_free()
            try:
                return capture.receptive_field(source.model, source.recording.inputs[:1], layer)
            except DynExplorerError as error:
                return str(error)

        return self._fields.get(keys.field_key(source, layer), make)

    def has_field(self, source: Source, layer: str) -> bool:
        """Whether the receptive field has been found."""
        key = None if source.recording is None else keys.field_key(source, layer)
        return key in self._fields and isinstance(self._fields.get(key, str), capture.ReceptiveField)

    def profiles(
        self, source: Source, directions: Directions, settings: Settings, *, wait: bool = True
    ) -> tuple[LayerProfiles | None, str]:
        """Influential neurons of all inputs, and why there are none; nothing where they are new and `wait` is False."""
        if settings.profile == "off":
            return None, ""

        def make() -> tuple[LayerProfiles | None, str]:
            try:
                return profile_layer(source.recording, settings.layer, directions, settings, source.class_name), ""
            except DynExplorerError as error:
                return None, str(error)

        key = keys.profile_key(source, settings)
        return self._profiles.get(key, make) if wait or key in self._profiles else (None, "")

    def known_profiles(self, source: Source, settings: Settings) -> LayerProfiles | None:
        """The same where they have been found."""
        key = None if source.recording is None else keys.profile_key(source, settings)
        return self._profiles.get(key, tuple)[0] if key in self._profiles else None

    def made(self, source: Source, layer: str, directions: Directions, direction: int, job: Job) -> capture.Maximised:
        """An image that drives a direction.

        Raises
        ------
        DynExplorerError
            If the model cannot be asked for gradients.
        """
        source.check_free()
        recording = source.recording
        score = mean_response(recording, layer, directions, direction)

        def make() -> capture.Maximised:
            return capture.maximise(
                source.model,
                recording.inputs,
                layer,
                score,
                steps=STEPS,
                seed=SEED,
                cancel=job.cancel,
                progress=job.progress,
            )

        return self._made.get((recording.revision, self._key(directions.weight), direction), make)


def _layer_weights(source: Source, fold: bool) -> list[capture.LayerWeight]:
    if source.held and source.epoch is None:
        raise DynExplorerError(
            "weights are not read beside a training loop, which changes them: press Refresh when training is over, or "
            "choose an epoch of the history."
        )
    place = {name.partition("#")[0]: k for k, name in reversed(list(enumerate(source.layers)))}
    found = [weight for weight in capture.layer_weights(source.model, fold_batchnorm=fold) if not weight.bare]
    return sorted(found, key=lambda weight: place.get(weight.layer, len(place)))


def _gain(weight: capture.LayerWeight, output_shape: tuple[int, ...]) -> float:
    if weight.stride and len(output_shape) != len(weight.stride) + 1:
        raise DynExplorerError("the layer has not run, so the size of its inputs is not known.")
    if not weight.stride or weight.transposed or set(weight.dilation) != {1}:
        raise DynExplorerError("known for convolutions that are neither transposed nor dilated.")
    size = tuple(extent * step for extent, step in zip(output_shape[1:], weight.stride, strict=True))
    outputs, inputs = weight.values.shape[0] // weight.groups, weight.values.shape[1] * int(np.prod(weight.stride))
    cost = weight.groups * np.prod(output_shape[1:]) * min(outputs, inputs) ** 2 * max(outputs, inputs)
    if cost > 4e9:
        raise DynExplorerError(f"too large to compute along; use analysis.operator_spectrum(weight, {size}).")
    values = analysis.operator_spectrum(weight.values, size, stride=weight.stride, groups=weight.groups)
    return float(values[0])


def _decomposed(weight: capture.LayerWeight) -> Directions:
    found = analysis.filter_svd(weight.values, groups=weight.groups, transposed=weight.transposed, keep=KEPT)
    sigma = np.sort(found.singular_values, axis=None)[::-1]
    order = analysis.strongest_first(found)[:KEPT]  # each group kept as many, so these are the strongest of all
    return Directions(weight, found, order, sigma, _spectrum(weight, found=found))


def _spectrum(weight: capture.LayerWeight, **options) -> analysis.WeightSpectrum:
    return analysis.weight_spectrum(weight.values, groups=weight.groups, transposed=weight.transposed, **options)


def _check(job: Job) -> None:
    if job.cancel.is_set():
        raise Cancelled("the spectra were cancelled")

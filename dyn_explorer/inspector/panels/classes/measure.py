"""The computations behind the Classes panel: hypergraphs of all layers, made once, and their controls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from dyn_explorer import analysis, capture
from dyn_explorer.errors import Cancelled, DynExplorerError
from dyn_explorer.inspector.jobs import Job
from dyn_explorer.inspector.recorder import Memo
from dyn_explorer.inspector.source import Source

from ..base import Settings
from .options import CONTROL_KINDS, MOST_DRAWN, NO_LABELS, NO_LAYERS, NO_PREDICTIONS, PERMUTATIONS
from .result import Controls, Drawing


def layers_with_directions(source: Source) -> tuple[str, ...]:
    """Their names, in the order of execution."""
    return tuple(name for name, info in source.layers.items() if capture.has_directions(info))


def readable_layers(source: Source) -> tuple[str, ...]:
    """The same, where there are any."""
    names = layers_with_directions(source)
    if not names:
        raise DynExplorerError(NO_LAYERS)
    return names


def place_of(layer: str, layers: tuple[str, ...], source: Source) -> int:
    """Place of a layer among those with directions; of another one, the last of those that run before it."""
    order = list(source.layers)
    before = [place for place, name in enumerate(layers) if order.index(name) <= order.index(layer)]
    return before[-1] if before else 0


def class_labels(recording: capture.Recording, which: str) -> np.ndarray:
    """Class of each image, as given or as predicted."""
    if which == "given":
        if recording.labels is None:
            raise DynExplorerError(NO_LABELS)
        return recording.labels.numpy()
    outputs = recording.outputs
    if outputs is None or outputs.ndim != 2 or outputs.shape[1] < 2:
        raise DynExplorerError(NO_PREDICTIONS)
    return outputs.argmax(dim=1).cpu().numpy()


def options_of(settings: Settings) -> dict:
    """Keyword arguments of `analysis.class_hypergraph`."""
    share = {"quantile": settings.quantile} if settings.rule == "quantile" else {"tau": settings.tau}
    return {"rule": settings.rule, **share}


def drawing_of(found: analysis.ClassHypergraph, class_names: tuple[str, ...], theta: float) -> Drawing:
    """The images by class where they are few, else the classes of which hyperedges hold a share of at least `theta`."""
    if len(found.codes) > MOST_DRAWN:
        return Drawing(found.class_level(theta).edges(), class_names, "classes")
    order = np.argsort(found.codes, kind="stable")
    place = np.argsort(order)
    edges = [place[images] for images in found.hypergraph.edges()]
    return Drawing(edges, tuple(class_names[code] for code in found.codes[order]), "images")


@dataclass(frozen=True, eq=False)
class Reading:
    """Signals of all layers with the labels that they are held against.

    Attributes
    ----------
    recording, reader
        As `Source.signals` gives them.
    labels : ndarray (P,)
        Of the model that is looked at, even where the signals are those of another.
    labels_from : tuple
        What the labels are.
    """

    recording: capture.Recording
    reader: capture.SignalReader
    labels: np.ndarray
    labels_from: tuple


class Hypergraphs:
    """Hypergraphs and their numbers, by what they were made from."""

    def __init__(self, most: int) -> None:
        self._found = Memo(most)
        self._numbers = Memo(most)
        self._nulls = Memo(most)

    def of(self, read: Reading, name: str, basis: int, settings: Settings) -> analysis.ClassHypergraph:
        """The hypergraph of a layer along one basis."""

        def make() -> analysis.ClassHypergraph:
            signals = read.reader.signals(read.recording, name, basis, settings.directions)
            return analysis.class_hypergraph(signals, read.labels, **options_of(settings))

        return self._found.get(_key(read, name, basis, settings), make)

    def numbers(self, read: Reading, name: str, basis: int, settings: Settings) -> Mapping[str, float]:
        """Its separation."""
        found = self.of(read, name, basis, settings)
        return self._numbers.get(_key(read, name, basis, settings), partial(analysis.separation, found))

    def null(self, read: Reading, name: str, settings: Settings) -> analysis.SeparationNull:
        """Its separation under permuted labels, along the first basis."""
        found = self.of(read, name, 0, settings)
        make = partial(analysis.separation_null, found, permutations=PERMUTATIONS)
        return self._nulls.get(_key(read, name, 0, settings), make)


def _key(read: Reading, name: str, basis: int, settings: Settings) -> tuple:
    options = tuple(options_of(settings).items())
    return (read.recording.revision, read.labels_from, name, basis, settings.directions, options)


def controls(
    source: Source, read: Reading, layers: tuple[str, ...], known: Hypergraphs, settings: Settings, job: Job
) -> Controls:
    """Everything that the separation of the layers is compared with."""
    permuted = []
    for name in layers:
        _check(job)
        permuted.append(known.null(read, name, settings))
    others = _beside(read, source.signals(layers, CONTROL_KINDS, settings.pool, job))
    bases = []
    for basis in range(len(CONTROL_KINDS)):
        _check(job)
        bases.append(tuple(known.numbers(others, name, basis, settings) for name in layers))
    untrained, reason = _untrained(source, read, layers, known, settings, job)
    return Controls(tuple(permuted), bases[0], tuple(bases[1:]), untrained, reason)


def _beside(read: Reading, signals: tuple[capture.Recording, capture.SignalReader]) -> Reading:
    return Reading(*signals, read.labels, read.labels_from)


def _untrained(source: Source, read: Reading, layers, known: Hypergraphs, settings: Settings, job: Job):
    try:
        found = _beside(read, source.signals(layers, ("svd",), settings.pool, job, untrained=True))
        return tuple(known.numbers(found, name, 0, settings) for name in layers), ""
    except Cancelled:
        raise
    except DynExplorerError as error:
        return None, str(error)


def _check(job: Job) -> None:
    if job.cancel.is_set():
        raise Cancelled("the controls were cancelled")

"""What a person gave to be compared, as things that each give one model when their turn comes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from os import PathLike, fspath

from torch import nn

from ..capture import History, copy_with, unwrap
from ..capture.checkpoints import load_into
from ..errors import DynExplorerError
from .named_model import is_named, named_model

_WAYS = (
    "a torch.nn.Module, a function without arguments that builds one, (checkpoint path, builder), a History, or "
    "(History, builder)"
)


@dataclass(frozen=True, eq=False)
class Subject:
    """One model to measure.

    Parameters
    ----------
    name : str
    source : torch.nn.Module, callable or None
        The model, or what builds it; None where nobody gave one.
    checkpoint : str or None
        File with its weights.
    state : mapping or None
        Its weights.
    recorded : mapping or None
        Numbers that a training run recorded beside them.

    Example
    -------
    >>> Subject("a", lambda: nn.Linear(3, 2)).model().in_features
    3
    """

    name: str
    source: nn.Module | Callable[[], nn.Module] | None
    checkpoint: str | None = None
    state: Mapping[str, object] | None = None
    recorded: dict[str, float] | None = None

    def model(self) -> nn.Module:
        """Build or load the model.

        Raises
        ------
        DynExplorerError
            The weights do not fit, or what was built is no model.
        """
        if self.source is None:
            raise DynExplorerError(
                "this history was loaded from a folder and holds weights, but no model to put them in; give "
                "(history, builder), where builder is a function that builds the network"
            )
        weights = self.state if self.state is not None else self.checkpoint
        if isinstance(self.source, nn.Module):
            return self.source if weights is None else copy_with(self.source, weights, self.name)
        model = self.source()
        if weights is not None:
            load_into(unwrap(model), weights, self.name)
        return model


@dataclass(frozen=True, eq=False)
class Epoch:
    """One epoch of a history; its weights are read when they are wanted.

    Parameters
    ----------
    name : str
    source : torch.nn.Module, callable or None
        As for `Subject`.
    history : History
    epoch : int

    Example
    -------
    >>> import dyn_explorer as dx
    >>> Epoch("run, epoch 8", dx.demo.small_cnn, dx.demo.history(), 8).ready().recorded["accuracy"] > 0.9
    True
    """

    name: str
    source: nn.Module | Callable[[], nn.Module] | None
    history: History
    epoch: int

    def ready(self) -> Subject:
        """The subject, with its weights in memory so that it can travel."""
        place = self.history.epochs.index(self.epoch)
        recorded = {name: float(values[place]) for name, values in self.history.metrics.items()}
        return Subject(self.name, self.source, state=self.history.state(self.epoch), recorded=recorded)


def subjects(models: object) -> list[Subject | Epoch]:
    """Read a mapping of names to models.

    Parameters
    ----------
    models : mapping
        See `dx.sweep`.

    Returns
    -------
    list of Subject or Epoch
        In the mapping's order; a history gives one per epoch whose weights it holds.

    Raises
    ------
    DynExplorerError
        It is no mapping, is empty, or holds something else.

    Example
    -------
    >>> [subject.name for subject in subjects({"a": nn.Linear(3, 2), "b": ("b.safetensors", nn.Identity)})]
    ['a', 'b']
    """
    if not isinstance(models, Mapping):
        raise DynExplorerError(
            f"`models` is a {type(models).__name__}; give a mapping of names to models: {{'a': model}}"
        )
    if not models:
        raise DynExplorerError("`models` is empty; give at least one")
    found = [subject for name, given in models.items() for subject in _subjects(str(name), given)]
    ((name, count),) = Counter(subject.name for subject in found).most_common(1)
    if count > 1:
        raise DynExplorerError(f"`models` gives {count} models the name {name!r}; give each a name of its own")
    return found


def _subjects(name: str, given: object) -> list[Subject | Epoch]:
    if isinstance(given, History):
        return _epochs(name, given, given.model)
    if isinstance(given, (tuple, list)) and len(given) == 2:
        stored, builder = given if _builds(given[1]) else reversed(given)
        if isinstance(stored, History) and _builds(builder):
            return _epochs(name, stored, builder)
        if isinstance(stored, (str, PathLike)) and _builds(builder):
            return [Subject(name, builder, checkpoint=fspath(stored))]
    if is_named(given):
        return [Subject(name, named_model(given))]
    if _builds(given):
        return [Subject(name, given)]
    raise DynExplorerError(f"model {name!r} is a {_kind(given)}; give {_WAYS}")


def _epochs(name: str, history: History, source: nn.Module | Callable[[], nn.Module] | None) -> list[Subject | Epoch]:
    if not history.checkpoint_epochs:
        raise DynExplorerError(
            f"the history {name!r} holds no weights; record it with dx.History(model, probe_inputs, checkpoints=True)"
        )
    return [Epoch(f"{name}, epoch {epoch}", source, history, epoch) for epoch in history.checkpoint_epochs]


def _builds(thing: object) -> bool:
    return callable(thing) and not isinstance(thing, (str, PathLike, History))


def _kind(given: object) -> str:
    if isinstance(given, (tuple, list)):
        return f"{type(given).__name__} of {', '.join(type(item).__name__ for item in given) or 'nothing'}"
    if isinstance(given, (str, PathLike)):
        return f"path ({fspath(given)!r}) without a builder"
    return type(given).__name__

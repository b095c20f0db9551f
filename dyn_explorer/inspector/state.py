"""What a person has chosen: validated traits, one JSON object, and its undo history."""

from __future__ import annotations

import difflib
import math
import numbers
import threading
import time
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from traitlets import Any, HasTraits, observe, validate

from dyn_explorer.capture import History
from dyn_explorer.errors import DynExplorerError

MIN_WINDOW = 3
CHOICES = ("panel", "layer", "layers", "axis", "sample", "epoch", "window", "rank", "method", "mode")
# A change of any of these asks for other snapshots, so what was known about the old ones no longer binds.
SNAPSHOT_CHOICES = ("layer", "layers", "axis", "sample", "epoch")
# What a computation may have to fit to what it found.
FITTED_CHOICES = ("axis", "window", "rank", "mode")


@dataclass
class Limits:
    """What is known so far about the values that the choices may take; None where nothing is known yet.

    Attributes
    ----------
    layers : dict of str to (str or None)
        Layer names, each with the reason why it cannot be chosen, or None where it can.
    options : dict of str to tuple
        Allowed values of the choices that are menus (``panel``, ``axis``, ``method``).
    history : History or None
        Of the training run, if the model was opened with one; it may grow.
    n_samples, n_snapshots, n_features, n_rows : int or None
        Number of inputs, of columns and rows of the present snapshot matrix, of modes (a conjugate pair is one).
    """

    layers: dict[str, str | None] = field(default_factory=dict)
    options: dict[str, tuple] = field(default_factory=dict)
    history: History | None = None
    n_samples: int | None = None
    n_snapshots: int | None = None
    n_features: int | None = None
    n_rows: int | None = None

    @property
    def epochs(self) -> tuple[int, ...]:
        """Epochs that can be looked at, at this moment; none without a history."""
        return () if self.history is None else self.history.epochs


class Choice(Any):
    """A trait that is checked and stored in one go; observers run afterwards, without the lock."""

    allow_none = False  # traitlets would let None pass unchecked

    def set(self, obj, value) -> None:
        """Store a checked value and tell observers if it is another one."""
        with obj.lock:
            new = self._validate(obj, value)
            old = obj._trait_values.get(self.name, self.default_value)
            obj._trait_values[self.name] = new
            if old != new:
                obj._took(self.name)
        if old != new:
            obj._notify_trait(self.name, old, new)


class InspectorState(HasTraits):
    """The linked choices that every panel reads.

    Traits
    ------
    panel, layer, axis, method : str
    layers : tuple of str
        Layers taken together; empty means "as the axis needs".
    sample, mode : int
        Input shown; row of the mode table (a conjugate pair is one row).
    epoch : int or None
        Epoch of the history that is looked at; None is the model as it is now.
    window : (start, stop) or None
        Columns of the snapshot matrix, stop exclusive; None until it is known.
    rank : int, float in (0, 1) or None
        As in `dyn_explorer.analysis.dmd`.

    A bad value raises `DynExplorerError` at once and the old value stays.

    Notes
    -----
    A person chooses in one thread while a worker computes in another. The worker reads a `working_copy`, fits window,
    rank and mode there to what it finds, and gives it back with `adopt`, which does nothing if the person has moved on.
    """

    panel = Choice("dynamics")
    layer = Choice("")
    layers = Choice(())
    axis = Choice("channel")
    sample = Choice(0)
    epoch = Choice(None)
    window = Choice(None)
    rank = Choice(None)
    method = Choice("exact")
    mode = Choice(0)

    def __init__(self, *args, limits: Limits | None = None, **kwargs) -> None:
        self.lock = threading.RLock()
        self.limits = limits or Limits()
        self._of_this_thread = threading.local()
        self._changes = 0
        self._window_was_full = True
        super().__init__(*args, **kwargs)

    @contextmanager
    def automatic(self):
        """Changes inside, by this thread, are consequences of a choice, not choices: they make no step to undo."""
        here = self._of_this_thread
        here.depth = getattr(here, "depth", 0) + 1
        try:
            yield
        finally:
            here.depth -= 1

    @property
    def is_automatic(self) -> bool:
        """Whether the change under way in this thread is a consequence, not a choice."""
        return getattr(self._of_this_thread, "depth", 0) > 0

    @contextmanager
    def by_hand(self):
        """Changes inside, by this thread, come from a control in the page: a drag of one control is one step."""
        self._of_this_thread.by_hand = True
        try:
            yield
        finally:
            self._of_this_thread.by_hand = False

    @property
    def is_by_hand(self) -> bool:
        """Whether the change under way in this thread comes from a control in the page."""
        return getattr(self._of_this_thread, "by_hand", False)

    untouched = False  # whether nobody has chosen anything yet; only then may a computation choose the axis

    def working_copy(self) -> InspectorState:
        """The choices at this moment, for a computation to read and to fit."""
        copy = InspectorState()
        with self.lock:
            copy._trait_values.update({name: getattr(self, name) for name in CHOICES})
            copy.limits = replace(self.limits)
            copy._window_was_full = self._window_was_full
            copy._changes_at_start = self._changes
        return copy

    def adopt(self, copy: InspectorState) -> bool:
        """Take over what a computation has found out, unless a choice was made since; whether it was taken."""
        with self.lock:
            if self._changes != copy._changes_at_start:
                return False
            self.limits = replace(copy.limits, layers=self.limits.layers)
            self._window_was_full = copy._window_was_full
            before = {name: getattr(self, name) for name in FITTED_CHOICES}
            self._trait_values.update({name: getattr(copy, name) for name in FITTED_CHOICES})
        self._tell(before)
        return True

    def _tell(self, before: dict) -> None:
        with self.automatic():
            for name, old in before.items():
                if old != getattr(self, name):
                    self._notify_trait(name, old, getattr(self, name))

    def _took(self, name: str) -> None:
        """What a new value of a choice means for what is known; called with the lock held."""
        self._changes += 1
        if name in SNAPSHOT_CHOICES:
            self.limits = replace(self.limits, n_snapshots=None, n_features=None, n_rows=None)
        elif name in ("window", "rank", "method"):
            self.limits = replace(self.limits, n_rows=None)
        if name == "window":
            self._window_was_full = self.window == (0, self.limits.n_snapshots)

    @validate("panel", "axis", "method")
    def _menu(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        allowed = self.limits.options.get(name)
        if allowed is not None and value not in allowed:
            raise DynExplorerError(f"`{name}` (={value!r}) must be one of {', '.join(map(repr, allowed))}.")
        return value

    @validate("layer")
    def _layer(self, proposal):
        return self._known_layer("layer", proposal["value"])

    @validate("layers")
    def _layers(self, proposal):
        value = proposal["value"]
        if isinstance(value, str) or not hasattr(value, "__iter__"):
            raise DynExplorerError(f"`layers` (={value!r}) must be a sequence of layer names.")
        return tuple(self._known_layer("layers", name) for name in value)

    def _known_layer(self, trait: str, name):
        known = self.limits.layers
        if not isinstance(name, str):
            raise DynExplorerError(f"`{trait}` (={name!r}) must be the name of a layer, a str.")
        if known and name not in known:
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.3) or list(known)[:3]
            raise DynExplorerError(f"there is no layer {name!r}; the nearest names are {', '.join(map(repr, near))}.")
        if known.get(name):
            raise DynExplorerError(f"layer {name!r} cannot be shown: {known[name]}. Choose another layer.")
        return name

    @validate("sample")
    def _sample(self, proposal):
        return self._index("sample", proposal["value"], self.limits.n_samples, "inputs")

    @validate("epoch")
    def _epoch(self, proposal):
        value, known = proposal["value"], self.limits.epochs
        if value is None:
            return None
        if not known:
            raise DynExplorerError(
                f"`epoch` (={value!r}) cannot be chosen: there is no history; open the model with "
                "explore(model, inputs, history=history)."
            )
        is_whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
        if not is_whole or value not in known:
            raise DynExplorerError(f"`epoch` (={value!r}) must be None or an epoch of the history: {_listed(known)}.")
        return int(value)

    @validate("mode")
    def _mode(self, proposal):
        return self._index("mode", proposal["value"], self.limits.n_rows, "modes")

    def _index(self, name: str, value, count: int | None, noun: str) -> int:
        if isinstance(value, bool) or not isinstance(value, numbers.Integral):
            raise DynExplorerError(f"`{name}` (={value!r}) must be an integer.")
        if value < 0 or (count is not None and value >= count):
            upper = "" if count is None else f"..{count - 1}, because there are {count} {noun}"
            raise DynExplorerError(f"`{name}` (={value}) must lie in 0{upper}.")
        return int(value)

    @validate("window")
    def _window(self, proposal):
        value, count = proposal["value"], self.limits.n_snapshots
        if value is None:
            return None if count is None else (0, count)
        try:
            start, stop = value
        except (TypeError, ValueError):
            raise DynExplorerError(f"`window` (={value!r}) must be a pair (start, stop) of columns.") from None
        whole = all(isinstance(end, numbers.Integral) and not isinstance(end, bool) for end in (start, stop))
        if not whole or start < 0 or stop - start < MIN_WINDOW or (count is not None and stop > count):
            most = "the number of snapshots" if count is None else f"{count}, the number of snapshots"
            raise DynExplorerError(
                f"`window` (={value!r}) must be integers (start, stop) with 0 <= start, "
                f"stop - start >= {MIN_WINDOW} and stop <= {most}."
            )
        return int(start), int(stop)

    @validate("rank")
    def _rank(self, proposal):
        value = proposal["value"]
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, numbers.Real) or math.isnan(value):
            raise DynExplorerError(f"`rank` (={value!r}) must be an integer, an energy fraction in (0, 1) or None.")
        if isinstance(value, numbers.Integral):
            most = self.most_rank
            if value < 1 or (most is not None and value > most):
                upper = "" if most is None else f"..{most} for the window {self.window} of these snapshots"
                raise DynExplorerError(f"`rank` (={value}) must lie in 1{upper}.")
            return int(value)
        if not 0 < value < 1:
            raise DynExplorerError(f"`rank` (={value}) as an energy fraction must lie strictly between 0 and 1.")
        return float(value)

    @property
    def most_rank(self) -> int | None:
        """Largest rank of the present window, or None while its snapshots are unknown."""
        if self.limits.n_snapshots is None or self.window is None:
            return None
        most = self.window[1] - self.window[0] - 1
        return most if self.limits.n_features is None else min(most, self.limits.n_features)

    @observe("window")
    def _lower_rank(self, _change) -> None:
        most = self.most_rank
        if isinstance(self.rank, int) and most is not None and self.rank > most:
            with self.automatic():
                self.rank = most

    def meet_snapshots(self, n_snapshots: int, n_features: int | None = None) -> list[str]:
        """Fit window and rank to a snapshot matrix that has just become known; say what had to change.

        A window that took in everything goes on doing so; one that the person narrowed is kept as far as it fits.
        """
        notes: list[str] = []
        window, rank, was_full = self.window, self.rank, self._window_was_full
        full = (0, n_snapshots)
        self.limits = replace(self.limits, n_snapshots=n_snapshots, n_features=n_features)
        with self.automatic():
            if window is None or was_full or window[1] > n_snapshots:
                self.window = full
            self._window_was_full = self.window == full
            self._lower_rank(None)
        if window is not None and not was_full and self.window != window:
            notes.append(f"The window {window} was changed to {full}: there are {n_snapshots} snapshots here.")
        if self.rank != rank:
            notes.append(f"Rank {rank} was lowered to {self.rank}, the most that these snapshots allow.")
        return notes

    def meet_rows(self, n_rows: int) -> None:
        """Fit the chosen mode to a DMD that has just become known."""
        self.limits = replace(self.limits, n_rows=n_rows)
        if self.mode >= n_rows:
            with self.automatic():
                self.mode = max(n_rows - 1, 0)

    def choices(self) -> dict:
        """The linked choices as plain JSON values."""
        values = {name: getattr(self, name) for name in CHOICES}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    def choose(self, choices: dict) -> None:
        """Set several choices at once; either all are taken or none.

        Raises
        ------
        DynExplorerError
            For an unknown name or a bad value; the state is then as it was.
        """
        if not isinstance(choices, Mapping):
            raise DynExplorerError(f"choices (={choices!r}) must be a dict with some of {', '.join(CHOICES)}.")
        unknown = [name for name in choices if name not in CHOICES]
        if unknown:
            raise DynExplorerError(f"unknown choices {unknown}; known are {', '.join(CHOICES)}.")
        with self.lock:
            before = {name: getattr(self, name) for name in CHOICES}
            limits, was_full = self.limits, self._window_was_full
        try:
            # In the order of CHOICES: layer and axis come before the window, and the window before the rank.
            for name in CHOICES:
                if name in choices:
                    value = choices[name]
                    setattr(self, name, tuple(value) if isinstance(value, list) else value)
        except DynExplorerError:
            self._restore(before, limits, was_full)
            raise

    def _restore(self, values: dict, limits: Limits, was_full: bool) -> None:
        # Not checked again: what was in force may stay in force, even where it could no longer be chosen.
        with self.lock:
            failed = {name: getattr(self, name) for name in values}
            self._trait_values.update(values)
            self._changes += 1
            self.limits, self._window_was_full = limits, was_full
        self._tell(failed)


def _listed(epochs: tuple[int, ...]) -> str:
    if len(epochs) <= 8:
        return ", ".join(map(str, epochs))
    return f"{', '.join(map(str, epochs[:3]))}, ..., {epochs[-1]}"


class UndoHistory:
    """States that were, and states that were undone; a drag of one control is one step.

    Examples
    --------
    >>> history = UndoHistory({"rank": 1})
    >>> history.push({"rank": 2})
    >>> history.undo()
    {'rank': 1}
    >>> history.redo()
    {'rank': 2}
    """

    LONGEST = 200
    ONE_DRAG = 0.8  # seconds between two changes of one control that are still one gesture

    def __init__(self, state: dict) -> None:
        self._lock = threading.Lock()
        self._states = [state]
        self._position = 0
        self._last: tuple[str | None, float] = (None, 0.0)

    def push(self, state: dict, control: str | None = None) -> None:
        """Add a state; quick changes by the hand at one `control` are one step, changes by a program (None) never."""
        now = time.monotonic()
        with self._lock:
            name, at = self._last
            same_gesture = control is not None and name == control and now - at < self.ONE_DRAG
            self._last = (control, now)
            del self._states[self._position + 1 :]
            if same_gesture:
                self._states[self._position] = state
            elif state != self._states[self._position]:
                self._states = [*self._states, state][-self.LONGEST :]
                self._position = len(self._states) - 1

    def settle(self, before: dict, after: dict) -> None:
        """Replace the present state, if it still is `before`, by what it became once its snapshots were known."""
        with self._lock:
            if self._states[self._position] == before:
                self._states[self._position] = after

    @property
    def can_undo(self) -> bool:
        """Whether there is an earlier state."""
        return self._position > 0

    @property
    def can_redo(self) -> bool:
        """Whether there is a later state."""
        return self._position + 1 < len(self._states)

    def undo(self) -> dict | None:
        """Step back; None at the beginning."""
        return self._step(-1)

    def redo(self) -> dict | None:
        """Step forward; None at the end."""
        return self._step(1)

    def _step(self, by: int) -> dict | None:
        with self._lock:
            if not 0 <= self._position + by < len(self._states):
                return None
            self._position += by
            self._last = (None, 0.0)
            return self._states[self._position]

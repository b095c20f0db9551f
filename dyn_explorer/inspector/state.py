"""What a person has chosen: validated traits, one JSON object, and its undo history."""

from __future__ import annotations

import difflib
import math
import numbers
import time
from contextlib import contextmanager
from dataclasses import dataclass, field

from traitlets import Any, HasTraits, observe, validate

from dyn_explorer.errors import DynExplorerError

MIN_WINDOW = 3
CHOICES = ("panel", "layer", "layers", "axis", "sample", "window", "rank", "method", "mode")
# A change of any of these asks for other snapshots, so what was known about the old ones no longer binds.
SNAPSHOT_CHOICES = ("layer", "layers", "axis", "sample")


@dataclass
class Limits:
    """What is known so far about the values that the choices may take; None where nothing is known yet.

    Attributes
    ----------
    layers : dict of str to (str or None)
        Layer names, each with the reason why it cannot be chosen, or None where it can.
    options : dict of str to tuple
        Allowed values of the choices that are menus (``panel``, ``axis``, ``method``).
    n_samples, n_snapshots, n_rows : int or None
        Number of inputs, of columns in the present snapshot matrix, of modes (a conjugate pair is one).
    """

    layers: dict[str, str | None] = field(default_factory=dict)
    options: dict[str, tuple] = field(default_factory=dict)
    n_samples: int | None = None
    n_snapshots: int | None = None
    n_rows: int | None = None


class InspectorState(HasTraits):
    """The linked choices that every panel reads.

    Traits
    ------
    panel, layer, axis, method : str
    layers : tuple of str
        Layers taken together; empty means "as the axis needs".
    sample, mode : int
        Input shown; row of the mode table (a conjugate pair is one row).
    window : (start, stop) or None
        Columns of the snapshot matrix, stop exclusive; None until it is known.
    rank : int, float in (0, 1) or None
        As in `dyn_explorer.analysis.dmd`.

    A bad value raises `DynExplorerError` at once and the old value stays.
    """

    panel = Any("dynamics")
    layer = Any("")
    layers = Any(())
    axis = Any("channel")
    sample = Any(0)
    window = Any(None)
    rank = Any(None)
    method = Any("exact")
    mode = Any(0)

    def __init__(self, *args, limits: Limits | None = None, **kwargs) -> None:
        self.limits = limits or Limits()
        self._automatic = 0
        self._is_meeting = False
        self._window_was_full = True
        super().__init__(*args, **kwargs)

    @contextmanager
    def automatic(self):
        """Changes inside are consequences of a person's choice, not choices: they make no step to undo."""
        self._automatic += 1
        try:
            yield
        finally:
            self._automatic -= 1

    @property
    def is_automatic(self) -> bool:
        """Whether the change under way is a consequence, not a choice."""
        return self._automatic > 0

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
                upper = "" if most is None else f"..{most} for the window {self.window}"
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
        return self.window[1] - self.window[0] - 1

    @observe(*SNAPSHOT_CHOICES)
    def _forget_snapshots(self, _change) -> None:
        self.limits.n_snapshots = None
        self.limits.n_rows = None

    @observe("window", "rank", "method")
    def _forget_rows(self, change) -> None:
        self.limits.n_rows = None
        most = self.most_rank
        if change["name"] == "window" and isinstance(self.rank, int) and most is not None and self.rank > most:
            with self.automatic():
                self.rank = most

    def meet_snapshots(self, n_snapshots: int) -> list[str]:
        """Fit window and rank to a snapshot matrix that has just become known; say what had to change.

        A window that took in everything goes on doing so; one that the person narrowed is kept as far as it fits.
        """
        notes: list[str] = []
        old, known = self.window, self.limits.n_snapshots
        self.limits.n_snapshots = n_snapshots
        if known == n_snapshots and old is not None:
            return notes
        full = (0, n_snapshots)
        fits = old is not None and old[1] <= n_snapshots
        with self._meeting_snapshots():
            if old is None or not fits or self._window_was_full:
                self.window = full
                if old is not None and not self._window_was_full:
                    notes.append(f"The window {old} was widened to {full}: there are {n_snapshots} snapshots here.")
            if isinstance(self.rank, int) and self.rank > self.most_rank:
                notes.append(f"Rank {self.rank} was lowered to {self.most_rank}, the most that this window allows.")
                self.rank = self.most_rank
        self._window_was_full = self.window == full
        return notes

    @contextmanager
    def _meeting_snapshots(self):
        self._is_meeting = True
        try:
            with self.automatic():
                yield
        finally:
            self._is_meeting = False

    @observe("window")
    def _remember_full(self, _change) -> None:
        if not self._is_meeting:
            self._window_was_full = self.window == (0, self.limits.n_snapshots)

    def meet_rows(self, n_rows: int) -> None:
        """Fit the chosen mode to a DMD that has just become known."""
        self.limits.n_rows = n_rows
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
        unknown = set(choices) - set(CHOICES)
        if unknown:
            raise DynExplorerError(f"unknown choices {sorted(unknown)}; known are {', '.join(CHOICES)}.")
        before = self.choices()
        limits = Limits(**vars(self.limits))
        try:
            self._assign(choices)
        except DynExplorerError:
            self._assign(before)
            self.limits = limits
            raise

    def _assign(self, choices: dict) -> None:
        # In the order of CHOICES, so that layer and axis come before the window, and the window before the rank.
        for name in CHOICES:
            if name in choices:
                value = choices[name]
                setattr(self, name, tuple(value) if isinstance(value, list) else value)


class UndoHistory:
    """States that were, and states that were undone; a drag of one control is one step.

    Examples
    --------
    >>> history = UndoHistory({"rank": 1})
    >>> history.push({"rank": 2}, "rank")
    >>> history.undo()
    {'rank': 1}
    >>> history.redo()
    {'rank': 2}
    """

    LONGEST = 200
    ONE_DRAG = 0.8  # seconds between two changes of one control that are still one gesture

    def __init__(self, state: dict) -> None:
        self._states = [state]
        self._position = 0
        self._last = ("", 0.0)

    def push(self, state: dict, control: str) -> None:
        """Add a state that a change of `control` led to."""
        now = time.monotonic()
        same_gesture = self._last[0] == control and now - self._last[1] < self.ONE_DRAG and self._position > 0
        if same_gesture:
            self._states[self._position] = state
        else:
            self._states[self._position + 1 :] = [state]
            self._states = self._states[-self.LONGEST :]
            self._position = len(self._states) - 1
        del self._states[self._position + 1 :]
        self._last = (control, now)

    def settle(self, state: dict) -> None:
        """Replace the present state by what it became once its snapshots were known."""
        self._states[self._position] = state

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
        return self._step(-1) if self.can_undo else None

    def redo(self) -> dict | None:
        """Step forward; None at the end."""
        return self._step(1) if self.can_redo else None

    def _step(self, by: int) -> dict:
        self._position += by
        self._last = ("", 0.0)
        return self._states[self._position]

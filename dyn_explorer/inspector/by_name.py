"""Choices and options under the names that the page has for them, as "rank", "classes.edge" or "layer,sample"."""

from __future__ import annotations

from dyn_explorer.errors import DynExplorerError

from .panel_options import PanelOptions
from .state import CHOICES, InspectorState


class ByName:
    """Linked choices, options of panels, and several of them together.

    Parameters
    ----------
    state : InspectorState
    options : PanelOptions
    """

    def __init__(self, state: InspectorState, options: PanelOptions) -> None:
        self._state = state
        self._options = options

    def get(self, name: str):
        """The value; of names joined by commas a tuple of values."""
        if "," in name:
            return tuple(map(self.get, name.split(",")))
        key, dot, option = name.partition(".")
        return self._options.get(key, option) if dot else getattr(self._state, name)

    def set(self, name: str, value) -> None:
        """Set the value; of names joined by commas each its own.

        Raises
        ------
        DynExplorerError
            If there is no such choice, or it cannot be this.
        """
        if "," in name:
            for part, its_value in zip(name.split(","), value, strict=True):
                self.set(part, its_value)
            return
        key, dot, option = name.partition(".")
        if dot:
            self._options.set(key, option, value)
        elif name in CHOICES:
            setattr(self._state, name, tuple(value) if isinstance(value, list) else value)
        else:
            raise DynExplorerError(f"there is no choice {name!r}; the choices are {', '.join(CHOICES)}.")

    def shown(self, chooses: str) -> dict:
        """The linked choices, and what a row of the open panel's table sets."""
        return {**self._state.choices(), chooses: self.get(chooses)}


def in_order(names) -> list[str]:
    """Layer and axis before the window, the window before the rank, as the checks of each need it; then the options."""
    return sorted(names, key=lambda name: CHOICES.index(name) if name in CHOICES else len(CHOICES))

"""The options of all panels: read and set by name, all or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from traitlets import TraitError

from dyn_explorer.errors import DynExplorerError

from .panels import Panel


class PanelOptions:
    """Options of panels by the panel's key.

    Parameters
    ----------
    panels : dict of str to Panel
    """

    def __init__(self, panels: Mapping[str, Panel]) -> None:
        self._panels = panels

    def panel(self, key: str) -> Panel:
        """The panel of this key.

        Raises
        ------
        DynExplorerError
            If there is none.
        """
        if key not in self._panels:
            raise DynExplorerError(f"there is no panel {key!r}; the panels are {', '.join(self._panels)}.")
        return self._panels[key]

    def values(self) -> dict[str, dict]:
        """Every option of every panel."""
        return {key: panel.options.trait_values() for key, panel in self._panels.items()}

    def changed(self) -> dict[str, dict]:
        """Only the options that are not as a new panel has them."""
        changed = {}
        for key, panel in self._panels.items():
            plain = type(panel.options)().trait_values()
            values = {name: value for name, value in panel.options.trait_values().items() if value != plain[name]}
            if values:
                changed[key] = values
        return changed

    def get(self, key: str, name: str):
        """One option's value."""
        return getattr(self.panel(key).options, name)

    def set(self, key: str, name: str, value) -> None:
        """Give one option a value.

        Raises
        ------
        DynExplorerError
            If there is no such panel or option, or it cannot take the value.
        """
        options = self.panel(key).options
        if name not in options.trait_names():
            raise DynExplorerError(f"panel {key!r} has no option {name!r}; it has {', '.join(options.trait_names())}.")
        try:
            setattr(options, name, value)
        except TraitError as error:
            raise DynExplorerError(f"option {name!r} of panel {key!r} cannot be {value!r}: {error}") from error

    def take(self, changes: Mapping[str, Mapping]) -> None:
        """Set options of several panels; either all are taken or none."""
        for key in changes:
            self.panel(key)
        before = self.values()
        try:
            self._put(changes)
        except DynExplorerError:
            self._put({key: before[key] for key in changes})
            raise

    def _put(self, changes: Mapping[str, Mapping]) -> None:
        for key, values in changes.items():
            for name, value in values.items():
                self.set(key, name, value)

    def observe(self, handler: Callable) -> None:
        """Call ``handler(change)`` at each change of an option."""
        for panel in self._panels.values():
            panel.options.observe(handler)

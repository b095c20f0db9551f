"""Inspectors that stand beside the notebook, one for each model variable, in tabs that JupyterLab opens for them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from comm import create_comm

from dyn_explorer.errors import DynExplorerError
from dyn_explorer.kernel_listing import Listing

from .widget import Inspector

# What the JupyterLab extension listens to, and how it knows a cell's output whose inspector stands at the side.
TARGET = "dyn_explorer.side"
MIMETYPE = "application/vnd.dyn_explorer.side+json"


@dataclass(eq=False)
class Place:
    """One tab.

    Attributes
    ----------
    key : str
        Names the tab: the variable of the model where there is one, else its class.
    title : str
        What the tab is called.
    looked_at : tuple
        Model, inputs and labels.
    options : dict
        The other arguments of the inspector.
    inspector : Inspector
        What it shows.
    """

    key: str
    title: str
    looked_at: tuple
    options: dict
    inspector: Inspector
    _line: object = field(default=None, repr=False)

    @property
    def address(self) -> dict:
        """What a front end needs to open the tab: ``model_id``, ``title`` and ``key``."""
        return {"model_id": self.inspector.model_id, "title": self.title, "key": self.key}

    def announce(self) -> None:
        """Ask the front end to open the tab; one without the extension does nothing."""
        self.hang_up()
        self.inspector.beside_the_view[MIMETYPE] = self.address
        self._line = create_comm(target_name=TARGET, data=self.address)

    def hang_up(self) -> None:
        """Close the line to the front end."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def shows(self, looked_at: tuple, options: dict) -> bool:
        """Whether the inspector is open and made from these very objects."""
        same = [one is other for one, other in zip(self.looked_at, looked_at, strict=True)]
        alike = [_are_alike(self.options.get(name), value) for name, value in options.items()]
        return self.inspector.comm is not None and all(same) and all(alike)


def _are_alike(one, other) -> bool:
    """Whether it is one object; names, which a cell that runs again writes anew, are compared by value."""
    are_names = all(isinstance(item, str | list | tuple) for item in (one, other))
    return one is other or (are_names and list(one) == list(other))


_places: dict[str, Place] = {}


def take_place(looked_at: tuple, options: dict, *, key: str | None = None) -> Place:
    """The tab of a model's variable, with an inspector of these objects in it.

    An inspector that was made from them already stays and is refreshed. Else a new one is made; it takes over the view
    of the one before it, which is closed.

    Parameters
    ----------
    looked_at : tuple
        Model, inputs and labels.
    options : dict
        The other arguments of the inspector; those that are left out may be what they are.
    key : str, optional
        Default the first variable that holds the model, else its class.
    """
    namespace = variables()
    model, inputs, _labels = looked_at
    key = key or name_of(model, namespace) or type(model).__name__
    title = f"{key} · {name_of(inputs, namespace) or 'inputs'}"
    before = _places.get(key)
    if before is not None and before.shows(looked_at, options):
        before.title = title
        before.inspector.refresh()
        return before
    place = _places[key] = Place(key, title, looked_at, options, Inspector(*looked_at, **options))
    if before is not None:
        _hand_over(before, place)
    return place


def _hand_over(before: Place, place: Place) -> None:
    try:
        place.inspector.load_state(before.inspector.state())
    except DynExplorerError as error:
        place.inspector.note(f"The view begins anew, as the last one does not fit this model: {error}")
    before.hang_up()
    before.inspector.close()


def variables() -> dict:
    """The person's variables by name; none outside of IPython."""
    interactive = sys.modules.get("IPython")
    shell = interactive.get_ipython() if interactive else None
    return {} if shell is None else shell.user_ns


def name_of(value, namespace: dict) -> str | None:
    """The first public name of an object among the variables; None where it has none."""
    names = (name for name, held in list(namespace.items()) if held is value and not str(name).startswith("_"))
    return next(names, None)


def show(model: str, inputs: str, labels: str | None = None) -> Listing:
    """Open the inspector of some variables, for a front end that knows their names.

    Parameters
    ----------
    model, inputs, labels : str
        Names of the person's variables.

    Returns
    -------
    Listing
        ``content`` holds ``ok``; then ``model_id``, ``title``, ``key`` and ``code``, the line of Python that does the
        same, or else ``error``, what is wrong and what to do.
    """
    names = [model, inputs] if labels is None else [model, inputs, labels]
    namespace = variables()
    for name in names:
        if name not in namespace:
            return _refused(f"there is no variable {name!r} any more; run the cell that makes it.")
    looked_at = (namespace[model], namespace[inputs], None if labels is None else namespace[labels])
    code = f'dx.explore({", ".join(names)}, where="side")'
    return _answer(lambda: take_place(looked_at, {}, key=model), code=code)


def again(key: str) -> Listing:
    """Look again at what a tab shows, because a cell has changed the model or put another one into its variable.

    Parameters
    ----------
    key : str
        Of the tab.

    Returns
    -------
    Listing
        As of `show`, without ``code``.
    """
    if key not in _places:
        return _refused(f"nothing of {key!r} is open in this kernel; press Explore.")
    place = _places[key]
    _, *others = place.looked_at
    model = variables().get(key)
    if not isinstance(model, torch.nn.Module):
        model = place.looked_at[0]
    return _answer(lambda: take_place((model, *others), place.options, key=key))


def _answer(take: Callable[[], Place], **more) -> Listing:
    try:
        place = take()
    except DynExplorerError as error:
        return _refused(str(error))
    return Listing({"ok": True, **place.address, **more})


def _refused(error: str) -> Listing:
    return Listing({"ok": False, "error": error})

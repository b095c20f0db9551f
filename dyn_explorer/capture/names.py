"""Layer names that the person gave, checked against those the model has."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence

from dyn_explorer.errors import DynExplorerError

from .layers import LayerInfo


def check_names(layers: str | Iterable[str] | None, listed: Sequence[LayerInfo]) -> Callable[[str], bool]:
    """Turn the person's choice of layers into a test on run names.

    Parameters
    ----------
    layers : str, iterable of str or None
        None means every layer without layers inside, in all its runs.
    listed : sequence of LayerInfo
        The model's layers.

    Raises
    ------
    DynExplorerError
        If a name is unknown (with the nearest names) or its layer cannot be recorded.

    Example
    -------
    >>> wanted = check_names(["relu#2"], [LayerInfo("relu", "ReLU")])
    >>> wanted("relu"), wanted("relu#2")
    (False, True)
    """
    if layers is None:
        leaves = {layer.name for layer in listed if layer.is_leaf and layer.disabled_because is None}
        return lambda name: name in leaves or first_run(name) in leaves
    names = [layers] if isinstance(layers, str) else list(layers)
    if not names:
        raise DynExplorerError("`layers` is empty; name at least one layer, or leave it out to record all of them")
    by_name = {layer.name: layer for layer in listed}
    for name in names:
        layer = by_name.get(name) or by_name.get(first_run(name))
        if layer is None:
            raise DynExplorerError(f"unknown layer {name!r}; {nearest(name, list(by_name))}")
        if layer.disabled_because is not None:
            raise DynExplorerError(f"layer {name!r} cannot be recorded: {layer.disabled_because}")
    return set(names).__contains__


def first_run(name: str) -> str:
    """Return the name of a layer's first run.

    Example
    -------
    >>> first_run("relu#2"), first_run("relu")
    ('relu', 'relu')
    """
    base, mark, number = name.rpartition("#")
    return base if mark and number.isdigit() and int(number) > 1 else name


def nearest(name: object, names: Sequence[str]) -> str:
    """Say which of `names` are most like `name`.

    Example
    -------
    >>> nearest("conv", ["conv1", "fc"])
    'the nearest names are: conv1'
    """
    close = difflib.get_close_matches(str(name), names, n=5, cutoff=0.4)
    if close:
        return f"the nearest names are: {', '.join(close)}"
    shown = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
    return f"the layers are: {shown}"

"""Layers by name and kind, for models with hundreds of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from torch import nn

from dyn_explorer.errors import DynExplorerError

from .epochs import EpochRecording
from .layers import LayerInfo, list_layers
from .recording import Recording

_SHOWN = 8


def select_layers(
    source: nn.Module | Recording | EpochRecording,
    pattern: str | re.Pattern | Callable[[LayerInfo], bool] | None = None,
    *,
    kinds: str | Iterable[str] | None = None,
) -> list[str]:
    """Choose layers by name and kind.

    Parameters
    ----------
    source : torch.nn.Module, Recording or EpochRecording
        A model's layers come in ``named_modules()`` order; those of a recording in execution order, and only what was
        recorded.
    pattern : str, re.Pattern or callable, optional
        A regular expression found anywhere in the name, or a function of a `LayerInfo`.
    kinds : str or iterable of str, optional
        Class names, such as "Conv2d"; or "convolution" for every layer with a convolution's weight, whatever its class
        is called. Without it, a model's layers that hold other layers are passed over.

    Returns
    -------
    list of str
        At least one name, for `record` and `snapshots`.

    Raises
    ------
    DynExplorerError
        If the pattern is no regular expression, or nothing matches.

    Example
    -------
    >>> model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Conv2d(2, 4, 3))
    >>> select_layers(model, kinds="Conv2d"), select_layers(model, "[12]")
    (['0', '2'], ['1', '2'])
    >>> select_layers(model, lambda layer: layer.n_parameters > 50)
    ['2']
    """
    candidates = _candidates(source, with_containers=kinds is not None)
    matches = _matcher(pattern)
    wanted = None if kinds is None else {kinds} if isinstance(kinds, str) else set(kinds)
    chosen = [layer.name for layer in candidates if matches(layer) and (wanted is None or _is_of(layer, wanted))]
    if not chosen:
        raise DynExplorerError(_nothing(candidates, pattern, wanted))
    return chosen


def is_convolution(layer: LayerInfo) -> bool:
    """Whether a layer has a convolution's weight: channels out, channels in, and one to three kernel sides.

    Example
    -------
    >>> is_convolution(LayerInfo("0", "Conv2d", (4, 1, 3, 3))), is_convolution(LayerInfo("1", "Linear", (4, 9)))
    (True, False)
    """
    return layer.weight_shape is not None and len(layer.weight_shape) in (3, 4, 5)


def _candidates(source: object, *, with_containers: bool) -> Sequence[LayerInfo]:
    if isinstance(source, EpochRecording):
        source = source.recordings[0]
    if isinstance(source, Recording):
        return [layer for layer in source.layers if layer.name in source.activations]
    usable = [layer for layer in list_layers(source) if layer.disabled_because is None]
    return [layer for layer in usable if layer.is_leaf or with_containers]


def _matcher(pattern: object) -> Callable[[LayerInfo], object]:
    if pattern is None:
        return lambda _layer: True
    if callable(pattern):
        return pattern
    try:
        found = re.compile(pattern).search
    except (re.error, TypeError) as error:
        raise DynExplorerError(
            f"`pattern` (={pattern!r}) must be a regular expression or a function of a LayerInfo: {error}"
        ) from error
    return lambda layer: found(layer.name)


def _is_of(layer: LayerInfo, kinds: set[str]) -> bool:
    return layer.kind in kinds or ("convolution" in kinds and is_convolution(layer))


def _nothing(candidates: Sequence[LayerInfo], pattern: object, kinds: set[str] | None) -> str:
    asked = [] if pattern is None else [f"pattern {pattern!r}"]
    asked += [] if kinds is None else [f"kinds {sorted(kinds)}"]
    names = [layer.name for layer in candidates]
    shown = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
    there = ", ".join(sorted({layer.kind for layer in candidates}))
    return f"no layer matches {' and '.join(asked)}; the layers are: {shown}; their kinds: {there}"

"""A forward pass in which activations pass their input through: calls are intercepted, the network is not changed."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from dyn_explorer.errors import DynExplorerError

ALL = -1
# fmt: off
_ACTIVATION_NAMES = (
    "relu", "relu6", "elu", "selu", "celu", "leaky_relu", "prelu", "rrelu", "hardtanh", "hardswish", "hardsigmoid",
    "gelu", "silu", "mish", "softplus", "softsign", "logsigmoid", "tanh", "sigmoid", "hardshrink", "softshrink",
    "tanhshrink", "threshold",
)
# fmt: on
_SOFTMAX_NAMES = ("softmax", "log_softmax", "softmin")


def _functions(names: tuple[str, ...]) -> frozenset[Callable]:
    """Every form in which PyTorch offers these functions: of tensors, in place, as methods."""
    spelled = [name + end for name in names for end in ("", "_")]
    homes = (functional, torch, torch.Tensor)
    return frozenset(getattr(home, name) for home in homes for name in spelled if hasattr(home, name))


ACTIVATIONS = _functions(_ACTIVATION_NAMES)
SOFTMAXES = _functions(_SOFTMAX_NAMES)
_BATCH_NORMS = {functional.batch_norm: inspect.signature(functional.batch_norm)}
_POOLS = {
    **{getattr(torch, f"max_pool{n}d"): getattr(functional, f"avg_pool{n}d") for n in (1, 2, 3)},
    **{getattr(functional, f"max_pool{n}d"): getattr(functional, f"avg_pool{n}d") for n in (1, 2, 3)},
    **{getattr(functional, f"adaptive_max_pool{n}d"): getattr(functional, f"adaptive_avg_pool{n}d") for n in (1, 2, 3)},
}
_POOL_ARGUMENTS = ("input", "kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices")


class IdentityForward(TorchFunctionMode):
    """What happens to activations, pooling and BatchNorm while a network runs inside the ``with`` block.

    Parameters
    ----------
    identity_from, identity_to : int, optional
        Activations of these numbers, in the order in which they run and without the last one, are the identity; by
        default none is. `ALL` is every activation and a softmax.
    average_pooling : bool
        Whether max-pooling takes the mean of its window once there was an identity.
    batch_statistics : bool or list of (mean, variance)
        Whether BatchNorm uses the statistics of the batch, or which it uses, one pair for each time one runs.
    more : frozenset of callables
        Further functions that count as activations.
    met : callable, optional
        Called as ``met(function, input)`` for each activation.

    Attributes
    ----------
    count : int
        Activations that have run.
    statistics : list of (mean, variance)
        Of the batch, at each BatchNorm that used it.
    activation, softmax : torch.Tensor or None
        What the last of each returned.
    """

    def __init__(
        self,
        *,
        identity_from: int | None = None,
        identity_to: int | None = None,
        average_pooling: bool = False,
        batch_statistics: bool | list[tuple[torch.Tensor, torch.Tensor]] = False,
        more: frozenset[Callable] = frozenset(),
        met: Callable[[Callable, torch.Tensor], None] | None = None,
    ) -> None:
        super().__init__()
        self._from, self._to = identity_from, identity_to
        self._average_pooling = average_pooling
        self._use_batch = batch_statistics is True
        self._given = iter(batch_statistics) if isinstance(batch_statistics, list) else None
        self._activations = ACTIVATIONS | more
        self._met = met
        self.count = 0
        self.statistics: list[tuple[torch.Tensor, torch.Tensor]] = []
        self.activation: torch.Tensor | None = None
        self.softmax: torch.Tensor | None = None

    def __torch_function__(self, func, types, args=(), kwargs=None):
        """What PyTorch calls instead of each of its functions."""
        kwargs = kwargs or {}
        if func in self._activations:
            return self._activate(func, args, kwargs)
        if func in SOFTMAXES:
            self.softmax = _input(args, kwargs) if self._from == ALL else func(*args, **kwargs)
            return self.softmax
        if func in _POOLS and self._average_pooling and self._from is not None and self.count > self._from:
            return _average(func, args, kwargs)
        if func in _BATCH_NORMS:
            return self._normalise(_BATCH_NORMS[func].bind(*args, **kwargs).arguments)
        return func(*args, **kwargs)

    def _activate(self, func, args, kwargs):
        number, values = self.count, _input(args, kwargs)
        self.count += 1
        if self._met is not None:
            self._met(func, values)
        inside = self._from is not None and number >= self._from and (self._to is None or number < self._to)
        self.activation = values if inside else func(*args, **kwargs)
        return self.activation

    def _normalise(self, given: dict) -> torch.Tensor:
        if self._given is not None:
            mean, variance = next(self._given)
            return functional.batch_norm(**{**given, "running_mean": mean, "running_var": variance, "training": False})
        if not self._use_batch:
            if self._from == ALL and given.get("running_mean") is None:
                raise DynExplorerError(
                    "a BatchNorm above this layer keeps no running statistics, so the linear map needs those of a "
                    "batch: give bn_stats='batch' and inputs=..."
                )
            return functional.batch_norm(**given)
        values = given["input"]
        dims = [dim for dim in range(values.ndim) if dim != 1]
        self.statistics.append((values.mean(dims), values.var(dims, correction=0)))
        return functional.batch_norm(**{**given, "running_mean": None, "running_var": None, "training": True})


def _input(args: tuple, kwargs: dict) -> torch.Tensor:
    return args[0] if args else kwargs["input"]


def _average(func, args: tuple, kwargs: dict) -> torch.Tensor:
    """The mean over each window instead of its largest value; padding counts for nothing."""
    average = _POOLS[func]
    if "adaptive" in average.__name__:
        given = {**dict(zip(("input", "output_size", "return_indices"), args, strict=False)), **kwargs}
        return func(*args, **kwargs) if given.pop("return_indices", False) else average(**given)
    given = {**dict(zip(_POOL_ARGUMENTS, args, strict=False)), **kwargs}
    dilation, indices = given.pop("dilation", 1), given.pop("return_indices", False)
    wide = any(step != 1 for step in (dilation if isinstance(dilation, tuple | list) else [dilation]))
    # What has no mean in this sense stays as it is, and a linear map of it is refused.
    return func(*args, **kwargs) if wide or indices else average(**given, count_include_pad=False)

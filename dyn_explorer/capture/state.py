"""What a model is made of, remembered so that it can be put back bit by bit."""

from __future__ import annotations

import random
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from functools import partial
from types import FunctionType

import numpy as np
import torch
from torch import nn

from dyn_explorer.errors import DynExplorerError

_ATOMS = {type(None), bool, int, float, complex, str, bytes, type, FunctionType, torch.dtype, torch.device}
_SAME_SIZE_INTEGERS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


class CopyBudget:
    """How many bytes of parameters and gradients may still be copied.

    Parameters
    ----------
    n_bytes : int
        The whole budget.

    Example
    -------
    >>> budget = CopyBudget(10)
    >>> budget.take(8), budget.take(8)
    (True, False)
    """

    def __init__(self, n_bytes: int) -> None:
        self._left = n_bytes

    def take(self, n_bytes: int) -> bool:
        """Take `n_bytes` if they are left, and say whether they were."""
        if n_bytes > self._left:
            return False
        self._left -= n_bytes
        return True


def remember(model: nn.Module, budget: CopyBudget) -> Iterator[Callable[[], None]]:
    """Remember everything a model holds; yield one function per remembered thing that puts it back.

    Walks module ``__dict__``s, which hold the parameters, buffers, submodules, hooks and flags too, and the builtin
    containers, tensors, arrays and random generators in them. What lies inside objects of other classes is not
    remembered.

    Parameters
    ----------
    model : torch.nn.Module
        The root.
    budget : CopyBudget
        For parameters and gradients. What does not fit is watched through its version counter instead; everything
        else is always copied.

    Example
    -------
    >>> from torch import nn
    >>> model = nn.BatchNorm1d(2)
    >>> put_back = list(remember(model, CopyBudget(2**20)))
    >>> _ = model.running_mean.add_(1.0)
    >>> for function in put_back: function()
    >>> model.running_mean
    tensor([0., 0.])
    """
    seen: dict[int, object] = {}
    todo: list[object] = [model]
    while todo:
        item = todo.pop()
        # A model of 1,000 modules holds 20,000 numbers, flags and strings: they must cost next to nothing.
        if type(item) in _ATOMS or id(item) in seen:
            continue
        seen[id(item)] = item
        if isinstance(item, dict):
            base = OrderedDict if isinstance(item, OrderedDict) else dict
            yield partial(_restore_dict, base, item, tuple(base.items(item)))
            todo.extend(base.values(item))
        elif isinstance(item, nn.Module):
            todo.append(object.__getattribute__(item, "__dict__"))
        elif isinstance(item, torch.Tensor):
            yield from _remember_tensor(item, budget)
        elif isinstance(item, (list, deque)):
            yield partial(_restore_sequence, item, tuple(item))
            todo.extend(item)
        elif isinstance(item, set):
            yield partial(_restore_set, item, frozenset(item))
            todo.extend(item)
        elif isinstance(item, (tuple, frozenset)):
            todo.extend(item)
        else:
            yield from _remember_value(item)


def remember_global_generators() -> Iterator[Callable[[], None]]:
    """Yield functions that put back torch's (CPU and CUDA), Python's and NumPy's global random generators.

    CUDA generators are left alone while CUDA is not in use, so that looking at a CPU model never starts CUDA.

    Example
    -------
    >>> import random
    >>> put_back = list(remember_global_generators())
    >>> first = random.random()
    >>> for function in put_back: _ = function()
    >>> random.random() == first
    True
    """
    yield from _remember_value(torch.default_generator)
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        cuda_states = torch.cuda.get_rng_state_all()
        yield lambda: torch.cuda.set_rng_state_all(cuda_states)
    python_state = random.getstate()
    yield lambda: random.setstate(python_state)
    # The model may draw from NumPy's global generator, old as it is.
    numpy_state = np.random.get_state(legacy=False)  # noqa: NPY002 - see above
    yield lambda: np.random.set_state(numpy_state)  # noqa: NPY002 - see above


def same_bits(left: torch.Tensor, right: torch.Tensor) -> bool:
    """Whether two dense tensors agree in shape, dtype and every bit; unlike ``==``, NaN equals NaN and 0 is not -0.

    Example
    -------
    >>> import torch
    >>> nan, zero = torch.tensor([float("nan")]), torch.tensor(0.0)
    >>> same_bits(nan, nan.clone()), same_bits(zero, -zero)
    (True, False)
    """
    if left.shape != right.shape or left.dtype != right.dtype:
        return False
    return torch.equal(_as_integers(left.to(right.device)), _as_integers(right))


def _as_integers(tensor: torch.Tensor) -> torch.Tensor:
    tensor = tensor.detach().resolve_conj().resolve_neg()
    if tensor.is_complex():
        tensor = torch.view_as_real(tensor)
    return tensor.view(_SAME_SIZE_INTEGERS[tensor.element_size()])


class _SavedTensor:
    """One tensor: its memory, values, place in autograd and gradient."""

    def __init__(self, tensor: torch.Tensor, budget: CopyBudget | None) -> None:
        self.tensor = tensor
        self.requires_grad = tensor.requires_grad
        self.gradient = tensor.grad if tensor.is_leaf else None
        self.plain = _is_plain(tensor)
        self.memory = tensor.detach()
        self.watch = None if tensor.is_inference() else torch.autograd._unsafe_preserve_version_counter(tensor)
        self.version = None if tensor.is_inference() else tensor._version
        unique = _without_repeats(self.memory) if self.plain else self.memory
        fits = budget is None or budget.take(unique.numel() * unique.element_size())
        self.values = _copy(unique) if fits and not tensor.is_meta else None

    def restore(self) -> None:
        with torch.no_grad(), torch.inference_mode(self.tensor.is_inference()):
            self._restore_values()
        if self.tensor.is_leaf:
            if self.tensor.requires_grad != self.requires_grad:
                self.tensor.requires_grad_(self.requires_grad)
            if self.tensor.grad is not self.gradient:
                self.tensor.grad = self.gradient

    def _restore_values(self) -> None:
        if not self.plain:
            self._restore_opaque()
            return
        if not _same_memory(self.tensor, self.memory):
            self.tensor.data = self.memory
        if self.values is None:
            self._complain_if_changed()
            return
        target = _without_repeats(self.memory)
        if not same_bits(target, self.values):
            target.copy_(self.values)
        self._forget_versions()

    def _restore_opaque(self) -> None:
        if self.version is not None and self.tensor._version != self.version and self.values is not None:
            self.tensor.data = self.values
            self._forget_versions()

    def _forget_versions(self) -> None:
        # Values are back, so a graph the person built before the loan may still be differentiated.
        if self.watch is not None:
            self.watch.__exit__(None, None, None)

    def _complain_if_changed(self) -> None:
        if self.version is not None and self.tensor._version != self.version:
            raise DynExplorerError(
                f"the model's own forward changed a parameter of shape {tuple(self.tensor.shape)} that was too large "
                "to be copied beforehand, so it could not be put back; reload the model's weights, and raise "
                "`parameter_budget` (bytes) next time"
            )


def _is_plain(tensor: torch.Tensor) -> bool:
    ours = type(tensor).__torch_dispatch__ is torch.Tensor.__torch_dispatch__
    return ours and tensor.layout is torch.strided and not (tensor.is_quantized or tensor.is_nested or tensor.is_meta)


def _same_memory(left: torch.Tensor, right: torch.Tensor) -> bool:
    return (
        left.data_ptr() == right.data_ptr()
        and left.shape == right.shape
        and left.stride() == right.stride()
        and left.dtype == right.dtype
        and left.device == right.device
    )


def _without_repeats(tensor: torch.Tensor) -> torch.Tensor:
    # A dimension of stride 0 repeats one element, and such memory cannot be written as a whole.
    index = tuple(slice(0, 1) if step == 0 else slice(None) for step in tensor.stride())
    return tensor[index] if index else tensor


def _copy(tensor: torch.Tensor) -> torch.Tensor:
    try:
        return tensor.clone()
    except torch.OutOfMemoryError:
        return tensor.cpu()


def _remember_tensor(tensor: torch.Tensor, budget: CopyBudget) -> Iterator[Callable[[], None]]:
    yield _SavedTensor(tensor, budget if isinstance(tensor, nn.Parameter) else None).restore
    if tensor.is_leaf and tensor.grad is not None:
        yield _SavedTensor(tensor.grad, budget).restore


def _restore_dict(base: type[dict], container: dict, items: tuple[tuple, ...]) -> None:
    now = tuple(base.items(container))
    if [key for key, _ in now] == [key for key, _ in items]:
        for (key, value), (_, old) in zip(now, items, strict=True):
            if value is not old:
                base.__setitem__(container, key, old)
        return
    base.clear(container)
    for key, old in items:
        base.__setitem__(container, key, old)


def _restore_sequence(container: list | deque, items: tuple) -> None:
    if len(container) == len(items) and all(now is old for now, old in zip(container, items, strict=True)):
        return
    base = list if isinstance(container, list) else deque
    base.clear(container)
    base.extend(container, items)


def _restore_set(container: set, items: frozenset) -> None:
    if container != items:
        set.clear(container)
        set.update(container, items)


def _remember_value(item: object) -> Iterator[Callable[[], None]]:
    if isinstance(item, torch.Generator):
        torch_state = item.get_state()
        yield lambda: item.set_state(torch_state)
    elif isinstance(item, random.Random):
        python_state = item.getstate()
        yield lambda: item.setstate(python_state)
    elif isinstance(item, np.random.Generator):
        bit_state = item.bit_generator.state
        yield lambda: setattr(item.bit_generator, "state", bit_state)
    elif isinstance(item, np.random.RandomState):
        legacy_state = item.get_state(legacy=False)
        yield lambda: item.set_state(legacy_state)
    elif isinstance(item, np.ndarray) and item.flags.writeable:
        values = item.copy()
        yield lambda: np.copyto(item, values)
    elif isinstance(item, bytearray):
        content = bytes(item)
        yield lambda: item.__setitem__(slice(None), content)

"""What a model is made of, remembered so that it can be put back bit by bit."""

from __future__ import annotations

import random
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import nn

from ..errors import DynExplorerError

_ATOMS = (type(None), bool, int, float, complex, str, bytes, torch.Size, torch.dtype, torch.device, type)
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
        if id(item) in seen:
            continue
        seen[id(item)] = item
        if isinstance(item, nn.Module):
            todo.append(object.__getattribute__(item, "__dict__"))
        elif isinstance(item, torch.Tensor):
            limited = isinstance(item, nn.Parameter)
            yield _SavedTensor(item, budget if limited else None).restore
            if item.is_leaf and item.grad is not None:
                yield _SavedTensor(item.grad, budget).restore
        elif isinstance(item, dict):
            yield _SavedDict(item).restore
            todo.extend(value for value in item.values() if not isinstance(value, _ATOMS))
        elif isinstance(item, (list, deque, set)):
            yield _SAVED_CONTAINERS[_base(item)](item).restore
            todo.extend(value for value in item if not isinstance(value, _ATOMS))
        elif isinstance(item, (tuple, frozenset)):
            todo.extend(value for value in item if not isinstance(value, _ATOMS))
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
    >>> for function in put_back: function()
    >>> random.random() == first
    True
    """
    yield from _remember_value(torch.default_generator)
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        cuda_states = torch.cuda.get_rng_state_all()
        yield lambda: torch.cuda.set_rng_state_all(cuda_states)
    python_state = random.getstate()
    yield lambda: random.setstate(python_state)
    numpy_state = np.random.get_state(legacy=False)
    yield lambda: np.random.set_state(numpy_state)


def same_bits(left: torch.Tensor, right: torch.Tensor) -> bool:
    """Whether two dense tensors agree in shape, dtype and every bit; unlike ``==``, NaN equals NaN and 0 is not -0.

    Example
    -------
    >>> import torch
    >>> same_bits(torch.tensor([float("nan")]), torch.tensor([float("nan")])), same_bits(torch.tensor(0.0), -torch.tensor(0.0))
    (True, False)
    """
    if left.shape != right.shape or left.dtype != right.dtype:
        return False
    return torch.equal(_as_integers(left), _as_integers(right.to(left.device)))


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


class _SavedDict:
    """The keys, their order and the identity of the values of a dictionary."""

    def __init__(self, container: dict) -> None:
        self.container = container
        self.base = OrderedDict if isinstance(container, OrderedDict) else dict
        self.items = tuple(self.base.items(container))

    def restore(self) -> None:
        now = tuple(self.base.items(self.container))
        if [key for key, _ in now] == [key for key, _ in self.items]:
            for (key, value), (_, old) in zip(now, self.items, strict=True):
                if value is not old:
                    self.base.__setitem__(self.container, key, old)
            return
        self.base.clear(self.container)
        for key, old in self.items:
            self.base.__setitem__(self.container, key, old)


class _SavedSequence:
    """The identity of the items of a list or deque."""

    def __init__(self, container: list | deque) -> None:
        self.container = container
        self.items = tuple(container)

    def restore(self) -> None:
        if _differ(self.container, self.items):
            base = _base(self.container)
            base.clear(self.container)
            base.extend(self.container, self.items)


class _SavedSet:
    """The items of a set."""

    def __init__(self, container: set) -> None:
        self.container = container
        self.items = frozenset(container)

    def restore(self) -> None:
        if self.container != self.items:
            set.clear(self.container)
            set.update(self.container, self.items)


_SAVED_CONTAINERS = {list: _SavedSequence, deque: _SavedSequence, set: _SavedSet}


def _base(container: object) -> type:
    return next(base for base in _SAVED_CONTAINERS if isinstance(container, base))


def _differ(now: list | deque, before: tuple) -> bool:
    return len(now) != len(before) or any(a is not b for a, b in zip(now, before, strict=True))


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

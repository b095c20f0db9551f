"""What a thing is made of, as a short text: the same for the same bits, in any process and on any machine."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from os import PathLike, fspath
from types import CodeType

import numpy as np
import torch
from torch import nn

from ..errors import DynExplorerError

_PLAIN = (type(None), bool, int, float, complex, str, bytes)


def digest(*things: object) -> str:
    """Hash numbers, texts, tensors, arrays, containers, dataclasses, modules and functions by what they hold.

    A module is its classes with their code, the plain values that its parts hold, its parameters and its buffers. A
    function is its code with its constants, defaults and what it closes over; the global names that it uses are not
    followed.

    Parameters
    ----------
    *things : object

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    DynExplorerError
        Something else is inside, which cannot be told from another of its kind.

    Example
    -------
    >>> digest([1, "a"]) == digest([1, "a"]), digest(1) == digest(1.0)
    (True, False)
    """
    hashed = hashlib.sha256()
    for thing in things:
        _add(hashed.update, thing)
    return hashed.hexdigest()


def seed_of(*things: object) -> int:
    """A seed below 2**31 that depends on the content of `things` only.

    Example
    -------
    >>> seed_of("a") == seed_of("a"), 0 <= seed_of("b") < 2**31
    (True, True)
    """
    return int(digest(*things)[:8], 16) % 2**31


def _add(update: Callable[[bytes], None], thing: object) -> None:
    if isinstance(thing, _PLAIN):
        _add_text(update, f"{type(thing).__name__} {thing!r}")
    elif isinstance(thing, torch.Tensor):
        _add_tensor(update, thing)
    elif isinstance(thing, (np.ndarray, np.generic)):
        array = np.ascontiguousarray(thing)
        _add_text(update, f"array {array.dtype.str} {np.shape(thing)}")
        update(array.tobytes() if array.dtype.kind in "US" else array.reshape(-1).view(np.uint8).data)
    elif isinstance(thing, nn.Module):
        _add_items(update, "module", _parts_of_module(thing))
    elif isinstance(thing, Mapping):
        _add_items(update, "mapping", ((key, thing[key]) for key in thing))
    elif isinstance(thing, (list, tuple, range, slice)):
        items = (thing.start, thing.stop, thing.step) if isinstance(thing, slice) else thing
        _add_items(update, type(thing).__name__, items)
    elif isinstance(thing, (set, frozenset)):
        _add_items(update, "set", sorted(digest(item) for item in thing))
    elif isinstance(thing, (torch.dtype, torch.device, torch.Size)):
        _add_text(update, f"torch {thing}")
    elif isinstance(thing, PathLike):
        _add_text(update, f"path {fspath(thing)}")
    elif is_dataclass(thing) and not isinstance(thing, type):
        values = ((field.name, getattr(thing, field.name)) for field in fields(thing))
        _add_items(update, _name_of(type(thing)), values)
    else:
        _add_code(update, thing)


def _add_code(update: Callable[[bytes], None], thing: object) -> None:
    if isinstance(thing, CodeType):
        names = (thing.co_names, thing.co_varnames, thing.co_freevars)
        _add_items(update, "code", (thing.co_code, *names, thing.co_consts))
    elif isinstance(thing, functools.partial):
        _add_items(update, "partial", (thing.func, thing.args, thing.keywords))
    elif isinstance(thing, type):
        _add_items(update, f"class {_name_of(thing)}", _code_of_class(thing))
    elif _has_code(thing):
        closed = tuple(cell.cell_contents for cell in thing.__closure__ or ())
        parts = (thing.__code__, thing.__defaults__, thing.__kwdefaults__, closed, getattr(thing, "__self__", None))
        _add_items(update, f"function {_name_of(thing)}", parts)
    elif callable(thing) and hasattr(thing, "__dict__"):
        _add_items(update, "callable", (type(thing), vars(thing)))
    elif callable(thing) and hasattr(thing, "__qualname__"):
        _add_text(update, f"builtin {_name_of(thing)}")
    else:
        raise DynExplorerError(
            f"a {_name_of(type(thing))} cannot be told from another one by its content, so what depends on it cannot "
            "be kept; give numbers, texts, tensors, arrays or functions of them"
        )


def _add_items(update: Callable[[bytes], None], kind: str, items: object) -> None:
    _add_text(update, f"{kind} begins")
    for item in items:
        _add(update, item)
    _add_text(update, f"{kind} ends")


def _add_text(update: Callable[[bytes], None], text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    update(b"%d:" % len(data) + data)


def _add_tensor(update: Callable[[bytes], None], tensor: torch.Tensor) -> None:
    if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_meta:
        raise DynExplorerError(f"a {tensor.layout} tensor on {tensor.device} has no plain content; make it dense first")
    _add_text(update, f"tensor {tensor.dtype} {tuple(tensor.shape)}")
    flat = tensor.detach().resolve_conj().resolve_neg().cpu().contiguous().reshape(-1)
    if flat.numel():
        update(flat.view(torch.uint8).numpy().data)


def _parts_of_module(module: nn.Module) -> Iterator[object]:
    classes = {type(part) for part in module.modules()}
    yield from sorted(digest(kind) for kind in classes)
    for name, part in module.named_modules(remove_duplicate=False):
        plain = {key: value for key, value in vars(part).items() if key != "training" and _is_plain(value)}
        yield (name, _name_of(type(part)), plain)
    yield from module.named_parameters(remove_duplicate=False)
    yield from module.named_buffers(remove_duplicate=False)


def _is_plain(value: object) -> bool:
    return isinstance(value, _PLAIN) or (isinstance(value, (tuple, list)) and all(map(_is_plain, value)))


def _code_of_class(kind: type) -> Iterator[object]:
    # Torch's own layers are known by their names; they change with torch, not with the person's work.
    for base in kind.__mro__:
        if base.__module__.partition(".")[0] != "torch":
            yield from ((name, value.__code__) for name, value in sorted(vars(base).items()) if _has_code(value))


def _has_code(value: object) -> bool:
    return isinstance(getattr(value, "__code__", None), CodeType)


def _name_of(thing: object) -> str:
    return f"{getattr(thing, '__module__', '')}.{getattr(thing, '__qualname__', repr(thing))}"

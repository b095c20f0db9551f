"""A sweep described in words: what the command line and its TOML files say."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from .. import demo
from ..capture import History
from ..errors import DynExplorerError
from .named_model import is_named, named_model

_DEMO = "demo:"
_INPUT_NAMES = ("inputs", "images", "x")
_LABEL_NAMES = ("labels", "targets", "y")


@dataclass(frozen=True)
class Imported:
    """A function by the names of its module and itself; it is imported when it is called, in whatever process.

    Parameters
    ----------
    module, function : str
    folder : str
        Looked in for the module beside the usual places.

    Example
    -------
    >>> Imported("dyn_explorer.demo", "small_cnn", ".")().conv1.out_channels
    16
    """

    module: str
    function: str
    folder: str

    def __call__(self) -> nn.Module:
        """Import the function and call it.

        Raises
        ------
        DynExplorerError
            There is no such module or function.
        """
        return self._found()()

    def _found(self) -> Callable[[], nn.Module]:
        if self.folder not in sys.path:
            sys.path.insert(0, self.folder)
        try:
            found = import_module(self.module)
        except ImportError as error:
            raise DynExplorerError(
                f"module {self.module!r} cannot be imported ({error}); it is looked for in {self.folder!r} and where "
                "Python looks"
            ) from error
        if not callable(getattr(found, self.function, None)):
            raise DynExplorerError(f"module {self.module!r} holds no function {self.function!r}")
        return getattr(found, self.function)


def read_model(words: str | Mapping[str, object], folder: Path) -> object:
    """A model in words, as `dx.sweep` takes it.

    Parameters
    ----------
    words : str or mapping
        ``"module:function"``, ``"torchvision:NAME"``, either followed by ``@`` and the path of a checkpoint or of the
        folder of a `History`; or a mapping of `builder` and `checkpoint`.
    folder : Path
        What paths are relative to, and where modules are looked for.

    Returns
    -------
    object
        A model for `dx.sweep`.

    Raises
    ------
    DynExplorerError
        The words say no model.

    Example
    -------
    >>> read_model("dyn_explorer.demo:small_cnn", Path("."))().conv1.out_channels
    16
    """
    if isinstance(words, Mapping):
        unknown = set(words) - {"builder", "checkpoint"}
        if unknown or "builder" not in words:
            raise DynExplorerError(f"a model is `builder` and `checkpoint`, and this one is {dict(words)}")
        builder, stored = str(words["builder"]), str(words.get("checkpoint", ""))
    else:
        builder, _, stored = str(words).partition("@")
    made = named_model(builder) if is_named(builder) else _imported(builder, folder)
    if not stored:
        return made
    path = folder / stored
    return (History.load(path), made) if path.is_dir() else (str(path), made)


def _imported(words: str, folder: Path) -> Imported:
    module, colon, function = words.partition(":")
    if not colon or not module or not function:
        raise DynExplorerError(
            f"builder {words!r} must be module:function, such as my_nets:resnet, or torchvision:NAME"
        )
    return Imported(module, function, str(folder.absolute()))


def read_inputs(inputs: str, labels: str | None, folder: Path) -> tuple[object, object]:
    """Inputs and labels from files, or from the bundled digits.

    Parameters
    ----------
    inputs : str
        ``demo:test`` or ``demo:train``; or a file: .npy, .safetensors, or .pt that torch loads with
        ``weights_only=True``. Of a file with several tensors, `inputs`, `images` or `x` is taken, and `labels`,
        `targets` or `y`.
    labels : str or None
        Another file, for the labels.
    folder : Path
        What paths are relative to.

    Returns
    -------
    inputs, labels : tensor or array, and the same or None

    Raises
    ------
    DynExplorerError
        A file cannot be read or holds no such tensor.

    Example
    -------
    >>> images, labels = read_inputs("demo:test", None, Path("."))
    >>> len(images) == len(labels)
    True
    """
    if inputs.startswith(_DEMO):
        images, digits = demo.digits(inputs.removeprefix(_DEMO))
        return images, digits if labels is None else _of(_read(folder / labels), _LABEL_NAMES, labels)
    read = _read(folder / inputs)
    given = _of(read, _INPUT_NAMES, inputs)
    if labels is not None:
        return given, _of(_read(folder / labels), _LABEL_NAMES, labels)
    names = _LABEL_NAMES if isinstance(read, Mapping) else ()
    return given, next((read[name] for name in names if name in read), None)


def _read(path: Path) -> object:
    try:
        if path.suffix == ".npy":
            return np.load(path, allow_pickle=False)
        if path.suffix == ".safetensors":
            return load_file(path)
        if path.suffix in (".pt", ".pth"):
            return torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise DynExplorerError(f"{str(path)!r} cannot be read: {error}") from error
    except Exception as error:
        raise DynExplorerError(f"{str(path)!r} is refused, for loading it may run any code: {error}") from error
    raise DynExplorerError(f"{str(path)!r} is none of .npy, .safetensors, .pt and .pth")


def _of(read: object, names: tuple[str, ...], path: str) -> object:
    if not isinstance(read, Mapping):
        return read
    if len(read) == 1:
        return next(iter(read.values()))
    for name in names:
        if name in read:
            return read[name]
    raise DynExplorerError(f"{path!r} holds {', '.join(map(repr, read))}, and none of {', '.join(names)}")

"""Networks of torchvision, timm and Hugging Face by name, built only where those packages are installed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from os import PathLike, fspath

from torch import nn

from ..capture.checkpoints import load_into
from ..capture.names import nearest
from ..errors import DynExplorerError

PUBLISHED = "published"


@dataclass(frozen=True)
class NamedModel:
    """Builds a network when it is called; small, and able to travel to another process.

    Parameters
    ----------
    library : {"torchvision", "timm", "huggingface"}
    name : str
        Of the network there.
    weights : str or None
        A file, ``"published"``, or None for those it is built with.
    options : mapping
        Further keywords of the library's own builder.
    """

    library: str
    name: str
    weights: str | None = None
    options: Mapping[str, object] = field(default_factory=dict)

    def __call__(self) -> nn.Module:
        """Build it and load its weights.

        Raises
        ------
        DynExplorerError
            The library is not installed, does not know the name, or the weights cannot be loaded.
        """
        model = LIBRARIES[self.library](self)
        if self.weights not in (None, PUBLISHED):
            load_into(model, self.weights, f"{self.library}:{self.name}")
        return model.eval()


def named_model(name: str, *, weights: str | PathLike | None = None, **options: object) -> NamedModel:
    """A function that builds a network which another library knows by name.

    Parameters
    ----------
    name : str
        ``"torchvision:resnet18"``, ``"timm:convnext_tiny"``, or ``"huggingface:<folder or hub name>"``.
    weights : path or "published", optional
        A safetensors file, or one that torch loads with ``weights_only=True``; ``"published"`` for the library's own,
        which it may have to fetch. Default: those that it is built with, random ones but for Hugging Face, where the
        published ones are the only ones.
    **options
        Further keywords for the library's builder, such as ``num_classes=10``.

    Returns
    -------
    NamedModel
        Called without arguments it builds the network, in eval mode: a model for `dx.sweep`.

    Raises
    ------
    DynExplorerError
        The name names no library. Whether that is installed is seen when the network is built.

    Notes
    -----
    Weights are never unpickled: what is published as a pickle only is refused.

    Example
    -------
    >>> from dyn_explorer.sweeps import named_model
    >>> named_model("torchvision:resnet18", num_classes=10).library
    'torchvision'
    """
    library, colon, inside = str(name).partition(":")
    if not colon or not inside or library not in LIBRARIES:
        known = ", ".join(f"{each}:NAME" for each in LIBRARIES)
        raise DynExplorerError(f"`name` (={name!r}) names no network; give one of {known}")
    return NamedModel(library, inside, None if weights is None else fspath(weights), options)


def is_named(text: object) -> bool:
    """Whether a text names a network of a library.

    Example
    -------
    >>> is_named("timm:resnet18"), is_named("weights.pt")
    (True, False)
    """
    return isinstance(text, str) and text.partition(":")[0] in LIBRARIES and ":" in text


def _torchvision(model: NamedModel) -> nn.Module:
    models = _installed("torchvision.models", "torchvision")
    _check_known(model, models.list_models())
    built = models.get_model(model.name, weights=None, **model.options)
    if model.weights == PUBLISHED:
        published = models.get_model_weights(model.name).DEFAULT
        built.load_state_dict(published.get_state_dict(progress=False, check_hash=True, weights_only=True))
    return built


def _timm(model: NamedModel) -> nn.Module:
    timm = _installed("timm", "timm")
    _check_known(model, timm.list_models())
    return timm.create_model(model.name, pretrained=model.weights == PUBLISHED, **model.options)


def _huggingface(model: NamedModel) -> nn.Module:
    transformers = _installed("transformers", "transformers")
    kind = getattr(transformers, str(model.options.get("kind", "AutoModel")), None)
    options = {name: value for name, value in model.options.items() if name != "kind"}
    if kind is None:
        raise DynExplorerError(f"transformers has no class `kind` (={model.options['kind']!r}); for example AutoModel")
    try:
        return kind.from_pretrained(model.name, use_safetensors=True, trust_remote_code=False, **options)
    except (OSError, ValueError) as error:
        raise DynExplorerError(
            f"transformers cannot load {model.name!r} from safetensors ({error}); name a folder that "
            "save_pretrained wrote, or a model of the hub that holds safetensors; pickles are not loaded"
        ) from error


LIBRARIES: dict[str, Callable[[NamedModel], nn.Module]] = {
    "torchvision": _torchvision,
    "timm": _timm,
    "huggingface": _huggingface,
}


def _installed(module: str, package: str):
    try:
        return import_module(module)
    except (ImportError, RuntimeError) as error:  # a build for another torch raises the second
        raise DynExplorerError(
            f"{package} cannot be used here ({error}); install it: pip install {package}, or build the network "
            "yourself and give the function that builds it"
        ) from error


def _check_known(model: NamedModel, known: list[str]) -> None:
    if model.name not in known:
        raise DynExplorerError(f"{model.library} knows no network {model.name!r}; {nearest(model.name, known)}")

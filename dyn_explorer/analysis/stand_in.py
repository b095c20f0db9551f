"""A copy of a network that can be run with other activations, so that the network itself is never touched."""

from __future__ import annotations

import copy
import difflib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn
from torch.overrides import handle_torch_function, has_torch_function_unary

from dyn_explorer.analysis.identity_forward import IdentityForward
from dyn_explorer.analysis.wrappers import without_wrappers
from dyn_explorer.errors import DynExplorerError

BATCH_NORMS = ("running", "batch")


@dataclass(frozen=True)
class HiddenActivation:
    """One activation of a network, in the order in which they run.

    Parameters
    ----------
    layer : str or None
        Layer whose output is the activation's input; where that is a sum of several, the activation's own module.
        None where no module puts it out. ``name#2`` is the second run of a shared module.
    kind : str
        The function, such as "relu".
    is_input : bool
        Whether `layer` puts out the activation's input, not its output.
    """

    layer: str | None
    kind: str
    is_input: bool


class StandIn:
    """A deep copy in eval mode, with hooks of its owner removed.

    Parameters
    ----------
    model : torch.nn.Module
    activations : iterable of str or type
        Names or classes of modules that count as activations beside PyTorch's own functions.

    Raises
    ------
    DynExplorerError
        If the model cannot be copied, or there is no such module.
    """

    def __init__(self, model: nn.Module, activations: Iterable[str | type] = ()) -> None:
        self.module = _copied(model)
        self._more: frozenset[Callable] = frozenset()
        self._tell_apart(tuple(activations))

    def forward(self, inputs: torch.Tensor, **options) -> tuple[torch.Tensor, IdentityForward]:
        """The network's first floating output, and what happened on the way; `options` are of `IdentityForward`.

        Raises
        ------
        DynExplorerError
            If the network cannot be run so.
        """
        mode = IdentityForward(more=self._more, **options)
        try:
            with mode:
                output = self.module(inputs)
        except DynExplorerError:
            raise
        except (RuntimeError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise DynExplorerError(
                f"the model cannot be run on inputs of shape {tuple(inputs.shape[1:])}: {error}. Its forward "
                "is given one tensor with samples first; wrap a model that takes more"
            ) from error
        return _floating(output), mode

    @contextmanager
    def run_alone(self) -> Iterator[None]:
        """Inside, random numbers come from copies of PyTorch's generators, and the caller's inference mode is off."""
        device = self.like.device
        with torch.inference_mode(False), torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            yield

    def scores(self, inputs: torch.Tensor, **options) -> torch.Tensor:
        """The output as a matrix (P, C).

        Raises
        ------
        DynExplorerError
            If it is none.
        """
        output = self.forward(inputs, **options)[0]
        if output.ndim != 2 or len(output) != len(inputs):
            raise DynExplorerError(
                f"the model puts out {tuple(output.shape)} for {len(inputs)} samples, and this needs one row of class "
                "scores per sample; wrap the model so that it returns them"
            )
        return output

    def inputs(self, values: object) -> torch.Tensor:
        """Inputs on the copy's device and, where they are real numbers, in its dtype."""
        tensor = values.detach() if isinstance(values, torch.Tensor) else torch.as_tensor(values)
        if tensor.ndim < 1 or len(tensor) == 0:
            raise DynExplorerError(f"`inputs` of shape {tuple(tensor.shape)} must have a row for each sample")
        like = self.like
        return tensor.to(like.device, like.dtype if tensor.is_floating_point() else tensor.dtype)

    @property
    def like(self) -> torch.Tensor:
        """An empty tensor with the device and dtype of the first floating parameter or buffer."""
        tensors = (*self.module.parameters(), *self.module.buffers())
        return next((tensor.new_empty(0) for tensor in tensors if tensor.is_floating_point()), torch.empty(0))

    def hidden(self, inputs: torch.Tensor) -> tuple[HiddenActivation, ...]:
        """The activations that run for the first two of these inputs, without one that ends the network."""
        found: list[HiddenActivation] = []
        with _Watch(self.module) as watch, torch.no_grad():
            output, mode = self.forward(inputs[:2], met=lambda func, values: found.append(watch.describe(func, values)))
        return tuple(found[:-1] if found and mode.activation is output else found)

    @contextmanager
    def taps(self, layers: Iterable[str], take: Callable) -> Iterator[None]:
        """Inside, ``take(name, output)`` is called with what each of these layers puts out, and may replace it."""
        handles, runs = [], {}
        for name in layers:
            module_name, _, run = name.partition("#")
            module = self._module(name, module_name)

            def hook(_module, _inputs, output, name=name, wanted=int(run or 1)):
                runs[name] = runs.get(name, 0) + 1
                return take(name, output) if runs[name] == wanted else None

            handles.append(module.register_forward_hook(hook))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _module(self, name: str, module_name: str) -> nn.Module:
        known = dict(self.module.named_modules(remove_duplicate=False))
        if not module_name or module_name not in known:
            names = [other for other in known if other]
            near = difflib.get_close_matches(name, names, n=3, cutoff=0.3) or names[:3]
            raise DynExplorerError(f"there is no layer {name!r}; the nearest names are {', '.join(map(repr, near))}")
        return known[module_name]

    def _tell_apart(self, activations: tuple[str | type, ...]) -> None:
        kinds = tuple(kind for kind in activations if isinstance(kind, type))
        chosen = [self._module(name, name) for name in activations if isinstance(name, str)]
        chosen += [module for module in self.module.modules() if isinstance(module, kinds)]
        if kinds and not chosen:
            raise DynExplorerError(
                f"`activations` names {', '.join(kind.__name__ for kind in kinds)}, and the model has no such module"
            )
        self._more = frozenset(_announced(module) for module in dict.fromkeys(chosen))

    def count_identities(self, inputs: torch.Tensor) -> None:
        """Let `torch.nn.Identity` stand for the activations of a network that has no others."""
        if not self._more and not self.hidden(inputs):
            self._tell_apart((nn.Identity,) if any(isinstance(m, nn.Identity) for m in self.module.modules()) else ())


def checked_batch_norm(bn_stats: str) -> bool:
    """Whether the statistics are those of the batch."""
    if bn_stats not in BATCH_NORMS:
        raise DynExplorerError(f"`bn_stats` (={bn_stats!r}) must be one of {', '.join(map(repr, BATCH_NORMS))}")
    return bn_stats == "batch"


class _Watch:
    """Which layer put out a tensor, and which one is running."""

    def __init__(self, module: nn.Module) -> None:
        self._modules = {part: name for name, part in module.named_modules() if name}
        self._runs: dict[str, int] = {}
        self._running: list[str] = []
        self._made: dict[int, tuple[str, torch.Tensor, int]] = {}
        self._handles: list = []

    def __enter__(self) -> _Watch:
        for part in self._modules:
            self._handles += [part.register_forward_pre_hook(self._begin), part.register_forward_hook(self._end)]
        return self

    def __exit__(self, *_error) -> None:
        for handle in self._handles:
            handle.remove()

    def _begin(self, module: nn.Module, _inputs) -> None:
        name = self._modules[module]
        self._runs[name] = self._runs.get(name, 0) + 1
        self._running.append(name if self._runs[name] == 1 else f"{name}#{self._runs[name]}")

    def _end(self, _module: nn.Module, _inputs, output) -> None:
        name = self._running.pop()
        # Containers pass on what a layer inside them made. The tensor is kept, so that its id stays its own.
        if isinstance(output, torch.Tensor) and id(output) not in self._made:
            self._made[id(output)] = (name, output, output._version)

    def describe(self, func: Callable, values: torch.Tensor) -> HiddenActivation:
        kind = getattr(func, "kind", None) or getattr(func, "__name__", "activation").strip("_")
        name, _, version = self._made.get(id(values), (None, None, -1))
        if name is not None and values._version == version:
            return HiddenActivation(name, kind, True)
        # A sum of branches, or a change in place, is what no module put out: its activation's module stands for it.
        return HiddenActivation(self._leaf(), kind, False)

    def _leaf(self) -> str | None:
        if not self._running:
            return None
        name = self._running[-1].partition("#")[0]
        inside = any(other.startswith(f"{name}.") for other in self._modules.values())
        return None if inside else self._running[-1]


def _copied(model: nn.Module) -> nn.Module:
    model = without_wrappers(model)
    if not isinstance(model, nn.Module):
        raise DynExplorerError(f"`model` must be a torch.nn.Module, got {type(model).__name__}")
    # The owner's hooks would see our passes, and what they belong to would be copied along.
    hooks = [kind for module in model.modules() for kind in (module._forward_hooks, module._backward_hooks)]
    try:
        with torch.inference_mode(False):
            made = copy.deepcopy(model, {id(kind): type(kind)() for kind in hooks}).eval().requires_grad_(False)
    except (RuntimeError, TypeError, NotImplementedError) as error:
        raise DynExplorerError(f"this model cannot be copied ({error}), and the measure runs on a copy") from error
    for module in made.modules():
        for key, hook in list(module._forward_pre_hooks.items()):
            if not type(hook).__module__.startswith("torch."):  # PyTorch's own compute weights
                del module._forward_pre_hooks[key]
    return made


def _announced(module: nn.Module) -> Callable:
    """Make a module's whole forward one activation, and return the function that stands for it."""
    own = module.forward

    def forward(values: torch.Tensor) -> torch.Tensor:
        return own(values)

    def announce(values: torch.Tensor) -> torch.Tensor:
        return handle_torch_function(forward, (values,), values) if has_torch_function_unary(values) else own(values)

    forward.kind = type(module).__name__
    module.forward = announce
    return forward


def _floating(output: object) -> torch.Tensor:
    if isinstance(output, torch.Tensor):
        return output
    parts = output.values() if hasattr(output, "values") else output if isinstance(output, tuple | list) else ()
    for part in parts:
        if isinstance(part, torch.Tensor) and part.is_floating_point():
            return part
    raise DynExplorerError(f"the model returns {type(output).__name__}, in which there is no tensor of scores")

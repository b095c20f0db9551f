"""Watch one forward pass and follow which nodes its tensors hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from dyn_explorer.analysis import NodeLayer
from dyn_explorer.analysis.affine_layer import exact
from dyn_explorer.analysis.layer_graph import fits
from dyn_explorer.errors import DynExplorerError

from .affine_calls import AFFINE, affine_layer, input_of
from .graph_functions import ASKS, ELEMENTWISE, PASSING, SCALES, SUMS, why_open
from .node_groups import Groups, Value
from .tap import all_tensors

DATA_DEPENDENT = (
    "The forward asks a tensor for its value, so it may take another way for other inputs: this graph is that of the "
    "first inputs."
)


FOLDED = "folded into the weights before it"


class Trace(TorchFunctionMode):
    """What one forward pass of a borrowed model does to its nodes; a context manager.

    Parameters
    ----------
    model : torch.nn.Module
        The borrowed model; hooks stay on it, and the guard takes them off.
    fold_bn : bool
        Whether BatchNorm in eval mode multiplies the weights before it.
    """

    def __init__(self, model: nn.Module, *, fold_bn: bool) -> None:
        super().__init__()
        self.groups = Groups()
        self.reasons: dict[str, str] = {}
        self.notes: list[str] = []
        self.entered: set[str] = set()
        self._fold_bn = fold_bn
        self._values: dict[int, tuple[torch.Tensor, Value]] = {}
        self._derived: dict[int, torch.Tensor] = {}  # whatever was computed from nodes
        self._stack: list[tuple[str, nn.Module]] = []
        self._runs: dict[str, int] = {}
        self.links: set[str] = set()
        self._over = False
        for name, module in model.named_modules():
            module.register_forward_pre_hook(lambda m, args, kwargs, n=name: self._enter(n, m, args, kwargs),
                                             with_kwargs=True)  # fmt: skip
            module.register_forward_hook(lambda m, _args, output: self._leave(m, output), always_call=True)

    # ---------------------------------------------------------------- where the forward is

    def _enter(self, name: str, module: nn.Module, args: tuple, kwargs: dict) -> None:
        if not self._stack and not self._over and not name:
            self._begin(args, kwargs)
        self._runs[name] = self._runs.get(name, 0) + 1
        count = self._runs[name]
        run = name if count == 1 else f"{name}#{count}"
        self._stack.append((run, module))
        self.entered.add(run)

    def _leave(self, module: nn.Module, output: object) -> None:
        # A forward that caught an error inside a layer leaves that layer on the pile.
        while self._stack and self._stack.pop()[1] is not module:
            pass
        if self._stack or self._over:
            return
        for tensor in all_tensors(output):
            if (value := self._value(tensor)) is not None:
                self.groups.output(value)
        self._over = True

    def _begin(self, args: tuple, kwargs: dict) -> None:
        inputs = [t for t in all_tensors((args, kwargs)) if t.is_floating_point() and t.ndim > 1]
        for number, tensor in enumerate(inputs, 1):
            name = "inputs" if number == 1 else f"inputs#{number}"
            self._hold(tensor, self.groups.new(NodeLayer(name, tuple(tensor.shape[1:]), is_input=True)))

    def _name(self, function: str) -> str:
        """Name of what calls: the module that has no others inside, else that module and the function."""
        run, module = self._stack[-1]
        alone = not any(child is not module for child in module.children()) or type(module).__module__.startswith(
            "torch.nn.utils.parametri"
        )
        return run if alone and run else f"{run}.{function}".removeprefix(".")

    def _new_name(self, function: str) -> str:
        name, count = self._name(function), 1
        unique = name
        while unique in self.links:
            count += 1
            unique = f"{name}#{count}"
        self.links.add(unique)
        return unique

    # ---------------------------------------------------------------- what tensors hold

    def _value(self, tensor: object) -> Value | None:
        found = self._values.get(id(tensor))
        return None if found is None else found[1]

    def _hold(self, tensor: torch.Tensor, value: Value) -> None:
        self._values[id(tensor)] = (tensor, value)  # with the tensor, so that no other gets its id

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if self._over or not self._stack:
            return func(*args, **kwargs)
        function = getattr(func, "__name__", str(func))
        known = [value for tensor in all_tensors((args, kwargs)) if (value := self._value(tensor)) is not None]
        before = args[0].shape if args and isinstance(args[0], torch.Tensor) else None
        out = func(*args, **kwargs)
        name = function if function.startswith("__") else function.strip("_")
        if known or any(id(tensor) in self._derived for tensor in all_tensors((args, kwargs))):
            self._derived.update({id(tensor): tensor for tensor in all_tensors(out)})
            if function in ASKS and DATA_DEPENDENT not in self.notes:
                self.notes.append(DATA_DEPENDENT)
        tensors = [tensor for tensor in all_tensors(out) if tensor.is_floating_point()]
        if tensors and (known or (name in AFFINE and name != "mean" and before is not None)):
            self._follow(name, args, kwargs, known, tensors, before)
        return out

    def _follow(self, function: str, args: tuple, kwargs: Mapping, known: list[Value], out: list, before) -> None:
        first = out[0]
        value = self._value(args[0]) if args else None
        if function in AFFINE and isinstance(read := input_of(function, args), torch.Tensor):
            self._link(function, args, kwargs, read, first)
        elif function == "batch_norm" and value is not None:
            self._hold(first, self._batch_norm(value, args, kwargs))
        elif function in SCALES and len({value.group for value in known}) == 1 and self._alike(args, kwargs, first):
            # With a constant a sum only shifts; any other is a function that acts on each node.
            self._hold(first, self.groups.passed(known[0], fresh=function in SUMS and len(known) == 1))
        elif len(known) == 2 and function in SUMS and "alpha" not in kwargs and self._alike(args, kwargs, first):
            name = self._name("add")
            nodes = self._nodes(name, first, channel_dim=known[0].group.nodes.channel_dim)
            self._hold(first, self.groups.summed(*known, name, nodes))
        elif value is not None and function in ELEMENTWISE | PASSING and _holds(value, first, before):
            self._hold(first, self.groups.passed(value, fresh=function in PASSING))
        else:
            self._open(function, known, out)

    def _alike(self, args: tuple, kwargs: Mapping, out: torch.Tensor) -> bool:
        """Whether what is known of the arguments has the shape of the result, so that nothing is spread over places."""
        return all(tensor.shape == out.shape for tensor in all_tensors((args, kwargs)) if id(tensor) in self._values)

    def _nodes(self, name: str, out: torch.Tensor, *, open_in: str = "", channel_dim: int = 0) -> NodeLayer:
        return NodeLayer(name, tuple(out.shape[1:]) or (1,), open_in=open_in, channel_dim=channel_dim)

    def _link(self, function: str, args: tuple, kwargs: Mapping, inputs: torch.Tensor, out: torch.Tensor) -> None:
        name, value = self._new_name(function), self._value(inputs)
        try:
            layer = affine_layer(function, args, kwargs)
        except DynExplorerError as error:
            self.reasons[name] = str(error)
            self._open(function, [] if value is None else [value], [out], reason=str(error), name=name)
            return
        along = -1 if function == "linear" and out.ndim > 2 else 0
        if value is None:
            why = "what leads here is not followed"
            value = self.groups.new(self._nodes(f"{name} in", inputs, open_in=why, channel_dim=along))
        elif not fits(layer.node_shape_in, value.group.nodes.shape):
            why = "the places of these nodes are taken apart here, which is not followed"
            value = self.groups.opened([value], self._nodes(f"{name} in", inputs, open_in=why, channel_dim=along))
        made, read = self._nodes(name, out, channel_dim=along), value.group.nodes
        if layer.input_shape is None and len(read.shape) > 1 and layer.node_shape_in == read.shape[-1:]:
            # The same links at each position, however the positions are laid out just now.
            value.group.nodes = replace(read, channel_dim=-1)
            made = NodeLayer(name, (*read.shape[:-1], *layer.node_shape_out), channel_dim=-1)
        self._hold(out, self.groups.linked(value, name, layer, made))

    def _batch_norm(self, value: Value, args: tuple, kwargs: Mapping) -> Value:
        names = ("input", "running_mean", "running_var", "weight", "bias", "training", "momentum", "eps")
        call = {**dict(zip(names, args, strict=False)), **kwargs}
        name = self._name("batch_norm")
        if not self._fold_bn:
            why = "it scales each node by itself; fold BatchNorm to have it in the weights before it"
        elif call.get("training") or call.get("running_mean") is None:
            why = "in train mode it scales by the statistics of each batch, so it is not folded"
        else:
            why = self._folded(value, call)
        self.reasons[name] = why
        return self.groups.passed(value, fresh=why == FOLDED)

    def _folded(self, value: Value, call: Mapping) -> str:
        with torch.inference_mode(False), torch.no_grad():
            try:
                return self.groups.folded(value, *_scale_and_shift(call)) or FOLDED
            except DynExplorerError as error:
                return f"{error}, so it is not folded"

    def _open(self, function: str, known: list[Value], out: list, *, reason: str = "", name: str = "") -> None:
        name = name or self._name(function.strip("_"))
        why = reason or why_open(function)
        self.reasons.setdefault(name, why)
        for tensor in out:
            if tensor.ndim:
                nodes = self._nodes(name, tensor, open_in=f"{name}: {why}")
                self._hold(tensor, self.groups.opened(known, nodes))


def _scale_and_shift(call: Mapping) -> tuple[torch.Tensor, torch.Tensor]:
    names = ("running_mean", "running_var", "weight", "bias")
    values = {name: exact(call[name], name) for name in names if call.get(name) is not None}
    scale = (values["running_var"] + call.get("eps", 1e-5)).rsqrt() * values.get("weight", 1.0)
    return scale, values.get("bias", 0.0) - values["running_mean"] * scale


def _holds(value: Value, tensor: torch.Tensor, before: torch.Size) -> bool:
    """Whether a tensor has a place for each node of a value, or one for each at every position."""
    nodes = value.group.nodes
    whole = tensor.ndim > 0 and len(tensor) > 0 and tensor[0].numel() == nodes.size and tensor.shape[0] == before[0]
    kept = tensor.ndim > 1 and tensor.numel() == before.numel() and tensor.shape[-1:] == before[-1:] == nodes.shape[-1:]
    return whole or kept

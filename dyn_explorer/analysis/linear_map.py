"""The weights with which a network's outputs read a hidden layer, once everything above it is made linear."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

from dyn_explorer.analysis.identity_forward import ALL
from dyn_explorer.analysis.stand_in import StandIn, checked_batch_norm
from dyn_explorer.errors import DynExplorerError

_ROWS_AT_ONCE = 64
# Two derivatives of a linear map differ by rounding only.
_SAME = {torch.float64: 1e-8, torch.float32: 1e-3}
_SAME_COARSE = 5e-2


def linear_map(
    model: nn.Module,
    layer: str,
    input_shape: tuple[int, ...],
    *,
    bn_stats: str = "running",
    inputs: object = None,
    activations: Iterable[str | type] = (),
) -> torch.Tensor:
    """The network above a layer as one matrix: its Jacobian with every activation made the identity.

    The paper calls it L-map: A = W D ... D W of all weights above the layer, where D are the diagonal factors of
    BatchNorm. For convolutions, the rule is ours: the same Jacobian, with max-pooling made the mean of its window, and
    each channel and position is a neuron. It is a substitution, not a derivative of the network at some input;
    `truncation` says how far it is from the network.

    Parameters
    ----------
    model : torch.nn.Module
        In whatever mode; a copy of it is run in eval mode. It puts out class scores (P, C); a softmax at the end is
        left out.
    layer : str
        Name of a module; ``name#2`` is the second run of a shared one.
    input_shape : tuple of int
        Of one input, without the batch.
    bn_stats : {"running", "batch"}, default "running"
        Whether BatchNorm divides by its running statistics or by those of `inputs`, as the unchanged network has them.
    inputs : tensor or array (P, ...), optional
        For "batch".
    activations : iterable of str or type
        Names or classes of modules that count as activations; PyTorch's own are known.

    Returns
    -------
    torch.Tensor (C, n)
        On the model's device and in its dtype; n counts the layer's outputs of one sample, flattened.

    Raises
    ------
    DynExplorerError
        If there is no such layer, the output does not depend on it, or what stands above it is not linear even so:
        attention, gates, LayerNorm and recurrent cells are not.

    References
    ----------
    Lin, Zhang, Feng & Zhao, "An analysis framework for understanding deep neural networks based on network dynamics",
    arXiv:2501.02436.

    Example
    -------
    >>> model = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))
    >>> torch.allclose(linear_map(model, "0", (5,)), model[4].weight @ model[2].weight)
    True
    """
    return linear_maps(model, [layer], input_shape, bn_stats=bn_stats, inputs=inputs, activations=activations)[layer]


def linear_maps(
    model: nn.Module,
    layers: Iterable[str],
    input_shape: tuple[int, ...],
    *,
    bn_stats: str = "running",
    inputs: object = None,
    activations: Iterable[str | type] = (),
) -> dict[str, torch.Tensor]:
    """`linear_map` of several layers in one pass, which costs no more than that of the lowest.

    Parameters
    ----------
    model, input_shape, bn_stats, inputs, activations
        As for `linear_map`.
    layers : iterable of str
        Names of modules.

    Returns
    -------
    dict of str to torch.Tensor (C, n)

    Raises
    ------
    DynExplorerError
        As for `linear_map`.

    Example
    -------
    >>> model = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))
    >>> [tuple(matrix.shape) for matrix in linear_maps(model, ["0", "2"], (5,)).values()]
    [(2, 4), (2, 3)]
    """
    names = list(dict.fromkeys(layers))
    if not names:
        return {}
    stand_in = StandIn(model, activations)
    statistics = _statistics(stand_in, inputs) if checked_batch_norm(bn_stats) else False
    with stand_in.run_alone():
        points = _two_points(stand_in, tuple(input_shape))
        n_classes = _run(stand_in, points, names, statistics)[0].shape[1]
        blocks = [range(first, min(first + _ROWS_AT_ONCE, n_classes)) for first in range(0, n_classes, _ROWS_AT_ONCE)]
        rows = [_rows(stand_in, points, names, statistics, block) for block in blocks]
    both = {name: torch.cat([part[name] for part in rows], dim=1) for name in names}
    for name, (first, second) in both.items():
        _check_linear(name, first, second)
    return {name: first for name, (first, _) in both.items()}


def _statistics(stand_in: StandIn, inputs: object) -> list[tuple[torch.Tensor, torch.Tensor]]:
    if inputs is None:
        raise DynExplorerError("`bn_stats` (='batch') needs `inputs` whose statistics are taken; give both")
    with stand_in.run_alone(), torch.no_grad():
        return stand_in.forward(stand_in.inputs(inputs), batch_statistics=True)[1].statistics


def _two_points(stand_in: StandIn, input_shape: tuple[int, ...]) -> torch.Tensor:
    """Nothing, and noise: a linear map has the same derivative at both."""
    like = stand_in.like
    noise = torch.randn(input_shape, generator=torch.Generator().manual_seed(0))
    return torch.stack([torch.zeros(input_shape), noise]).to(like.device, like.dtype)


def _run(
    stand_in: StandIn, points: torch.Tensor, names: list[str], statistics: list | bool
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Scores at these inputs, and what the layers put out, as places from which gradients can be taken."""
    found: dict[str, torch.Tensor] = {}

    def take(name: str, output: object) -> torch.Tensor:
        if not isinstance(output, torch.Tensor) or not output.is_floating_point():
            raise DynExplorerError(f"layer {name!r} puts out {type(output).__name__}, which has no linear map")
        found[name] = output if output.requires_grad else output.detach().requires_grad_()
        # A copy goes on, so that a network that writes in place does not write into what is kept.
        return found[name].clone()

    with torch.enable_grad(), stand_in.taps(names, take):
        scores = stand_in.scores(points, identity_from=ALL, average_pooling=True, batch_statistics=statistics)
    missing = [name for name in names if name not in found]
    if missing:
        raise DynExplorerError(f"layer {missing[0]!r} was not executed in this forward pass; choose another layer")
    return scores, found


def _rows(
    stand_in: StandIn, points: torch.Tensor, names: list[str], statistics: list | bool, block: range
) -> dict[str, torch.Tensor]:
    """These rows of each map at both points: (2, rows, n)."""
    copies = points.repeat_interleave(len(block), dim=0)
    scores, found = _run(stand_in, copies, names, statistics)
    if not scores.requires_grad:
        raise DynExplorerError(f"the model's output does not depend on layer {names[-1]!r}; choose another layer")
    own = torch.tensor([*block, *block], device=scores.device)
    picked = scores[torch.arange(len(own), device=scores.device), own].sum()
    gradients = torch.autograd.grad(picked, [found[name] for name in names], allow_unused=True)
    for name, gradient in zip(names, gradients, strict=True):
        if gradient is None:
            raise DynExplorerError(f"the model's output does not depend on layer {name!r}; choose another layer")
    return {name: gradient.detach().reshape(2, len(block), -1) for name, gradient in zip(names, gradients, strict=True)}


def _check_linear(name: str, first: torch.Tensor, second: torch.Tensor) -> None:
    largest = first.abs().max().item()
    apart = (first - second).abs().max().item()
    if not apart <= _SAME.get(first.dtype, _SAME_COARSE) * max(largest, torch.finfo(first.dtype).tiny):
        raise DynExplorerError(
            f"what stands above layer {name!r} is not linear even with its activations made the identity: its "
            f"derivative differs by {apart:.2g} between two inputs, and is at most {largest:.2g}. Attention, gates, "
            "LayerNorm, recurrent cells and activations that are not PyTorch's own (name those with `activations`) "
            "are not linear; choose a layer above them"
        )

"""The strength of every node of a chain of layers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import torch
from torch import nn

from dyn_explorer.analysis.affine_layer import AffineLayer, check_options
from dyn_explorer.errors import DynExplorerError


def node_strength(
    layers: Sequence[AffineLayer],
    *,
    sign: str = "signed",
    padding: str = "real",
    bias: bool = True,
    boundary_links: bool = True,
) -> list[torch.Tensor]:
    """Sum the links of every node: those that lead into it, its bias among them, and those that lead out of it.

    Parameters
    ----------
    layers : sequence of AffineLayer
        A chain: the outputs of each are the inputs of the next, where a convolution may be followed by a matrix that
        reads its outputs flattened, channels first.
    sign : {"signed", "absolute", "squared"}
        Signed strengths are those of the published code; in the other two, links of opposite sign do not cancel.
    padding : {"real", "repo"}
        Whether taps that fall on a convolution's padding are no links, or count as in the published code.
    bias : bool, default True
        Whether a bias is a link into its node.
    boundary_links : bool, default True
        Whether inputs have one link of weight 1 leading in, and outputs one leading out.

    Returns
    -------
    list of torch.Tensor
        One more than there are layers: the inputs', each hidden layer's, the outputs'. Float64; shape (n,), or
        (C, H, W) for the nodes of a convolution.

    Raises
    ------
    DynExplorerError
        If there is no layer, layers do not meet, or an option is unknown.

    Notes
    -----
    A convolution's kernel counts once per position, in closed form. Pooling by maximum has no fixed links; a chain ends
    there. Definitions follow the authors' public code for arXiv:2110.02628, whose handling of padding and of flattening
    is corrected here.

    References
    ----------
    La Malfa, La Malfa, Nicosia & Latora (2021), *Characterizing Learning Dynamics of Deep Neural Networks via Complex
    Networks*, arXiv:2110.02628.

    Example
    -------
    >>> hidden = AffineLayer(torch.tensor([[1.0, 2.0]]), torch.tensor([0.5]))
    >>> [strength.tolist() for strength in node_strength([hidden])]
    [[2.0, 3.0], [4.5]]
    """
    check_options(sign, padding)
    chain = list(layers)
    if not chain:
        raise DynExplorerError("`layers` is empty; give at least one AffineLayer")
    _check_chain(chain)
    border = 1.0 if boundary_links else 0.0
    strengths = [chain[0].out_strength(sign=sign) + border]
    for before, after in itertools.pairwise(chain):
        leading_in = before.in_strength(sign=sign, padding=padding, bias=bias)
        leading_out = after.out_strength(sign=sign).to(leading_in.device)
        strengths.append(leading_in + leading_out.reshape(leading_in.shape))
    return [*strengths, chain[-1].in_strength(sign=sign, padding=padding, bias=bias) + border]


def function_strength(
    function: Callable[[torch.Tensor], torch.Tensor], input_shape: Sequence[int]
) -> tuple[torch.Tensor, torch.Tensor]:
    """In- and out-strengths of any affine function: what it makes of ones, and the gradient of the sum of its outputs.

    Parameters
    ----------
    function : callable or torch.nn.Module
        Affine, from ``(1, *input_shape)`` to (1, ...): average pooling, a transposed convolution, BatchNorm in eval
        mode. A module's parameters and buffers are not touched.
    input_shape : sequence of int
        Of one input.

    Returns
    -------
    in_strength : torch.Tensor
        Shape of one output, biases included.
    out_strength : torch.Tensor
        Shape `input_shape`.

    Raises
    ------
    DynExplorerError
        If the function is not affine.

    Example
    -------
    >>> into, out_of = function_strength(nn.AvgPool2d(2), (1, 4, 4))
    >>> into.shape, out_of[0, 0, 0].item()
    (torch.Size([1, 2, 2]), 0.25)
    """
    run = _untouched(function)
    dtype = _dtype_of(function)
    with torch.enable_grad():
        ones = torch.ones(1, *input_shape, dtype=dtype, requires_grad=True)
        made = run(ones)
        (gradient,) = torch.autograd.grad(made.sum(), ones)
    with torch.no_grad():
        ramp = torch.linspace(-1, 1, math.prod(input_shape), dtype=dtype).reshape(1, *input_shape)
        middle = 0.5 * (run(ramp) + run(2 - ramp))
    scale = max(1.0, float(made.detach().abs().max()))
    if not torch.allclose(middle, made.detach(), rtol=0, atol=1e4 * torch.finfo(dtype).eps * scale):
        raise DynExplorerError(
            f"{type(function).__name__} is not affine, so its nodes have no fixed links; strengths are defined for "
            "linear layers, convolutions, average pooling and BatchNorm in eval mode"
        )
    return made.detach()[0], gradient[0]


def _dtype_of(function: object) -> torch.dtype:
    parameters = function.parameters() if isinstance(function, nn.Module) else ()
    return next((value.dtype for value in parameters if value.is_floating_point()), torch.float64)


def _untouched(function: Callable) -> Callable:
    if not isinstance(function, nn.Module):
        return function
    tensors = {**dict(function.named_parameters()), **dict(function.named_buffers())}
    copies = {name: tensor.detach().clone() for name, tensor in tensors.items()}
    return lambda inputs: torch.func.functional_call(function, copies, (inputs,))


def _check_chain(chain: list[AffineLayer]) -> None:
    for number, (before, after) in enumerate(itertools.pairwise(chain)):
        flat = after.input_shape is None and math.prod(before.node_shape_out) == after.node_shape_in[0]
        if before.node_shape_out != after.node_shape_in and not flat:
            raise DynExplorerError(
                f"layer {number} ends in nodes of shape {before.node_shape_out} and layer {number + 1} begins with "
                f"{after.node_shape_in}; each layer must take what the one before gives (pooling ends a chain)"
            )

"""The graph of a live model's layers, followed through one forward pass."""

from __future__ import annotations

import threading

import torch
from torch import nn

from dyn_explorer.analysis import LayerGraph
from dyn_explorer.errors import DynExplorerError

from .graph_trace import Trace
from .guard import borrow
from .layers import list_layers
from .recording import record

UNFOLLOWED = "its weights are used in a way that is not followed"
PROBES = 2  # BatchNorm in train mode refuses one


def layer_graph(
    model: nn.Module,
    inputs: object,
    *,
    fold_bn: bool = False,
    device: torch.device | str | None = None,
    seed: int | None = None,
    cancel: threading.Event | None = None,
) -> LayerGraph:
    """Read a model as node layers with the links between them, by following one forward pass.

    The pass is followed function by function, so branches, sums, functional layers and the way that these inputs take
    are as they are. Links are convolutions, plain and transposed, matrices, and average pooling. Activations and
    dropout act on each node by itself; a sum joins like to like with links of weight 1. Where links have no fixed
    weight (pooling by maximum, attention, normalisation by each input), the graph is open, and says why: strengths
    are not summed across.

    Parameters
    ----------
    model : torch.nn.Module
        Borrowed and given back bit-identical.
    inputs : tensor, array, DataLoader, list, tuple or dict
        As `record` takes them; the first two are run.
    fold_bn : bool, default False
        Whether BatchNorm in eval mode multiplies the weights right before it. If not, it is an activation like others.
    device : torch.device or str, optional
        Where the inputs are moved.
    seed : int, optional
        Of the random generators in this pass.
    cancel : threading.Event, optional
        Set it from another thread to stop at the next layer.

    Returns
    -------
    LayerGraph
        Weights are float64 copies. Its `reasons` say of every other layer why it has no links.

    Raises
    ------
    RecordingError
        If the forward fails.
    DynExplorerError
        If no layer has links.

    Example
    -------
    >>> model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 5))
    >>> graph = layer_graph(model, torch.zeros(2, 1, 8, 8))
    >>> [(nodes.name, nodes.shape) for nodes in graph.nodes]
    [('inputs', (1, 8, 8)), ('0', (4, 6, 6)), ('2', (4, 3, 3)), ('4', (5,))]
    >>> graph.reasons["2"]
    'which of its links carries, depends on the data'
    """
    with borrow(model) as lent:
        trace = Trace(lent, fold_bn=fold_bn)
        kept = next(info.name for info in list_layers(lent) if info.disabled_because is None)  # one must be
        with trace:
            record(lent, inputs, kept, max_samples=PROBES, device=device, seed=seed, cancel=cancel)
        reasons = _reasons(lent, trace)
    graph = trace.groups.graph(reasons, trace.notes)
    if not graph.links:
        told = "; ".join(f"{name}: {why}" for name, why in list(reasons.items())[:5])
        raise DynExplorerError(
            f"{type(model).__name__} has no layer with fixed links ({told or 'no layer was executed'}); strengths are "
            "defined for linear layers, convolutions and average pooling"
        )
    return graph


def _reasons(model: nn.Module, trace: Trace) -> dict[str, str]:
    """Why layers have no links, in the order of the model, then those that have a name of their own."""
    reasons = {}
    for info in list_layers(model):
        if not info.is_leaf or "parametrizations" in info.name.split("."):
            continue
        if info.name in trace.reasons:
            reasons[info.name] = trace.reasons[info.name]
        elif info.name not in trace.entered:
            reasons[info.name] = "it was not executed in this forward"
        elif info.name not in trace.links:
            own = info.n_parameters and info.kind != "PReLU"
            reasons[info.name] = UNFOLLOWED if own else "it acts on each node by itself, so it has no links"
    return {**reasons, **trace.reasons}

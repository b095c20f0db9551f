"""Neurons Strength and Neurons Activation over data: a reconstruction, because their formulas are not public."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from dyn_explorer.analysis.affine_layer import AffineLayer, exact
from dyn_explorer.errors import DynExplorerError


@dataclass(frozen=True, eq=False)
class NeuronStrength:
    """What arrives at each neuron, over a batch of inputs.

    Parameters
    ----------
    values : torch.Tensor
        Shape (n_samples, ...), float64: of each neuron for each input.
    mean, sd : torch.Tensor
        Over the inputs, shape (...); the population standard deviation.
    """

    values: torch.Tensor

    @property
    def mean(self) -> torch.Tensor:
        """Mean over the inputs."""
        return self.values.mean(dim=0)

    @property
    def sd(self) -> torch.Tensor:
        """Population standard deviation over the inputs."""
        return self.values.std(dim=0, correction=0)


def neuron_strength(
    outputs: object, *, activations: object = None, following: AffineLayer | None = None
) -> NeuronStrength:
    """Sum of what arrives at each neuron for each input, and if asked for, of what it sends on.

    This is our reconstruction of the Neurons Strength of the follow-up papers: z_k = sum_i W_ik a_i(x) + b_k over data
    x, and with `following` also a_k sum_j W_kj. Their formulas were not available.

    Parameters
    ----------
    outputs : tensor or array
        What the layer puts out for each input before its activation, z, shape (n_samples, ...): as
        ``dyn_explorer.record`` records a convolution or a linear layer.
    activations : tensor or array, optional
        What the neurons send on, a = phi(z), of the same shape; needed with `following`.
    following : AffineLayer, optional
        The layer that these neurons lead into.

    Returns
    -------
    NeuronStrength

    Raises
    ------
    DynExplorerError
        If values are not finite, or shapes do not fit together.

    References
    ----------
    La Malfa and others (2024), arXiv:2404.11172, which names the measure.

    Example
    -------
    >>> neuron_strength([[1.0, -2.0], [3.0, 0.0]]).mean.tolist()
    [2.0, -1.0]
    """
    z = exact(outputs, "outputs")
    if following is None:
        return NeuronStrength(z)
    if activations is None:
        raise DynExplorerError("`following` needs `activations`, what the neurons send on")
    sent = exact(activations, "activations")
    weight = following.out_strength().to(z.device)
    if sent.shape != z.shape or weight.numel() != z[0].numel():
        raise DynExplorerError(
            f"`outputs` of shape {tuple(z.shape)}, `activations` of shape {tuple(sent.shape)} and a following layer of "
            f"{weight.numel()} inputs do not fit together"
        )
    return NeuronStrength(z + sent * weight.reshape(z.shape[1:]))

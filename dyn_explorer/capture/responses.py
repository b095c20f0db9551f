"""Gradients of a layer's response with respect to the inputs, on a borrowed model."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn

from dyn_explorer.errors import Cancelled, DynExplorerError

from .guard import borrow
from .tap import floating_tensor

JITTER = 16  # an image is shifted by up to this part of its size at every step


@dataclass(frozen=True, eq=False)
class Maximised:
    """An input made to drive a response as far as it goes.

    Parameters
    ----------
    image : torch.Tensor
        In the shape and range of one of the inputs, on the CPU.
    value : float
        The response to it, without jitter.
    values : tuple of float
        The response at every step.
    """

    image: torch.Tensor
    value: float
    values: tuple[float, ...]


class _Reached(Exception):
    """The layer has answered; what follows need not run."""


def response_gradient(
    model: nn.Module, inputs: torch.Tensor, layer: str, score: Callable[[torch.Tensor], torch.Tensor]
) -> torch.Tensor:
    """How the response of a layer depends on each entry of each input.

    Parameters
    ----------
    model : torch.nn.Module
        Takes one tensor; it is borrowed, put in eval mode meanwhile, and not trained.
    inputs : torch.Tensor (n_samples, ...)
    layer : str
        As a recording names it; ``name#2`` is the second run.
    score : callable
        From the layer's output, samples first, to one number per sample, (n_samples,).

    Returns
    -------
    torch.Tensor (n_samples, ...)
        The gradient, in the shape of the inputs; exactly zero where the response does not depend on an entry.

    Raises
    ------
    DynExplorerError
        If the model cannot be run on such a tensor with gradients, or the layer does not run.

    Example
    -------
    >>> model = nn.Sequential(nn.Conv1d(1, 1, 3, bias=False))
    >>> _ = model[0].weight.data.fill_(1.0)
    >>> response_gradient(model, torch.zeros(1, 1, 5), "0", lambda maps: maps[:, 0, 1]).flatten().tolist()
    [0.0, 1.0, 1.0, 1.0, 0.0]
    """
    with answering(model, layer) as answer:
        asked = inputs.detach().clone().requires_grad_()
        return torch.autograd.grad(score(answer(asked)).sum(), asked)[0]


def maximise(
    model: nn.Module,
    inputs: torch.Tensor,
    layer: str,
    score: Callable[[torch.Tensor], torch.Tensor],
    *,
    steps: int = 128,
    rate: float = 0.05,
    seed: int = 0,
    cancel: threading.Event | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> Maximised:
    """Make an input that drives a layer's response far.

    The image is the sigmoid of a sum of waves, weak for short ones, within the range that each channel of the inputs
    has; it is shifted a little at every step, so that no single pixel carries the response.

    Parameters
    ----------
    model, layer, score
        As for `response_gradient`.
    inputs : torch.Tensor (n_samples, ...)
        Inputs of the model, for shape and range.
    steps : int, default 128
        Steps of Adam.
    rate : float, default 0.05
        Its learning rate.
    seed : int, default 0
        Of the first image and the shifts.
    cancel : threading.Event, optional
        Looked at between steps.
    progress : callable, optional
        Called as ``progress(done, text)`` after each step; `done` in 0..1.

    Returns
    -------
    Maximised

    Raises
    ------
    DynExplorerError
        As `response_gradient` does.
    Cancelled
        `cancel` was set.

    References
    ----------
    The public code of DeepDataProfiler (Praggastis et al., 2022, arXiv:2208.06894) does so in the style of Lucid, with
    512 steps and more kinds of jitter; the range and the number of steps are ours.

    Example
    -------
    >>> model = nn.Sequential(nn.Linear(2, 1, bias=False))
    >>> _ = model[0].weight.data.copy_(torch.tensor([[1.0, -1.0]]))
    >>> found = maximise(model, torch.tensor([[0.0, 0.0], [1.0, 1.0]]), "0", lambda y: y[:, 0])
    >>> found.value > 0.9
    True
    """
    generator = torch.Generator().manual_seed(seed)
    with answering(model, layer) as answer:
        waves, draw = _canvas(inputs, generator)
        climb, values = _Adam(waves, rate), []
        for step in range(steps):
            if cancel is not None and cancel.is_set():
                raise Cancelled("the search for an image was cancelled; the model is as it was")
            reached = score(answer(_shifted(draw(waves), generator)))[0]
            climb.step(torch.autograd.grad(reached, waves)[0])
            values.append(float(reached.detach()))
            if progress is not None:
                progress((step + 1) / steps, "searching for an image that drives the direction")
        with torch.no_grad():
            image = draw(waves)
            value = float(score(answer(image))[0])
    return Maximised(image[0].detach().cpu(), value, tuple(values))


@contextmanager
def answering(model: nn.Module, layer: str) -> Iterator[Callable[[torch.Tensor], torch.Tensor]]:
    """Borrow a model; what is yielded runs it on inputs and returns the layer's output."""
    name, _, run = layer.partition("#")
    with borrow(model) as lent, torch.inference_mode(False), torch.enable_grad():
        modules = dict(lent.named_modules())
        if name not in modules:
            raise DynExplorerError(f"there is no layer {name!r}; dx.list_layers(model) names them")
        lent.eval()
        lent.requires_grad_(False)
        outputs: list[torch.Tensor] = []

        def leave(_module: nn.Module, _args: tuple, output: object) -> None:
            outputs.append(output)
            if len(outputs) == int(run or 1):
                raise _Reached

        modules[name].register_forward_hook(leave)

        def answer(images: torch.Tensor) -> torch.Tensor:
            outputs.clear()
            try:
                lent(images.to(next(lent.parameters(), images).device))
            except _Reached:
                tensor = floating_tensor(outputs[-1], len(images))
                if tensor is not None:
                    return tensor
            except Exception as error:
                raise DynExplorerError(
                    f"this model cannot be run with gradients on one tensor of inputs ({type(error).__name__}: {error})"
                ) from error
            raise DynExplorerError(f"layer {layer!r} did not run, or puts out no floating-point tensor")

        yield answer


class _Adam:
    """Adam uphill (Kingma & Ba, arXiv:1412.6980); torch's own loads the compiler, which replaces
    `torch.manual_seed`."""

    def __init__(self, values: torch.Tensor, rate: float, decays: tuple[float, float] = (0.9, 0.999)) -> None:
        self._values, self._rate, self._decays, self._steps = values, rate, decays, 0
        self._mean, self._square = torch.zeros_like(values), torch.zeros_like(values)

    @torch.no_grad()
    def step(self, gradient: torch.Tensor) -> None:
        """Move the values along a gradient."""
        self._steps += 1
        first, second = self._decays
        self._mean.mul_(first).add_(gradient, alpha=1 - first)
        self._square.mul_(second).addcmul_(gradient, gradient, value=1 - second)
        mean, square = self._mean / (1 - first**self._steps), self._square / (1 - second**self._steps)
        self._values.add_(mean / (square.sqrt() + 1e-8), alpha=self._rate)


def _canvas(inputs: torch.Tensor, generator: torch.Generator) -> tuple[torch.Tensor, Callable]:
    """What is learned, and how it becomes one input in the range of these."""
    others = [dim for dim in range(inputs.ndim) if dim != 1]
    low, high = inputs.amin(dim=others, keepdim=True), inputs.amax(dim=others, keepdim=True)
    shape = tuple(inputs.shape[1:])
    if len(shape) < 3:
        start = 0.01 * torch.randn(1, *shape, generator=generator)
        return start.to(inputs).requires_grad_(), lambda flat: low + (high - low) * torch.sigmoid(flat)
    height, width = shape[-2:]
    across = torch.fft.fftfreq(height)[:, None] ** 2 + torch.fft.rfftfreq(width)[None] ** 2
    weight = (across.sqrt().clamp(min=1 / max(height, width)) ** -1).to(inputs.device, torch.float32)
    start = 0.01 * torch.randn(1, *shape[:-2], *across.shape, 2, generator=generator)

    def draw(waves: torch.Tensor) -> torch.Tensor:
        signal = torch.fft.irfft2(torch.view_as_complex(waves) * weight, s=(height, width), norm="ortho")
        return low + (high - low) * torch.sigmoid(signal).to(inputs.dtype)

    return start.to(inputs.device).requires_grad_(), draw


def _shifted(image: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    if image.ndim < 4:
        return image
    most = [max(1, size // JITTER) for size in image.shape[-2:]]
    shifts = [int(torch.randint(-by, by + 1, (), generator=generator)) for by in most]
    return torch.roll(image, shifts, dims=(-2, -1))

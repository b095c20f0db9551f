"""A model as a classifier of perturbed inputs or under perturbed weights: right or wrong, whatever the batch size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass

import torch
from torch import nn

from dyn_explorer.analysis.frozen_copy import frozen_copy
from dyn_explorer.errors import DynExplorerError

# On a CPU a batch whose activations leave the cache gains nothing from being larger.
_MOST_ROWS = 2048
_CACHE = 64 * 1024**2
_MOST_ROWS_ELSEWHERE = 16384
_LIVE_ACTIVATIONS = 4  # of a layer's input and output, at the same time: branches, workspace, and what is not freed yet
_UNSURE = 3e-5  # of the largest score; between batch sizes margins differed by 7e-6 at most, in nets of 4 to 18 layers


class Classifier:
    """Runs a frozen copy of a model on batches that fit a budget.

    Parameters
    ----------
    model : torch.nn.Module
        Gives one score per class, (n, n_classes), alone or within a tuple, list, dict or dataclass.
    inputs : Tensor (n, ...)
        What it is asked about; a few of them are run at once, to know it.
    memory_budget : int
        Bytes of activations at a time.

    Attributes
    ----------
    network : torch.nn.Module
        The frozen copy.
    n_classes : int
    rows : int
        Largest batch.
    predictions : Tensor (n,), int64, CPU
        Of the inputs as they are.

    Raises
    ------
    DynExplorerError
        If the forward fails, is random in eval mode, or gives no score per class.
    """

    def __init__(self, model: nn.Module, inputs: torch.Tensor, memory_budget: int) -> None:
        self.network = frozen_copy(model)
        self._writes_inputs = True  # until it is known better, because an in-place first layer does
        # Where the forward turns out to draw random numbers, these runs must not take the caller's.
        with torch.random.fork_rng(devices=[inputs.device] if inputs.is_cuda else []):
            self.rows = self._batch_size(inputs[:1], memory_budget)
            self.n_classes = self._check(inputs[: min(4, self.rows)])
        parts = inputs.split(self.rows)
        self.predictions = torch.cat([self._settled(part).cpu() for part in parts])

    def scores(self, inputs: torch.Tensor, weights: Mapping[str, torch.Tensor] | None = None) -> torch.Tensor:
        """Scores (n, n_classes) of a batch, under other weights where there are some."""
        given = inputs.clone() if self._writes_inputs else inputs
        with torch.no_grad():
            if weights is None:
                output = self.network(given)
            else:
                # `weights` has every name of a tied parameter; to look for them again would cost as much as a layer.
                output = torch.func.functional_call(self.network, weights, (given,), tie_weights=False)
        return _first_floating(output, len(inputs))

    def right(self, inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Whether each input of a batch gets its label, (n,) of bool; see `decided`."""
        return self.decided(self.scores(inputs), labels, lambda index: self.scores(inputs[index : index + 1])[0])

    def decided(self, scores: torch.Tensor, labels: torch.Tensor, alone: Callable[[int], torch.Tensor]) -> torch.Tensor:
        """Whether the label's score is the best, (n,) of bool; a score that is not finite is wrong.

        The last digits of a score depend on the batch that it is computed in. Where they could decide, the input is
        asked about alone, so that the answer is the same in every batch.

        Parameters
        ----------
        scores : Tensor (n, n_classes)
        labels : Tensor (n,)
        alone : callable
            ``alone(index)`` gives the scores (n_classes,) of one input in a batch of its own.
        """
        # One row per class, because a maximum over short rows costs as much as a layer.
        scores = scores.T.contiguous()
        own = labels[None]
        margin = scores.gather(0, own)[0] - scores.scatter(0, own, -torch.inf).amax(0)
        right = (margin > 0) & (margin < torch.inf)
        close = (margin.abs() <= _tolerance(scores)) & (margin.abs() < torch.inf)
        if close.any():
            ties = margin == 0  # rounding plays no part in these
            right[ties] = scores[:, ties].argmax(0) == labels[ties]
            for index in (close & ~ties).nonzero()[:, 0].tolist():
                right[index] = alone(index).argmax() == labels[index]
        return right

    def _settled(self, inputs: torch.Tensor) -> torch.Tensor:
        """Predicted classes of a batch, the same in every batch."""
        scores = self.scores(inputs)
        first, second = scores.topk(2, dim=1).values.unbind(1)
        chosen = scores.argmax(1)
        close = (first - second <= _tolerance(scores.T)) & (first != second)
        for index in close.nonzero()[:, 0].tolist():
            chosen[index] = self.scores(inputs[index : index + 1])[0].argmax()
        return chosen

    def _batch_size(self, one: torch.Tensor, memory_budget: int) -> int:
        bytes_per_row = self._bytes_per_row(one)
        on_cpu = one.device.type == "cpu"
        most = min(_MOST_ROWS, _CACHE // bytes_per_row) if on_cpu else _MOST_ROWS_ELSEWHERE
        return int(max(1, min(most, memory_budget // bytes_per_row)))

    def _bytes_per_row(self, one: torch.Tensor) -> int:
        largest = one.numel() * one.element_size()

        def measure(_module, given, output) -> None:
            nonlocal largest
            largest = max(largest, sum(t.numel() * t.element_size() for t in (*_tensors(given), *_tensors(output))))

        leaves = [module for module in self.network.modules() if not any(True for _ in module.children())]
        handles = [module.register_forward_hook(measure) for module in leaves]
        try:
            self._run(one)
        finally:
            for handle in handles:
                handle.remove()
        return _LIVE_ACTIVATIONS * largest

    def _run(self, inputs: torch.Tensor) -> object:
        given = inputs.clone()
        try:
            with torch.no_grad():
                output = self.network(given)
            self._writes_inputs = not torch.equal(given, inputs)
            return output
        except Exception as error:  # the model's own forward may raise anything
            raise DynExplorerError(
                f"the model's forward failed on inputs of shape {tuple(inputs.shape)} and type {inputs.dtype}: "
                f"{type(error).__name__}: {error}"
            ) from error

    def _check(self, some: torch.Tensor) -> int:
        output = self._run(some)
        scores = _first_floating(output, len(some))
        if scores is None or scores.ndim != 2 or scores.shape[1] < 2:
            shape = "no floating tensor" if scores is None else f"a tensor of shape {tuple(scores.shape)}"
            raise DynExplorerError(
                f"the model puts out {shape} for {len(some)} inputs, and a basin needs one score per class, "
                f"({len(some)}, n_classes) with at least 2 classes; a regression has no classes to stay in, and a "
                "single logit z can be given as two scores, torch.stack([-z, z], 1)"
            )
        again = _first_floating(self._run(some), len(some))
        if not torch.allclose(scores, again, rtol=1e-3, atol=float(1e-3 * scores.abs().amax()), equal_nan=True):
            raise DynExplorerError(
                "the model's forward is random in eval mode: two runs on the same inputs differ by up to "
                f"{float((scores - again).abs().max()):.3g}, so its basin would measure that noise as well; switch the "
                "randomness off in eval mode (nn.Dropout does so by itself, functional dropout needs "
                "training=self.training)"
            )
        return scores.shape[1]


def _tolerance(scores: torch.Tensor) -> torch.Tensor:
    """Difference of the two best scores, of each column, that rounding could turn around."""
    return _UNSURE * scores.abs().amax(0)


def _first_floating(output: object, count: int) -> torch.Tensor | None:
    floating = [tensor for tensor in _tensors(output) if tensor.is_floating_point()]
    fitting = [tensor for tensor in floating if tensor.ndim == 2 and len(tensor) == count]
    return next(iter(fitting or floating), None)


def _tensors(value: object) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _tensors(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _tensors(item)
    elif is_dataclass(value) and not isinstance(value, type):
        for item in fields(value):
            yield from _tensors(getattr(value, item.name))

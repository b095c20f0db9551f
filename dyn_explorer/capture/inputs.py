"""Whatever the person gave, as batches that the model can take."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, IterableDataset

from dyn_explorer.errors import DynExplorerError

from .devices import checked_device

BATCH_SIZE = 64


@dataclass(frozen=True, eq=False)
class Batch:
    """Arguments for one call of the model.

    Parameters
    ----------
    args, kwargs : tuple, dict
        What the forward takes; tensors whose first dimension is `size` are split along it.
    main : torch.Tensor
        The input a person would look at: the first floating tensor, else the first tensor.
    labels : torch.Tensor or None
        Integer labels, shape (size,).

    Example
    -------
    >>> import torch
    >>> Batch((torch.zeros(4, 3),), {}, torch.zeros(4, 3)).size
    4
    """

    args: tuple
    kwargs: dict
    main: torch.Tensor
    labels: torch.Tensor | None = None

    @property
    def size(self) -> int:
        """Number of samples."""
        return self.main.shape[0]

    def part(self, start: int, stop: int) -> Batch:
        """Return samples `start` to `stop` (exclusive) as a batch of their own, sharing memory."""
        if start == 0 and stop >= self.size:
            return self
        cut = partial(_cut, size=self.size, rows=slice(start, stop))
        args, kwargs = map_tensors(cut, (self.args, self.kwargs))
        labels = None if self.labels is None else self.labels[start:stop]
        return Batch(args, kwargs, self.main[start:stop], labels)

    def fresh(self) -> tuple[tuple, dict]:
        """Return copies of the arguments, so that a model that works in place cannot change the person's data."""
        return map_tensors(lambda tensor: tensor.detach().clone(), (self.args, self.kwargs))


@dataclass(frozen=True)
class Target:
    """Where and in which precision a model wants its inputs.

    Parameters
    ----------
    device : torch.device or None
        Device of the parameters; None if the model has none or lies on several.
    dtypes : tuple of torch.dtype
        Floating dtypes of the parameters, most important first; empty if there are none.
    takes_integers : bool
        Whether the model looks up embeddings, so that integer arrays stay integers.
    required_args, most_args : int, float
        How many positional arguments the forward needs, and takes at most.
    """

    device: torch.device | None
    dtypes: tuple[torch.dtype, ...]
    takes_integers: bool
    required_args: int
    most_args: float

    @classmethod
    def of(cls, model: nn.Module) -> Target:
        """Read the target off a model."""
        tensors = [*model.parameters(), *model.buffers()]
        devices = {tensor.device for tensor in tensors}
        floating = [tensor.dtype for tensor in tensors if tensor.is_floating_point()]
        required, most = _positional_arguments(model)
        return cls(
            device=devices.pop() if len(devices) == 1 else None,
            dtypes=tuple(dict.fromkeys(floating)),
            takes_integers=any(isinstance(module, (nn.Embedding, nn.EmbeddingBag)) for module in model.modules()),
            required_args=required,
            most_args=most,
        )


def count_samples(inputs: object) -> int | None:
    """Say how many samples `inputs` holds without reading them; None if only iterating would tell.

    Example
    -------
    >>> import torch
    >>> count_samples(torch.zeros(5, 1, 8, 8)), count_samples({"x": torch.zeros(2, 3)}), count_samples(iter([]))
    (5, 2, None)
    """
    if isinstance(inputs, DataLoader):
        if isinstance(inputs.dataset, IterableDataset) or not isinstance(inputs.dataset, Sized):
            return None
        sampler = inputs.sampler if inputs.batch_sampler is None else getattr(inputs.batch_sampler, "sampler", None)
        n_samples = len(sampler) if isinstance(sampler, Sized) else len(inputs.dataset)
        if inputs.drop_last and inputs.batch_size:
            n_samples -= n_samples % inputs.batch_size
        return n_samples
    if isinstance(inputs, (torch.Tensor, np.ndarray)):
        return inputs.shape[0] if inputs.ndim else None
    if isinstance(inputs, (Mapping, tuple)):
        tensors = _tensors(inputs)
        return count_samples(tensors[0]) if tensors else None
    return len(inputs) if _holds_samples(inputs) else None


def batches(
    inputs: object,
    labels: object,
    target: Target,
    *,
    batch_size: int | None = None,
    max_samples: int | None = None,
    device: torch.device | str | None = None,
) -> Iterator[Batch]:
    """Turn what the person gave into checked batches, one at a time.

    Parameters
    ----------
    inputs : tensor, array, DataLoader, Dataset, list, tuple, mapping or iterable of batches
        See `dyn_explorer.capture.record`.
    labels : tensor, array, sequence of int or None
        One integer per sample, shape (n_samples,). Labels that come with the batches are used if None.
    target : Target
        What the model wants.
    batch_size : int, optional
        Largest batch; default 64 for data that is not batched yet, else as it comes.
    max_samples : int, optional
        Stop after this many samples.
    device : torch.device or str, optional
        Move the inputs (never the model) there.

    Raises
    ------
    DynExplorerError
        If there are no samples, no tensors, NaN or infinite values, a wrong dtype or device, or labels that do not
        fit.

    Example
    -------
    >>> import torch
    >>> target = Target.of(torch.nn.Linear(3, 2))
    >>> [batch.size for batch in batches(torch.zeros(5, 3), None, target, batch_size=2)]
    [2, 2, 1]
    """
    for name, value in (("batch_size", batch_size), ("max_samples", max_samples)):
        if value is not None and value < 1:
            raise DynExplorerError(f"`{name}` (={value}) must be at least 1")
    device = checked_device(device)
    given = None if labels is None else _integer_labels(labels)
    if given is not None and (expected := count_samples(inputs)) is not None:
        _check_label_count(given, expected, max_samples)
    done = 0
    for whole in _unchecked(inputs, target, batch_size or BATCH_SIZE):
        limit = whole.size if max_samples is None else min(whole.size, max_samples - done)
        for start in range(0, limit, batch_size or max(limit, 1)):
            batch = whole.part(start, min(limit, start + (batch_size or limit)))
            if given is not None:
                batch = replace(batch, labels=_labels_of(given, done, batch.size))
            yield _checked(batch, target, device, done)
            done += batch.size
        if done == max_samples:
            break
    if done == 0:
        raise DynExplorerError(f"`inputs` ({_type_name(inputs)}) holds no samples; give at least one")
    if given is not None and done != max_samples:
        _check_label_count(given, done, max_samples)


def map_tensors(function: Callable[[torch.Tensor], object], value: object) -> object:
    """Apply `function` to every tensor inside nested tuples, lists and mappings; leave the rest as it is.

    Example
    -------
    >>> import torch
    >>> map_tensors(lambda tensor: tuple(tensor.shape), {"x": [torch.zeros(2, 3), "text"]})
    {'x': [(2, 3), 'text']}
    """
    if isinstance(value, torch.Tensor):
        return function(value)
    if isinstance(value, Mapping):
        return {key: map_tensors(function, item) for key, item in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(map_tensors(function, item) for item in value))
    if isinstance(value, (list, tuple)):
        return type(value)(map_tensors(function, item) for item in value)
    return value


def _unchecked(inputs: object, target: Target, batch_size: int) -> Iterator[Batch]:
    if isinstance(inputs, (torch.Tensor, np.ndarray, Mapping)):
        yield from _slices(_as_batch(inputs, target), batch_size)
    elif isinstance(inputs, tuple):
        yield from _slices(_arguments(inputs, target, labels_after=target.most_args), batch_size)
    elif _holds_samples(inputs):
        yield from _from_samples(inputs, target, batch_size)
    elif isinstance(inputs, Iterable) and not isinstance(inputs, (str, bytes)):
        for item in inputs:
            yield _as_batch(item, target)
    else:
        raise DynExplorerError(
            f"`inputs` is a {_type_name(inputs)}; give a tensor, an array, a DataLoader, a list of sample tensors, or "
            "a tuple or dict that the model's forward takes as one batch"
        )


def _holds_samples(inputs: object) -> bool:
    if isinstance(inputs, list):
        return not (inputs and isinstance(inputs[0], Mapping))
    return isinstance(inputs, Dataset) and isinstance(inputs, Sized) and not isinstance(inputs, IterableDataset)


def _slices(batch: Batch, batch_size: int) -> Iterator[Batch]:
    for start in range(0, batch.size, batch_size):
        yield batch.part(start, start + batch_size)


def _from_samples(samples: Sequence, target: Target, batch_size: int) -> Iterator[Batch]:
    for start in range(0, len(samples), batch_size):
        chunk = [samples[index] for index in range(start, min(start + batch_size, len(samples)))]
        if all(_is_record(sample) and len(sample) == len(chunk[0]) for sample in chunk):
            fields = tuple(_stack(values, start) for values in zip(*chunk, strict=True))
            yield _arguments(fields, target, labels_after=target.required_args)
        else:
            yield _as_batch(_stack(chunk, start), target)


def _is_record(sample: object) -> bool:
    # (x, y) is a record; a row of plain numbers is the sample itself.
    return isinstance(sample, (tuple, list)) and bool(sample) and isinstance(sample[0], (torch.Tensor, np.ndarray))


def _stack(samples: Sequence, first: int) -> torch.Tensor | np.ndarray:
    if all(isinstance(sample, torch.Tensor) for sample in samples):
        shapes, stack = [tuple(sample.shape) for sample in samples], torch.stack
    else:
        try:
            samples, stack = [np.asarray(sample) for sample in samples], np.stack
        except (ValueError, TypeError) as error:
            raise DynExplorerError(f"`inputs` holds samples that are no arrays: {error}") from error
        shapes = [sample.shape for sample in samples]
    for index, shape in enumerate(shapes):
        if shape != shapes[0]:
            raise DynExplorerError(
                f"`inputs` is a list of samples, and sample {first + index} has shape {shape} but sample {first} has "
                f"{shapes[0]}; make them one shape, or give an iterator over batches: iter([...])"
            )
    return stack(list(samples))


def _as_batch(item: object, target: Target) -> Batch:
    if isinstance(item, Mapping):
        return _batch((), _adapt(dict(item), target), None)
    if isinstance(item, (tuple, list)):
        return _arguments(tuple(item), target, labels_after=target.required_args)
    return _batch((_adapt(item, target),), {}, None)


def _arguments(items: tuple, target: Target, *, labels_after: float) -> Batch:
    # (x, y) for a forward that takes x only: the rest of the tuple is labels.
    n_args = len(items)
    if n_args > labels_after:
        n_args = max(1, int(labels_after))
    labels = items[n_args] if n_args < len(items) else None
    return _batch(tuple(_adapt(items[:n_args], target)), {}, _labels_or_none(labels))


def _batch(args: tuple, kwargs: dict, labels: torch.Tensor | None) -> Batch:
    tensors = _tensors((args, kwargs))
    if not tensors:
        kinds = ", ".join(_type_name(item) for item in (*args, *kwargs.values())) or "nothing"
        raise DynExplorerError(f"a batch of `inputs` holds no tensor or array, only {kinds}; give tensors")
    main = next((tensor for tensor in tensors if tensor.is_floating_point()), tensors[0])
    if main.ndim == 0:
        raise DynExplorerError("`inputs` is a single number; its first dimension must be the samples")
    if labels is not None and labels.shape[0] != main.shape[0]:
        raise DynExplorerError(f"a batch holds {main.shape[0]} samples but {labels.shape[0]} labels")
    return Batch(args, kwargs, main, labels)


def _adapt(value: object, target: Target) -> object:
    if isinstance(value, np.ndarray):
        return _from_array(value, target)
    if isinstance(value, dict):
        return {key: _adapt(item, target) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_adapt(item, target) for item in value)
    return value


def _from_array(array: np.ndarray, target: Target) -> torch.Tensor:
    if array.dtype.kind not in "fiub":
        raise DynExplorerError(f"`inputs` is an array of dtype {array.dtype}; give numbers")
    tensor = torch.from_numpy(np.array(array))
    stays = array.dtype.kind == "b" or (array.dtype.kind in "iu" and target.takes_integers)
    if target.dtypes and not stays:
        tensor = tensor.to(target.dtypes[0])
    return tensor.to(target.device) if target.device is not None else tensor


def _checked(batch: Batch, target: Target, device: torch.device | str | None, first: int) -> Batch:
    if device is not None:
        move = partial(torch.Tensor.to, device=device)
        args, kwargs = map_tensors(move, (batch.args, batch.kwargs))
        batch = replace(batch, args=args, kwargs=kwargs, main=move(batch.main))
    for tensor in _tensors((batch.args, batch.kwargs)):
        _check_tensor(tensor, target)
    _check_finite(batch.main, first)
    return batch


def _check_tensor(tensor: torch.Tensor, target: Target) -> None:
    if target.device is not None and tensor.device != target.device:
        raise DynExplorerError(
            f'`inputs` are on {tensor.device} but the model is on {target.device}; use inputs.to("{target.device}"), '
            f'or device="{target.device}" to have the batches moved'
        )
    if not tensor.is_floating_point() or not target.dtypes or tensor.dtype in target.dtypes:
        return
    if not torch.is_autocast_enabled(tensor.device.type):
        wanted = target.dtypes[0]
        raise DynExplorerError(
            f"`inputs` are {tensor.dtype} but the model's parameters are {wanted}; use inputs.to({wanted})"
        )


def _check_finite(main: torch.Tensor, first: int) -> None:
    if not main.is_floating_point() or torch.isfinite(main).all():
        return
    n_nan, n_infinite = int(main.isnan().sum()), int(main.isinf().sum())
    raise DynExplorerError(
        f"`inputs` hold {n_nan} NaN and {n_infinite} infinite values in samples {first} to "
        f"{first + main.shape[0] - 1}; remove those samples or repair them: torch.nan_to_num(inputs)"
    )


def _cut(tensor: torch.Tensor, *, size: int, rows: slice) -> torch.Tensor:
    return tensor[rows] if tensor.ndim and tensor.shape[0] == size else tensor


def _tensors(value: object) -> list[torch.Tensor | np.ndarray]:
    if isinstance(value, (torch.Tensor, np.ndarray)):
        return [value]
    if isinstance(value, Mapping):
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        return []
    return [tensor for item in value for tensor in _tensors(item)]


def _integer_labels(labels: object) -> torch.Tensor:
    try:
        tensor = torch.as_tensor(np.asarray(labels) if not isinstance(labels, torch.Tensor) else labels).detach().cpu()
    except (TypeError, ValueError) as error:
        raise DynExplorerError(
            f"`labels` must be one integer per sample, got {_type_name(labels)} that is no array of numbers: {error}; "
            "give class numbers here and names in `class_names`"
        ) from error
    if tensor.ndim == 2 and tensor.shape[1] == 1:
        tensor = tensor[:, 0]
    if tensor.ndim != 1:
        raise DynExplorerError(
            f"`labels` has shape {tuple(tensor.shape)}; expected (n_samples,) integers; for one-hot labels use "
            "labels.argmax(1)"
        )
    whole = tensor.to(torch.int64)
    if tensor.is_floating_point() and not torch.equal(whole.to(tensor.dtype), tensor):
        raise DynExplorerError(f"`labels` must be integers, got {tensor.dtype} with fractions; give class numbers")
    return whole


def _labels_or_none(labels: object) -> torch.Tensor | None:
    # What stands beside the inputs in a batch may be boxes, masks or targets of a regression: not class labels.
    if labels is None:
        return None
    try:
        return _integer_labels(labels)
    except DynExplorerError:
        return None


def _check_label_count(labels: torch.Tensor, n_samples: int, max_samples: int | None) -> None:
    used = n_samples if max_samples is None else min(n_samples, max_samples)
    if n_samples and len(labels) not in (n_samples, used):
        raise DynExplorerError(f"`labels` holds {len(labels)} labels for {n_samples} samples; give one per sample")


def _labels_of(labels: torch.Tensor, start: int, size: int) -> torch.Tensor:
    part = labels[start : start + size]
    if len(part) != size:
        raise DynExplorerError(
            f"`labels` holds {len(labels)} labels but there are at least {start + size} samples; give one label per "
            "sample"
        )
    return part


def _positional_arguments(model: nn.Module) -> tuple[int, float]:
    try:
        parameters = inspect.signature(model.forward).parameters.values()
    except (TypeError, ValueError):
        return 1, 1
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    required = sum(p.default is p.empty for p in positional)
    takes_any = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    return max(1, required), float("inf") if takes_any else max(1, len(positional))


def _type_name(value: object) -> str:
    return type(value).__name__

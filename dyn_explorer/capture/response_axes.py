"""Axes whose columns are whole responses: samples, steps of a path, checkpoints."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import torch

from dyn_explorer.errors import DynExplorerError

from .layout import Layout, check_finite, scaled, widest
from .recording import Recording
from .request import Request


def lay_out_sample(request: Request) -> Layout:
    """One column per sample."""
    order = "" if request.options.order == "natural" else f", in {request.options.order_in_words('')}"
    return replace(
        _response_layout(request, list(_sample_labels(request.recording))),
        meaning=f"each column is one sample{order}; its rows are all values of {request.layers_in_words}",
    )


def lay_out_path(request: Request) -> Layout:
    """One column per step of a recorded path."""
    path = request.recording.path
    if path is None:
        raise DynExplorerError(
            "axis='path' needs a recording of one image on its way: record_path(model, image, kind='rotate'); this "
            "recording holds samples without an order; use axis='sample' for those"
        )
    order = request.options.order_in_words("time order")
    return replace(
        _response_layout(request, list(path.labels)),
        meaning=(
            f"each column is one of {len(path.labels)} even steps of a path ({path.kind}), in {order}; its rows are "
            f"all values of {request.layers_in_words}"
        ),
        times=path.times,
        time_unit=path.unit,
    )


def _response_layout(request: Request, labels: list[str]) -> Layout:
    activations = [request.recording.activations[name] for name in request.layers]
    for name, activation in zip(request.layers, activations, strict=True):
        check_finite(activation, name, f"{len(activation)} samples")
    return Layout(
        labels=tuple(labels),
        build=partial(_build_responses, activations, request.options.normalise),
        feature_shape=_response_shape(activations),
        meaning="",
    )


def lay_out_epoch(request: Request) -> Layout:
    """One column per checkpoint."""
    epochs = request.recording
    for name in request.layers:
        epochs.check_shape(name)
        for label, recording in zip(epochs.labels, epochs.recordings, strict=True):
            check_finite(recording.activations[name], name, f"{epochs.n_samples} samples at {label}")

    def build(indices: list[int]) -> torch.Tensor:
        chosen = [epochs.recordings[index] for index in indices]
        rows = [[recording.activations[name][None] for name in request.layers] for recording in chosen]
        made = [_build_responses(row, request.options.normalise, [0]) for row in rows]
        return torch.cat([row.to(made[0]) for row in made])

    order = request.options.order_in_words("time order")
    return Layout(
        labels=epochs.labels,
        build=build,
        feature_shape=_response_shape([epochs.recordings[0].activations[name][None] for name in request.layers]),
        meaning=(
            f"each column is one of {len(epochs.labels)} checkpoints, in {order}; its rows are all values of "
            f"{request.layers_in_words} for the same {epochs.n_samples} samples"
        ),
        times=epochs.times,
        time_unit="epochs" if epochs.times is not None else "",
    )


def _build_responses(activations: list[torch.Tensor], normalise: str, indices: list[int]) -> torch.Tensor:
    everything = list(indices) == list(range(len(activations[0])))
    rows = [_full_precision(activation if everything else activation[indices]).flatten(1) for activation in activations]
    together = rows[0] if len(rows) == 1 else torch.cat([row.to(rows[0].device, widest(rows)) for row in rows], dim=1)
    return scaled(together, normalise)


def _response_shape(activations: list[torch.Tensor]) -> tuple[int, ...]:
    if len(activations) == 1:
        return tuple(activations[0].shape[1:])
    return (sum(activation[0].numel() for activation in activations),)


def _full_precision(values: torch.Tensor) -> torch.Tensor:
    return values.float() if values.element_size() < 4 else values


def _sample_labels(recording: Recording) -> list[str]:
    if recording.labels is None:
        return [f"sample {index}" for index in range(recording.n_samples)]
    return [f"sample {index} (class {label})" for index, label in enumerate(recording.labels.tolist())]

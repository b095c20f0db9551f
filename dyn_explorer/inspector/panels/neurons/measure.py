"""The computations behind the Neurons panel."""

from __future__ import annotations

import zlib

import numpy as np
from torch import nn

from dyn_explorer import analysis, capture
from dyn_explorer.errors import DynExplorerError
from dyn_explorer.inspector.jobs import Job

from .options import MOST_COLUMNS, MOST_NEURONS, NO_CLASSES, NO_LABELS
from .result import Column, LayerRanks, NetworkRanks


def check(recording: capture.Recording) -> None:
    """Refuse what has no classes, in words."""
    if recording.labels is None:
        raise DynExplorerError(NO_LABELS)
    outputs = recording.outputs
    if outputs is None or outputs.ndim != 2 or outputs.shape[1] < 2:
        shape = "no tensor of scores" if outputs is None else str(tuple(outputs.shape))
        raise DynExplorerError(NO_CLASSES.format(shape=shape, count=recording.n_samples))


def stamp(recording: capture.Recording) -> int:
    """A number that changes with inputs and labels."""
    inputs = np.ascontiguousarray(recording.inputs.detach().cpu().float().numpy())
    return zlib.crc32(inputs.data, zlib.crc32(recording.labels.numpy().tobytes()))


def network_ranks(
    model: nn.Module, recording: capture.Recording, bn_stats: str, job: Job, *, bins: int = 20
) -> NetworkRanks:
    """All hidden layers of a network that have a linear map."""
    hidden = analysis.hidden_activations(model, recording.inputs[:2])
    names = [one.layer for one in hidden if one.layer is not None]
    return layers_ranks(model, recording, names, bn_stats, job, bins=bins)


def layers_ranks(
    model: nn.Module, recording: capture.Recording, names: list[str], bn_stats: str, job: Job, *, bins: int = 20
) -> NetworkRanks:
    """Some layers, each once."""
    names = list(dict.fromkeys(names))
    maps, reasons = _maps(model, recording, names, bn_stats)
    options = {"bn_stats": bn_stats, "most": MOST_NEURONS, "cancel": job.cancel}
    found = {}
    fields = analysis.layer_fields(model, recording.inputs, list(maps), **options) if maps else {}
    for done, (name, (values, places)) in enumerate(fields.items()):
        job.progress(done / len(fields), f"ranking the samples in {name}")
        readout = maps[name][:, places].float().cpu().numpy()
        shape = tuple(recording.shapes[name])
        aligned = analysis.rank_alignment(
            values, readout, recording.labels, bins=bins, groups=channels(recording, name, places)
        )
        found[name] = LayerRanks(aligned, values.float().numpy(), readout, places, shape)
    return NetworkRanks(found, reasons)


def channels(recording: capture.Recording, name: str, places: np.ndarray) -> np.ndarray:
    """The channel of each neuron."""
    return np.unravel_index(places, recording.shapes[name])[recording.channel_dims[name] - 1]


def _maps(model: nn.Module, recording: capture.Recording, names: list[str], bn_stats: str) -> tuple[dict, dict]:
    """Linear maps by layer, and why some layers have none."""
    options = {"bn_stats": bn_stats, "inputs": recording.inputs}
    shape = tuple(recording.inputs.shape[1:])
    try:
        return analysis.linear_maps(model, names, shape, **options), {}
    except DynExplorerError as error:
        if len(names) == 1:
            return {}, {names[0]: str(error)}
    maps, reasons = {}, {}
    for name in names:  # what stands above the last layers may be linear although a lower part is not
        one, reason = _maps(model, recording, [name], bn_stats)
        maps.update(one)
        reasons.update(reason)
    return maps, reasons


def column(ranks: NetworkRanks, names: list[str]) -> Column:
    """The layers' G and its nulls, in the order of `names`."""
    found = [ranks.layers[name].aligned if name in ranks.layers else None for name in names]

    def values(field: str) -> np.ndarray:
        return np.array([np.nan if one is None else getattr(one, field) for one in found])

    return Column(values("layer_gradient"), values("layer_null_sd"), values("sign_null_sd"))


def shown_epochs(history: capture.History | None) -> tuple[int | None, ...]:
    """Epochs with weights, at most some of them and evenly taken, and the model as it is now; empty without any."""
    epochs = () if history is None else history.checkpoint_epochs
    if not epochs:
        return ()
    places = np.unique(np.linspace(0, len(epochs) - 1, min(len(epochs), MOST_COLUMNS)).round().astype(int))
    return (*(epochs[place] for place in places), None)

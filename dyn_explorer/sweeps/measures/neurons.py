"""Whether the neurons of each hidden layer rank the samples as what stands above reads them."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

from ...analysis import hidden_activations, layer_fields, linear_map, rank_alignment
from ...errors import DynExplorerError
from ..finding import Finding
from ..look import Look
from .family import Family
from .words import Words

WHERE = "a layer that feeds a hidden activation"
WORDS = {
    "rank_alignment": Words("rank alignment G", "2 AUC − 1, the mean over neurons and classes.", "an untrained copy")
}
SAMPLES = 256
MOST = 1000  # neurons of a layer, drawn by chance


def neurons(look: Look) -> Iterable[Finding]:
    """The layer's rank alignment G, 2 AUC - 1 in the mean over neurons and classes; its null is an untrained copy.

    References
    ----------
    Lin, Zhang, Feng & Zhao (2025), arXiv:2501.02436; the normalisation is ours.
    """
    answers = look.answers
    if answers.labels is None:
        raise DynExplorerError("rank alignment needs `labels`, one class number per sample")
    hidden = hidden_activations(look.model, answers.inputs[:2])
    for name in dict.fromkeys(one.layer for one in hidden if one.layer is not None):
        look.check_cancelled()
        if not look.wants(name):
            continue
        try:
            value, null = (_gradient(model, look, name) for model in (look.model, look.untrained))
        except DynExplorerError as error:
            yield Finding("rank_alignment", layer=name, error=str(error))
            continue
        yield Finding("rank_alignment", value, null, min(SAMPLES, answers.n_samples), name)


def _gradient(model: nn.Module, look: Look, name: str) -> float:
    inputs, labels = look.answers.inputs[:SAMPLES], look.answers.labels[:SAMPLES]
    seed = look.seed("neurons", name)
    values, places = layer_fields(model, inputs, [name], most=MOST, seed=seed, cancel=look.cancel)[name]
    readout = linear_map(model, name, tuple(inputs.shape[1:]), inputs=inputs)[:, places]
    return float(rank_alignment(values, readout, labels).layer_gradient)


NEURONS = Family("neurons", tuple(WORDS), neurons, needs="labels", title="Neurons", words=WORDS, where=WHERE)

"""The Neurons panel's result in its figures."""

from __future__ import annotations

import numpy as np

from dyn_explorer import views
from dyn_explorer.analysis.rank_alignment_result import MARGIN

from .result import NeuronsResult
from .tables import activation_name

MOST_SHOWN = 40
MOST_NAMES = 5
MOST_CLASSES = 24


def shown_classes(result: NeuronsResult) -> np.ndarray:
    """All classes, or of many those with most samples, and the chosen one."""
    if result.n_classes <= MOST_CLASSES:
        return np.arange(result.n_classes)
    counts = result.chosen.aligned.counts.astype(float)
    counts[result.category] = np.inf
    return np.sort(np.argsort(-counts, kind="stable")[:MOST_CLASSES])


def show_layers(view: views.HeatMap, result: NeuronsResult) -> None:
    """G of the layers, over epochs where there is a history with weights, else over classes."""
    names = result.network.names
    if result.epochs:
        _show_epochs(view, result, names)
    else:
        _show_classes(view, result, names)
    if not names:
        view.summary = "No hidden activation is fed by a layer that can be recorded."


def _show_epochs(view: views.HeatMap, result: NeuronsResult, names: list[str]) -> None:
    blank = np.full(len(names), np.nan)

    def stacked(field: str) -> np.ndarray:
        columns = [blank if one is None else getattr(one, field) for one in result.columns]
        return np.stack(columns, axis=1)

    gradient, sd = stacked("gradient"), np.fmax(stacked("label_sd"), stacked("sign_sd"))
    words = ["now" if epoch is None else str(epoch) for epoch in result.epochs]
    _fill(view, result, names, words, gradient, sd, "epoch", result.epochs.index(result.epoch) if _has(result) else -1)


def _has(result: NeuronsResult) -> bool:
    return result.epoch in result.epochs


def _show_classes(view: views.HeatMap, result: NeuronsResult, names: list[str]) -> None:
    blank = np.full(result.n_classes, np.nan)
    found = [result.network.layers[name].aligned if name in result.network.layers else None for name in names]

    def stacked(field: str) -> np.ndarray:
        rows = [blank if one is None else getattr(one, field) for one in found]
        return np.array(rows).reshape(len(names), result.n_classes)

    gradient, sd = stacked("class_gradient"), np.fmax(stacked("class_null_sd"), stacked("class_sign_sd"))
    classes = shown_classes(result)
    place = int(np.searchsorted(classes, result.category))
    _fill(view, result, names, [str(k) for k in classes], gradient[:, classes], sd[:, classes], "class", place)


def _fill(view, result, names, words, gradient, sd, column_word, chosen_column) -> None:
    chosen_row = names.index(result.layer) if result.layer in names else -1
    notes = [
        result.network.reasons.get(name, "not measured yet" if np.isnan(value) else f"chance 0 ± {spread:.3f}")
        for name, values, spreads in zip(names, gradient, sd, strict=True)
        for value, spread in zip(values, spreads, strict=True)
    ]
    with np.errstate(invalid="ignore"):
        chance = np.abs(gradient) <= MARGIN * sd
    view.update(
        gradient,
        rows=names,
        columns=words,
        chance=chance,
        notes=notes,
        selected=(chosen_row, chosen_column),
        column_word=column_word,
        row_label="hidden layer",
    )


def show_density(view: views.RankDensity, result: NeuronsResult) -> None:
    """The density of ranks of the chosen layer."""
    aligned, category = result.chosen.aligned, result.category
    view.update(
        aligned.density[category],
        aligned.density_sd[category],
        aligned.mean_density,
        aligned.mean_density_sd,
        name=str(category),
    )


def shown_neurons(result: NeuronsResult) -> np.ndarray:
    """The neurons that the class reads most strongly, and in their last place the chosen one if it is none of them."""
    order = result.chosen.by_weight(result.category)[:MOST_SHOWN].copy()
    if result.neuron not in order:
        order[-1] = result.neuron
    return order


def show_neurons(view: views.HeatMap, result: NeuronsResult) -> None:
    """G of the neurons that the class reads most strongly, for all classes."""
    chosen, category = result.chosen, result.category
    order, classes = shown_neurons(result), shown_classes(result)
    gradient = chosen.aligned.gradient[np.ix_(classes, order)]
    with np.errstate(invalid="ignore"):
        chance = np.abs(gradient) <= MARGIN * chosen.aligned.null_sd[classes, None]
    place = np.flatnonzero(order == result.neuron)
    notes = [f"weight {weight:+.3g}" for weight in chosen.readout[np.ix_(classes, order)].ravel()]
    view.update(
        gradient,
        rows=[str(index) for index in classes],
        columns=[chosen.name(index) for index in order],
        chance=chance,
        notes=notes,
        selected=(int(np.searchsorted(classes, category)), int(place[0])),
        column_label=f"neurons by |weight| for class {category}, the largest first",
        column_ticks=[str(number) for number in range(1, len(order) + 1)],
    )


def show_fields(view: views.ClassHistograms, result: NeuronsResult) -> None:
    """The signed fields of the chosen neuron."""
    chosen, category, neuron = result.chosen, result.category, result.neuron
    sign = np.sign(chosen.readout[category, neuron])
    label = f"field of neuron {chosen.name(neuron)}, times the sign of its weight ({'+' if sign >= 0 else '−'})"
    members = result.labels == category
    view.update((sign or 1.0) * chosen.fields[:, neuron], members, name=str(category), label=label)
    value, sd = chosen.aligned.gradient[category, neuron], chosen.aligned.null_sd[category]
    said = "undefined" if np.isnan(value) else f"{value:.3f}, where permuted labels give 0 ± {sd:.3f}"
    view.summary = f"{view.summary} G is {said}."


def show_truncation(view: views.Curves, error_view: views.Curves, result: NeuronsResult) -> None:
    """Accuracy and agreement of the truncated networks, and how far their scores are from those of the whole one."""
    found = result.truncation
    if found is None or not len(found.accuracy):
        for one in (view, error_view):
            one.clear()
            one.summary = "Truncating …" if found is None else "This network has no hidden activation."
        return
    count = len(found.accuracy)
    place, names = np.arange(count, dtype=float), [activation_name(result, index) for index in range(count)]

    def curve(name: str, values: np.ndarray, run: int) -> views.Curve:
        return views.Curve(name, place, values, run=run, epochs=names)

    def null(name: str, value: float) -> views.Curve:
        # A single activation still has a line to stand beside.
        return views.Curve(name, np.array([-0.5, count - 0.5]), np.full(2, value), is_null=True)

    step = -(-count // MOST_NAMES)
    start = result.start if result.start is not None and result.start < count else None
    options = {
        "x_label": "identity from this layer on",
        "cursor": None if start is None else float(start),
        "ticks": [(float(index), _short(names[index])) for index in range(0, count, step)],
    }
    curves = [
        null("most frequent class", found.largest_class),
        curve("accuracy", found.accuracy, 0),
        curve("agreement", found.agreement, 1),
        curve("whole network", np.full(count, found.full_accuracy), 2),
    ]
    view.update(curves, y_label="share of the samples", **options)
    curves = [null("mean score", 1.0), curve("error", found.relative_error, 0)]
    error_view.update(curves, y_label="relative error of the scores", **options)


def _short(name: str) -> str:
    return name if len(name) <= 12 else f"…{name[-11:]}"

"""A table of `dx.sweep` as figures: one measure against another over its models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dyn_explorer.errors import DynExplorerError

from .model_scatter import ModelScatter
from .parallel_coordinates import ParallelCoordinates

if TYPE_CHECKING:
    import pandas

# A figure that stands by itself has no card around it that gives it a height.
_ALONE = {"sizing_mode": "stretch_width", "height": 340}


def correlation(
    table: pandas.DataFrame,
    measure: str,
    against: str = "accuracy",
    *,
    layer: str | None = None,
    controls: Sequence[str] = (),
    selected: str | None = None,
    **options: object,
) -> ModelScatter:
    """Draw a measure of a sweep against accuracy, with its rank correlations.

    Parameters
    ----------
    table : pandas.DataFrame
        Of `dx.sweep`.
    measure : str
        On the horizontal axis.
    against : str, default "accuracy"
        On the vertical axis.
    layer : str, optional
        Take measures of layers in this one; default the mean over each model's layers (our choice, since models of
        different depth share no layers).
    controls : sequence of str, default none
        Measures that are held fixed in the partial correlation, such as ``("rank", "width", "depth")``.
    selected : str, optional
        Name of the model that is marked.
    **options
        Of `analysis.correlation`: `level`, `resamples`, `permutations`, `seed`.

    Returns
    -------
    ModelScatter
        Its `figure` can be shown with `bokeh.plotting.show`; `summary` says all coefficients.

    Raises
    ------
    DynExplorerError
        The table is none of a sweep, or holds no such measure, layer or model.

    Example
    -------
    >>> import dyn_explorer as dx
    >>> images, labels = dx.demo.digits("test")
    >>> run = (dx.demo.history("true"), dx.demo.small_cnn)
    >>> table = dx.sweep({"run": run}, images[:60], labels[:60], ["accuracy", "link_std"])
    >>> dx.views.correlation(table, "link_std").summary.split(":")[0]
    'accuracy against link_std (mean over layers) over 9 models'
    """
    view = ModelScatter()
    view.figure.update(**_ALONE)
    show_correlation(view, table, measure, against, layer=layer, controls=controls, selected=selected, **options)
    return view


def show_correlation(
    view: ModelScatter,
    table: pandas.DataFrame,
    measure: str,
    against: str,
    *,
    layer: str | None = None,
    controls: Sequence[str] = (),
    selected: str | None = None,
    **options: object,
) -> None:
    """Draw as `correlation` does, in a view that is there."""
    from dyn_explorer.analysis import correlation as correlate  # it brings torch, which views do without

    models = list(_checked(table)["model"].unique())
    x, null = of_models(table, measure, layer), of_models(table, measure, layer, column="null")
    y = of_models(table, against, layer)
    held = {name: of_models(table, name, layer) for name in controls}
    if selected is not None and selected not in models:
        raise DynExplorerError(f"`selected` (={selected!r}) is none of the models {_listed(models)}")
    view.update(
        x,
        y,
        correlate(x, y, controls=held or None, **options),
        names=models,
        x_label=_label(table, measure, layer),
        y_label=_label(table, against, layer),
        null=null,
        selected=-1 if selected is None else models.index(selected),
    )


def parallel_coordinates(
    table: pandas.DataFrame, measures: Sequence[str], *, layer: str | None = None, selected: str | None = None
) -> ParallelCoordinates:
    """Draw several measures of a sweep, one line per model.

    Parameters
    ----------
    table : pandas.DataFrame
        Of `dx.sweep`.
    measures : sequence of str
        In the order of the axes; the last one gives the colours.
    layer, selected
        As for `correlation`.

    Returns
    -------
    ParallelCoordinates

    Raises
    ------
    DynExplorerError
        As for `correlation`.

    Example
    -------
    >>> import dyn_explorer as dx
    >>> images, labels = dx.demo.digits("test")
    >>> models = {name: dx.demo.load(name) for name in dx.demo.CHECKPOINTS}
    >>> table = dx.sweep(models, images[:60], labels[:60], ["accuracy", "network"])
    >>> dx.views.parallel_coordinates(table, ["link_mean", "link_std", "accuracy"]).summary[:22]
    '3 models on 3 measures'
    """
    view = ParallelCoordinates()
    view.figure.update(**_ALONE)
    show_parallel(view, table, measures, layer=layer, selected=selected)
    return view


def show_parallel(
    view: ParallelCoordinates,
    table: pandas.DataFrame,
    measures: Sequence[str],
    *,
    layer: str | None = None,
    selected: str | None = None,
) -> None:
    """Draw as `parallel_coordinates` does, in a view that is there."""
    models = list(_checked(table)["model"].unique())
    if not measures:
        raise DynExplorerError("`measures` is empty; name at least one measure of the table")
    if selected is not None and selected not in models:
        raise DynExplorerError(f"`selected` (={selected!r}) is none of the models {_listed(models)}")
    view.update(
        np.stack([of_models(table, measure, layer) for measure in measures], axis=1),
        names=models,
        measures=list(measures),
        selected=-1 if selected is None else models.index(selected),
    )


def of_models(table: pandas.DataFrame, measure: str, layer: str | None = None, *, column: str = "value") -> np.ndarray:
    """One number per model, in the order of the table: of the whole model, of one layer, or the mean over layers.

    Example
    -------
    >>> import pandas
    >>> rows = [("a", "1", "rank", 2.0), ("a", "2", "rank", 4.0), ("b", "1", "rank", 5.0)]
    >>> of_models(pandas.DataFrame(rows, columns=["model", "layer", "measure", "value"]), "rank").tolist()
    [3.0, 5.0]
    """
    rows = table[table["measure"] == measure]
    if rows.empty:
        known = list(dict.fromkeys(table["measure"]))
        raise DynExplorerError(f"the table holds no measure {measure!r}; it holds {_listed(known)}")
    if layer is not None and (rows["layer"] != "").any():
        known = list(dict.fromkeys(rows["layer"]))
        rows = rows[rows["layer"] == layer]
        if rows.empty:
            raise DynExplorerError(f"{measure!r} was not measured in a layer {layer!r}; layers are {_listed(known)}")
    means = rows.groupby("model", sort=False)[column].mean()
    return means.reindex(table["model"].unique()).to_numpy(dtype=float)


def _checked(table: object) -> pandas.DataFrame:
    missing = {"model", "layer", "measure", "value", "null"} - set(getattr(table, "columns", ()))
    if missing:
        raise DynExplorerError(f"`table` must be what dx.sweep returns; it lacks {_listed(sorted(missing))}")
    return table


def _label(table: pandas.DataFrame, measure: str, layer: str | None) -> str:
    if not (table.loc[table["measure"] == measure, "layer"] != "").any():
        return measure
    return f"{measure} ({'mean over layers' if layer is None else layer})"


def _listed(names: Sequence[str], shown: int = 12) -> str:
    return ", ".join(map(repr, names[:shown])) + (", ..." if len(names) > shown else "")

"""A population of models in a notebook: tap one, and look inside it."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import ipywidgets
import traitlets

from ..errors import DynExplorerError
from ..sweeps.subjects import Epoch, subjects
from ..views.correlation_of import of_models, show_correlation, show_parallel
from .board_plots import BoardPlots
from .opening import explore
from .widget import Inspector

if TYPE_CHECKING:
    import pandas

_SIZES = ("width", "depth", "rank")


class SweepBoard(ipywidgets.VBox):
    """A sweep's table as two plots, and an inspector of the model that is chosen; `explore_sweep` makes one.

    Parameters
    ----------
    table, models, inputs, labels, controls
        See `explore_sweep`.

    Attributes
    ----------
    measure, against : str
        What is drawn.
    chosen : str
        Name of the model that is marked and open; empty for none.
    inspector : Inspector or None
        Of the chosen model.
    """

    measure = traitlets.Unicode()
    against = traitlets.Unicode()
    chosen = traitlets.Unicode()

    def __init__(
        self,
        table: pandas.DataFrame,
        models: Mapping[str, object],
        inputs: object,
        labels: object = None,
        *,
        measure: str,
        against: str,
        controls: Sequence[str] = (),
    ) -> None:
        self._table, self._inputs, self._labels, self._controls = table, inputs, labels, tuple(controls)
        self._names = list(table["model"].unique())
        self._subjects = {subject.name: subject for subject in subjects(models)}
        self._measures = list(dict.fromkeys(table["measure"]))
        self.inspector: Inspector | None = None
        self._plots = BoardPlots(self._tap)
        self._message = ipywidgets.HTML()
        super().__init__()
        self.measure, self.against = measure, against
        opened = [("none", ""), *((name, name) for name in self._names)]
        menus = [self._menu("measure", self._measures), self._menu("against", self._measures)]
        menus.append(self._menu("chosen", opened, "open"))
        wrapping = ipywidgets.Layout(flex_flow="row wrap")
        self.children = (ipywidgets.HBox(menus, layout=wrapping), self._plots, self._message)
        self.observe(self._draw, ["measure", "against", "chosen"])
        self.observe(self._open, "chosen")
        self._draw()

    def close(self) -> None:
        """Leave the page, and close the inspector of the chosen model."""
        if self.inspector is not None:
            self.inspector.close()
        self._plots.close()
        super().close()

    @traitlets.validate("measure", "against")
    def _check_measure(self, proposal: dict) -> str:
        if proposal["value"] not in self._measures:
            of_models(self._table, proposal["value"])  # says which there are
        return proposal["value"]

    @traitlets.validate("chosen")
    def _check_chosen(self, proposal: dict) -> str:
        if proposal["value"] and proposal["value"] not in self._names:
            raise DynExplorerError(f"`chosen` (={proposal['value']!r}) is none of the models of the table")
        return proposal["value"]

    def _menu(self, name: str, options: list, label: str = "") -> ipywidgets.Dropdown:
        menu = ipywidgets.Dropdown(options=options, value=getattr(self, name), description=label or name)
        ipywidgets.link((self, name), (menu, "value"))
        return menu

    def _tap(self, row: int) -> None:
        self.chosen = self._names[row]

    def _draw(self, _change: object = None) -> None:
        chosen = self.chosen or None
        axes = dict.fromkeys((*_SIZES, self.measure, self.against))
        axes = [name for name in axes if name in self._measures and name != self.against] + [self.against]

        def write() -> None:
            show_correlation(
                self._plots.scatter,
                self._table,
                self.measure,
                self.against,
                controls=[name for name in self._controls if name not in (self.measure, self.against)],
                selected=chosen,
            )
            show_parallel(self._plots.parallel, self._table, axes, selected=chosen)

        self._plots.draw(write)

    def _open(self, _change: object) -> None:
        if self.inspector is not None:
            self.inspector.close()
            self.inspector = None
        self.children = self.children[:3]
        self._message.value = ""
        if not self.chosen:
            return
        try:
            subject = self._subjects.get(self.chosen)
            if subject is None:
                raise DynExplorerError(f"`models` holds no {self.chosen!r}, so it cannot be opened")
            model = (subject.ready() if isinstance(subject, Epoch) else subject).model()
            self.inspector = explore(model, self._inputs, self._labels)
        except DynExplorerError as error:
            self._message.value = f"<p role='alert'>{html.escape(str(error))}</p>"
            return
        self.children = (*self.children, self.inspector)


def explore_sweep(
    table: pandas.DataFrame,
    models: Mapping[str, object],
    inputs: object,
    labels: object = None,
    *,
    measure: str | None = None,
    against: str = "accuracy",
    controls: Sequence[str] = (),
) -> SweepBoard:
    """Show a sweep in a notebook: a measure against accuracy, many measures at once, and any model inside.

    Parameters
    ----------
    table : pandas.DataFrame
        Of `sweep`.
    models : mapping
        What `sweep` was given; a model is built when its mark is tapped.
    inputs, labels
        What its inspector looks at.
    measure : str, optional
        On the horizontal axis; default the table's first that is not `against`.
    against : str, default "accuracy"
        On the vertical axis.
    controls : sequence of str, default none
        Measures held fixed in the partial correlation.

    Returns
    -------
    SweepBoard
        Shows itself as the last line of a notebook cell. Its `measure`, `against` and `chosen` can be set.

    Raises
    ------
    DynExplorerError
        The table holds no such measure, or `models` cannot be read.

    Example
    -------
    >>> import dyn_explorer as dx
    >>> images, labels = dx.demo.digits("test")
    >>> models = {name: dx.demo.load(name) for name in dx.demo.CHECKPOINTS}
    >>> board = dx.explore_sweep(dx.sweep(models, images[:40], labels[:40], ["accuracy", "network"]), models, images)
    >>> board.chosen = "trained"
    >>> board.inspector.layer
    'conv3'
    >>> board.close()
    """
    of_models(table, against)
    first = next((name for name in table["measure"] if name != against), against)
    for name in controls:
        of_models(table, name)
    wanted = first if measure is None else measure
    of_models(table, wanted)
    return SweepBoard(table, models, inputs, labels, measure=wanted, against=against, controls=controls)

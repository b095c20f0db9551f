"""The influential neurons of one input beside those of its class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from bokeh.models import ColumnDataSource, FixedTicker, TapTool

from .base import View, empty, hover, label_ticks, plain_glyph, quiet_figure
from .theme import GROWING, NEUTRAL, SELECTED, STABLE

MOST_BARS = 16
MOST_LETTERS = 60  # that stand side by side below the figure
SLANT = 0.8  # radians
FAINTEST = 0.15


class ProfileBars(View):
    """Weights of the influential neurons of an input, its class's beside them, and a grey line for all inputs.

    Examples
    --------
    >>> import numpy as np
    >>> from dyn_explorer import views
    >>> bars = views.ProfileBars()
    >>> weights = np.array([0.6, 0.4, 0.0])
    >>> bars.update(["1", "2", "3"], weights, everyone=weights, word="channel", name="input 4")
    >>> bars.summary
    'Input 4 has 2 influential neurons of 3; the first is channel 1 with 60% of their weight.'
    """

    def __init__(self) -> None:
        super().__init__()
        names = ("x", "left", "right", "own", "class_", "share", "row", "name", "class_text", "all_text", "edge")
        self.rows = ColumnDataSource({name: [] for name in names})
        self._everyone = ColumnDataSource({"x": [], "weight": []})
        self.figure = quiet_figure(
            x_range=self._range(-0.5, 0.5), y_range=self._range(0.0, 1.0), tools="reset", y_axis_label="weight (share)"
        )
        self.figure.xgrid.visible = False
        self.figure.xaxis.ticker = FixedTicker()
        own = plain_glyph(
            self.figure.vbar("left", 0.38, "own", source=self.rows, fill_color=STABLE, line_color="edge", line_width=2)
        )
        others = plain_glyph(
            self.figure.vbar("right", 0.38, "class_", source=self.rows, fill_color=GROWING, fill_alpha="share",
                             line_color=GROWING)
        )  # fmt: skip
        self.figure.scatter(
            "x", "weight", marker="dash", size=26, line_color=NEUTRAL, line_width=3, source=self._everyone
        )
        tips = [("", "@name"), ("input", "@own{0.000}"), ("its class", "@class_text"), ("all inputs", "@all_text")]
        self.figure.add_tools(TapTool(renderers=[own, others]), hover([own, others], tips))

    def update(
        self,
        names: Sequence[str],
        own: np.ndarray,
        *,
        everyone: np.ndarray,
        word: str,
        name: str,
        counts: np.ndarray | None = None,
        of_class: np.ndarray | None = None,
        class_counts: np.ndarray | None = None,
        class_size: int = 0,
        n_inputs: int = 0,
        total: int | None = None,
        class_name: str = "",
        rows: Sequence[int] | None = None,
        selected: int | None = None,
    ) -> None:
        """Show the neurons of the largest weight.

        Parameters
        ----------
        names : sequence of str (n,)
            Of all neurons.
        own : array (n,)
            Weights of the input.
        everyone : array (n,)
            Weights over all inputs.
        word, name : str
            What a neuron is, and what the input is called.
        counts, of_class, class_counts : array (n,), optional
            In how many of all inputs a neuron counts; the weights of the input's class; in how many of the class.
        class_size, n_inputs : int
        total : int, optional
            Neurons of the layer, where only some are given.
        class_name : str
        rows : sequence of int (n,), optional
            What a tap chooses; negative where it chooses nothing.
        selected : int, optional
            Row that is marked.
        """
        own, everyone = np.asarray(own, dtype=float), np.asarray(everyone, dtype=float)
        has_class = of_class is not None
        often = np.zeros(len(own)) if not has_class else np.asarray(class_counts) / max(class_size, 1)
        others = np.zeros(len(own)) if not has_class else np.asarray(of_class, dtype=float)
        order = np.lexsort((-others * often, -own))
        shown = [k for k in order if own[k] > 0 or others[k] > 0][:MOST_BARS]
        places = np.arange(len(shown))
        chosen = [-1 if rows is None else int(rows[k]) for k in shown]
        self.rows.data = {
            "x": places,
            "left": places - 0.2 * has_class,
            "right": places + 0.2,
            "own": own[shown],
            "class_": others[shown],
            "share": FAINTEST + (1 - FAINTEST) * often[shown],
            "row": [row + 1 for row in chosen],
            "name": [f"{word} {names[k]}" for k in shown],
            "class_text": [_counted(others[k], class_counts[k], class_size) if has_class else "n/a" for k in shown],
            "all_text": [f"{everyone[k]:.3f}" if counts is None else _counted(everyone[k], counts[k], n_inputs)
                         for k in shown],
            "edge": [SELECTED if row == selected and row >= 0 else STABLE for row in chosen],
        }  # fmt: skip
        self._everyone.data = {"x": places, "weight": everyone[shown]}
        label_ticks(self.figure.xaxis[0], places.tolist(), [names[k] for k in shown])
        letters = sum(2 + len(names[k]) for k in shown)
        self.figure.xaxis[0].major_label_orientation = "horizontal" if letters <= MOST_LETTERS else SLANT
        self.figure.xaxis[0].axis_label = word
        self._fit(self.figure.x_range, -0.6, max(len(shown), 1) - 0.4)
        high = max(own.max(initial=0), others[shown].max(initial=0), everyone[shown].max(initial=0)) or 1.0
        self._fit(self.figure.y_range, 0.0, 1.06 * high)
        self.summary = _in_words(names, own, often, total or len(own), word, name, class_name if has_class else "")

    def take_tap(self, chosen: int) -> int | None:
        """Row that was tapped; bars that stand for no row are not taps."""
        row = super().take_tap(chosen)
        return row if row is not None and row >= 0 else None

    def clear(self) -> None:
        """Take every bar away."""
        empty(self.rows)
        empty(self._everyone)
        self.summary = "No profile to show."


def _counted(weight: float, count: int, total: int) -> str:
    return f"{weight:.3f}, in {count} of {total}"


def _in_words(names, own, often, total: int, word: str, name: str, class_name: str) -> str:
    count, first = int((own > 0).sum()), int(own.argmax()) if len(own) else 0
    begin = f"{name[:1].upper()}{name[1:]}"
    if not count:
        return f"{begin} has no influential neuron: no score is positive."
    noun = "neuron" if count == 1 else "neurons"
    words = (
        f"{begin} has {count} influential {noun} of {total}; the first is {word} {names[first]} with "
        f"{own[first]:.0%} of their weight"
    )
    if class_name:
        words += f", which counts in {often[first]:.0%} of the inputs of class {class_name}"
    return f"{words}."

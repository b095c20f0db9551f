"""Node layers side by side: channels as marks sized by strength, and the strongest links of the chosen one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from bokeh.models import ColumnDataSource, TapTool

from .base import View, empty, hover, plain_glyph, quiet_figure, shortened
from .theme import GROWING, NEUTRAL, SELECTED, STABLE

LEAST, MOST = 3, 13  # pixels across
LONGEST, CROWDED = 18, 14  # letters under a column; the latter where there are more than FEW
FEW = 5
ARC = 21  # points of an arc between columns


@dataclass(frozen=True, eq=False)
class NodeColumn:
    """One node layer as it is drawn.

    Parameters
    ----------
    name : str
    channels : ndarray (n,) of int
        Channels that are drawn, ascending.
    strengths : ndarray (n,)
        Mean strength of their nodes.
    n_channels : int
        How many there are.
    note : str
        Why links on one side are not known, or nothing.
    """

    name: str
    channels: np.ndarray
    strengths: np.ndarray
    n_channels: int
    note: str = ""


@dataclass(frozen=True)
class Strand:
    """A link between two channels that are drawn.

    Parameters
    ----------
    source, target : (int, int)
        NodeColumn, and channel in it.
    weight : float
        Per node of the target.
    name : str
        Of the layer.
    """

    source: tuple[int, int]
    target: tuple[int, int]
    weight: float
    name: str


class NodeGraph(View):
    """Columns of marks; an arc above says which columns are joined.

    Examples
    --------
    >>> import numpy as np
    >>> from dyn_explorer import views
    >>> columns = [views.NodeColumn(name, np.arange(2), np.array([1.0, -2.0]), 2) for name in ("a", "b")]
    >>> view = views.NodeGraph()
    >>> view.update(columns, [(0, 1, "b", True)], [views.Strand((0, 0), (1, 1), -0.5, "b")], selected=(1, 1))
    >>> view.summary
    'Channel 1 of b has strength -2; its strongest links: from a 0 (-0.5).'
    """

    def __init__(self) -> None:
        super().__init__()
        names = ("x", "y", "row", "size", "color", "marker", "edge", "layer", "channel", "strength")
        self.rows = ColumnDataSource({name: [] for name in names})
        self._strands = ColumnDataSource({name: [] for name in ("xs", "ys", "color", "width", "text", "weight")})
        self._arcs = ColumnDataSource({name: [] for name in ("xs", "ys", "width", "name")})
        self._names = ColumnDataSource({"x": [], "y": [], "text": [], "whole": [], "note": []})
        self.figure = quiet_figure(
            x_range=self._range(-0.5, 0.5), y_range=self._range(0.0, 1.0), tools="", outline_line_color=None
        )
        self.figure.axis.visible = self.figure.grid.visible = False
        arcs = plain_glyph(
            self.figure.multi_line("xs", "ys", source=self._arcs, line_color=NEUTRAL, line_width="width", alpha=0.5)
        )
        strands = plain_glyph(
            self.figure.multi_line("xs", "ys", source=self._strands, line_color="color", line_width="width", alpha=0.7)
        )
        marks = plain_glyph(
            self.figure.scatter(
                "x", "y", size="size", marker="marker", fill_color="color", line_color="edge", line_width=2,
                source=self.rows,
            )
        )  # fmt: skip
        labels = self.figure.text(
            "x", "y", "text", source=self._names, text_align="center", text_baseline="top", text_color=NEUTRAL
        )
        labels.glyph.text_font_size = "11px"
        plain_glyph(labels)
        self.figure.add_tools(
            TapTool(renderers=[marks]),
            hover([marks], [("", "@layer"), ("channel", "@channel"), ("mean strength", "@strength{0.000}")]),
            hover([strands], [("", "@text"), ("weight", "@weight{0.0000}")]),
            hover([arcs], [("", "@name")]),
            hover([labels], [("", "@whole"), ("open", "@note")]),
        )

    def update(
        self,
        columns: Sequence[NodeColumn],
        joins: Sequence[tuple[int, int, str, bool]],
        strands: Sequence[Strand],
        *,
        selected: tuple[int, int] | None = None,
    ) -> None:
        """Show node layers.

        Parameters
        ----------
        columns : sequence of NodeColumn
        joins : sequence of (source, target, name, weighted)
            Which columns a layer joins, and whether by weights or, as in a sum, like to like.
        strands : sequence of Strand
            Links that are drawn.
        selected : (column, channel), optional
            The mark that is chosen.
        """
        place = {
            (number, int(channel)): (number, _height(row, len(column.channels)))
            for number, column in enumerate(columns)
            for row, channel in enumerate(column.channels)
        }
        self.rows.data = _marks(columns, place, selected)
        self._strands.data = _lines(columns, strands, place)
        self._arcs.data = _arcs(joins)
        most = LONGEST if len(columns) <= FEW else CROWDED
        self._names.data = {
            "x": list(range(len(columns))), "y": [-0.04] * len(columns),
            "text": [_short(column, most) for column in columns], "whole": [column.name for column in columns],
            "note": [column.note or "no side" for column in columns],
        }  # fmt: skip
        self._fit(self.figure.x_range, -0.5, max(len(columns), 1) - 0.5)
        self._fit(self.figure.y_range, -0.2, 1.3)
        self.summary = _summary(columns, strands, selected)

    def clear(self) -> None:
        """Take everything away."""
        for source in (self.rows, self._strands, self._arcs, self._names):
            empty(source)
        self.summary = "No graph to show."


def _height(row: int, count: int) -> float:
    """Where the k-th of n marks stands; the first on top, as channels are counted."""
    return 0.5 if count == 1 else 1 - row / (count - 1)


def _marks(columns: Sequence[NodeColumn], place: dict, selected) -> dict:
    data: dict = {name: [] for name in ("size", "color", "marker", "edge", "layer", "channel", "strength")}
    for number, column in enumerate(columns):
        peak = np.abs(column.strengths).max(initial=0.0) or 1.0
        for channel, strength in zip(column.channels.tolist(), column.strengths.tolist(), strict=True):
            data["size"].append(LEAST + (MOST - LEAST) * np.sqrt(abs(strength) / peak))
            data["color"].append(GROWING if strength > 0 else STABLE)
            data["marker"].append("circle" if strength > 0 else "square")
            data["edge"].append(SELECTED if (number, channel) == selected else "rgba(0, 0, 0, 0)")
            data["layer"].append(column.name)
            data["channel"].append(channel)
            data["strength"].append(strength)
    spots = list(place.values())
    return {
        "x": [x for x, _ in spots], "y": [y for _, y in spots], "row": list(range(1, len(spots) + 1)), **data,
    }  # fmt: skip


def _lines(columns: Sequence[NodeColumn], strands: Sequence[Strand], place: dict) -> dict:
    peak = max((abs(strand.weight) for strand in strands), default=1.0) or 1.0
    ends = [(place[strand.source], place[strand.target]) for strand in strands]
    return {
        "xs": [[a[0], b[0]] for a, b in ends],
        "ys": [[a[1], b[1]] for a, b in ends],
        "color": [GROWING if strand.weight > 0 else STABLE for strand in strands],
        "width": [0.5 + 4 * abs(strand.weight) / peak for strand in strands],
        "text": [f"{_end(columns, strand.source)} to {_end(columns, strand.target)}" for strand in strands],
        "weight": [strand.weight for strand in strands],
    }


def _arcs(joins: Sequence[tuple[int, int, str, bool]]) -> dict:
    turn = np.linspace(0, 1, ARC)
    return {
        "xs": [source + (target - source) * turn for source, target, _, _ in joins],
        # A longer way stands higher, so that a shortcut can be told from what it passes by.
        "ys": [1.06 + 0.07 * min(target - source, 3) * 4 * turn * (1 - turn) for source, target, _, _ in joins],
        "width": [3 if weighted else 1 for _, _, _, weighted in joins],
        "name": [name if weighted else f"{name}, like to like" for _, _, name, weighted in joins],
    }


def _short(column: NodeColumn, most: int) -> str:
    name = shortened(column.name, most)
    shown = len(column.channels)
    return name if shown == column.n_channels else f"{name}\n{shown} of {column.n_channels}"


def _end(columns: Sequence[NodeColumn], end: tuple[int, int]) -> str:
    return f"{columns[end[0]].name} {end[1]}"


def _summary(columns: Sequence[NodeColumn], strands: Sequence[Strand], selected) -> str:
    if selected is None or not columns:
        return "No node is chosen; tap one to see its strongest links."
    column = columns[selected[0]]
    strength = float(column.strengths[list(column.channels).index(selected[1])])
    strongest = sorted(strands, key=lambda strand: -abs(strand.weight))[:3]
    told = [
        f"from {_end(columns, strand.source)} ({strand.weight:.3g})"
        if strand.target == selected
        else f"to {_end(columns, strand.target)} ({strand.weight:.3g})"
        for strand in strongest
    ]
    links = f"its strongest links: {', '.join(told)}" if told else "it has no links with fixed weights here"
    return f"Channel {selected[1]} of {column.name} has strength {strength:.3g}; {links}."

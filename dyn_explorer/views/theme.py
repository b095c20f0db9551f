"""One look for every figure: colours, marker shapes, type sizes, light and dark."""

from __future__ import annotations

from functools import cache

from bokeh.palettes import Viridis256
from bokeh.themes import Theme

# Okabe & Ito's colours keep apart for every common form of colour blindness; a marker shape always goes with them.
STABLE = "#0072B2"
GROWING = "#D55E00"
DECAYING = "#009E73"
OUTSIDE = "#CC79A7"
SELECTED = "#E69F00"
NEUTRAL = "#8C8C8C"
MARKERS = {STABLE: "circle", GROWING: "triangle", DECAYING: "square", OUTSIDE: "diamond"}

# Classes, next to one another: Okabe & Ito's seven, then darker and lighter ones; a number always goes with them.
CLASS_PALETTE = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#8C8C8C", "#332288", "#882255",
)  # fmt: skip

MAGNITUDE_PALETTE = "Viridis256"
EARLY, LATE = Viridis256[0], Viridis256[-1]
FONT = "system-ui, sans-serif"
AXIS_SIZE = "11px"

_INK = {"light": "#3A3A3A", "dark": "#D0D0D0"}
_GRID = {"light": "#E4E4E4", "dark": "#3C3C3C"}


@cache
def bokeh_theme(name: str = "light") -> Theme:
    """The Bokeh theme of every figure of this package.

    Parameters
    ----------
    name : {"light", "dark"}
        Which of JupyterLab's two families of themes the figure stands in.

    Returns
    -------
    bokeh.themes.Theme
        Backgrounds are transparent, so that the page's own colour shows.

    Examples
    --------
    >>> from dyn_explorer.views import bokeh_theme
    >>> bokeh_theme("dark") is bokeh_theme("dark")
    True
    """
    ink, grid = _INK[name], _GRID[name]
    text = {"text_color": ink, "text_font": FONT, "text_font_size": AXIS_SIZE}
    axis = {
        "axis_line_color": grid,
        "major_tick_line_color": grid,
        "minor_tick_line_color": None,
        "major_label_text_color": ink,
        "major_label_text_font": FONT,
        "major_label_text_font_size": AXIS_SIZE,
        "axis_label_text_color": ink,
        "axis_label_text_font": FONT,
        "axis_label_text_font_size": AXIS_SIZE,
        "axis_label_text_font_style": "normal",
        "axis_label_standoff": 6,
        "major_tick_in": 0,
        "major_tick_out": 4,
    }
    bar = {key: value for key, value in axis.items() if key.startswith("major_label")}
    return Theme(
        json={
            "attrs": {
                "Plot": {
                    "background_fill_alpha": 0,
                    "border_fill_alpha": 0,
                    "outline_line_color": grid,
                    "output_backend": "canvas",
                },
                "Axis": axis,
                "Grid": {"grid_line_color": grid},
                "Label": text,
                "Title": {**text, "text_font_style": "normal"},
                "Text": {"text_font": {"value": FONT}},
                "Legend": {
                    "label_text_color": ink,
                    "label_text_font": FONT,
                    "label_text_font_size": AXIS_SIZE,
                    "background_fill_alpha": 0,
                    "border_line_alpha": 0,
                    "padding": 0,
                    "spacing": 0,
                    "glyph_height": 14,
                    "glyph_width": 14,
                },
                "ColorBar": {
                    **bar,
                    "background_fill_alpha": 0,
                    "border_line_color": None,
                    "title_text_color": ink,
                    "title_text_font": FONT,
                    "title_text_font_size": AXIS_SIZE,
                    "title_text_font_style": "normal",
                },
            }
        }
    )

"""The bar that says what the colours of a figure mean."""

from __future__ import annotations

from bokeh.models import BasicTicker, ColorBar, ColorMapper


def color_bar(mapper: ColorMapper, *, ticks: int = 4, least_step: float = 0, **options) -> ColorBar:
    """A thin bar without lines around it.

    Parameters
    ----------
    mapper : ColorMapper
        Whose colours it shows.
    ticks : int
        About how many numbers stand beside it.
    least_step : float
        The least distance between two of them.
    **options
        Of the bar: its ``height`` below a figure, or its ``width`` beside one, in pixels.

    Examples
    --------
    >>> from bokeh.models import LinearColorMapper
    >>> color_bar(LinearColorMapper(), height=10).height
    10
    """
    ticker = BasicTicker(desired_num_ticks=ticks, min_interval=least_step)
    look = {"padding": 4, "margin": 0, "bar_line_color": None, "major_tick_line_color": None}
    return ColorBar(color_mapper=mapper, ticker=ticker, **{**look, **options})

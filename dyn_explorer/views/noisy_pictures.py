"""An input under noise, as the model is asked about it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from bokeh.models import ColumnDataSource

from .base import View, empty, hover, quiet_figure
from .mode_image import rgba
from .theme import GROWING, NEUTRAL, STABLE

GAP = 0.08


class NoisyPictures(View):
    """Pictures in a row, each framed by whether the model is right about it.

    Parameters
    ----------
    places : int
        Pictures that fit into the row.

    Examples
    --------
    >>> import numpy as np
    >>> from dyn_explorer import views
    >>> row = views.NoisyPictures(2)
    >>> row.update([("clean", np.zeros((4, 4, 3), np.uint8), True), ("noisy", np.zeros((4, 4, 3), np.uint8), False)])
    >>> row.summary
    '2 pictures: clean (right), noisy (wrong).'
    """

    def __init__(self, places: int) -> None:
        super().__init__()
        self._images = ColumnDataSource({name: [] for name in ("image", "x", "y", "dw", "dh")})
        self._frames = ColumnDataSource({name: [] for name in ("x", "y", "caption", "edge", "word")})
        self.figure = quiet_figure(
            x_range=self._range(0, places),
            y_range=self._range(-0.26, 1.0),
            match_aspect=True,
            min_border=0,
            outline_line_color=None,
            tools="",
        )
        self.figure.axis.visible = False
        self.figure.grid.visible = False
        self.figure.image_rgba(image="image", x="x", y="y", dw="dw", dh="dh", source=self._images)
        frames = self.figure.rect(
            x="x", y="y", width=1 - GAP, height=1 - GAP, source=self._frames, fill_alpha=0, line_color="edge",
            line_width=3,
        )  # fmt: skip
        self.figure.text(
            x="x", y=-0.02, text="caption", source=self._frames, text_align="center", text_baseline="top",
            text_color=NEUTRAL, text_font_size="11px",
        )  # fmt: skip
        self.figure.add_tools(hover([frames], [("", "@caption"), ("answer", "@word")]))

    def update(self, pictures: Sequence[tuple[str, np.ndarray, bool]]) -> None:
        """Show pictures.

        Parameters
        ----------
        pictures : sequence of (caption, array (H, W, 3) of uint8, right)
        """
        count = len(pictures)
        self.figure.visible = count > 0
        left = np.arange(count) + GAP / 2
        side = np.full(count, 1 - GAP)
        self._images.data = {
            "image": [rgba(picture)[::-1] for _, picture, _ in pictures],
            "x": left,
            "y": np.full(count, GAP / 2),
            "dw": side,
            "dh": side,
        }
        words = ["right" if right else "wrong" for _, _, right in pictures]
        self._frames.data = {
            "x": np.arange(count) + 0.5,
            "y": np.full(count, 0.5),
            "caption": [f"{caption} {'✓' if right else '✗'}" for caption, _, right in pictures],
            "edge": [STABLE if right else GROWING for _, _, right in pictures],
            "word": words,
        }
        said = ", ".join(f"{caption} ({word})" for (caption, _, _), word in zip(pictures, words, strict=True))
        self.summary = f"{count} pictures: {said}." if count else "These inputs are no pictures."

    def clear(self) -> None:
        """Take every picture away."""
        empty(self._images)
        empty(self._frames)
        self.summary = "No pictures to show."

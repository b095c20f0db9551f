"""The strip of input pictures, as one sheet that the browser cuts up."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

from .source import to_picture

TILE = 40  # pixels along a thumbnail's longer side


def picture_strip(inputs, labels, class_names) -> dict:
    """All inputs as a page section.

    Parameters
    ----------
    inputs : torch.Tensor (n_samples, ...)
        What the model was given; pictures where an input is (c, h, w) or (h, w).
    labels : sequence of int or None
        Class of each input.
    class_names : sequence of str or None
        Names of the classes; text from outside, shown as text.

    Returns
    -------
    dict
        ``sheet`` (a PNG as data address, or None), ``tile`` (width, height), ``columns`` and ``captions``.
    """
    values = inputs.detach().cpu().float().numpy()
    captions = [caption(labels, class_names, k) for k in range(len(values))]
    pictures = [to_picture(value) for value in values]
    if any(picture is None for picture in pictures):
        return {"sheet": None, "captions": captions}
    height, width = pictures[0].shape[:2]
    scale = TILE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    columns = min(16, len(pictures))
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * size[0], rows * size[1]))
    for k, picture in enumerate(pictures):
        small = Image.fromarray(picture).resize(size, Image.Resampling.BOX if scale < 1 else Image.Resampling.NEAREST)
        sheet.paste(small, ((k % columns) * size[0], (k // columns) * size[1]))
    return {"sheet": data_address(sheet), "tile": list(size), "columns": columns, "rows": rows, "captions": captions}


def caption(labels, class_names, k: int) -> str:
    """What stands under input `k`."""
    if labels is None:
        return ""
    label = np.asarray(labels)[k]
    whole = np.issubdtype(label.dtype, np.integer) and label.ndim == 0
    if class_names is not None and whole and 0 <= int(label) < len(class_names):
        return str(class_names[int(label)])
    return str(label)


def data_address(image: Image.Image) -> str:
    """An image as a ``data:`` address that a page can draw."""
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")

"""A panel's figures for a page without a kernel, in which a tapped mark lights what belongs to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from bokeh.document import Document
from bokeh.embed.util import OutputDocumentFor
from bokeh.models import CustomJS, GlyphRenderer
from bokeh.plotting import figure

from dyn_explorer.views import View
from dyn_explorer.views.theme import bokeh_theme

from . import assets


def linked_copy(
    views: Mapping[str, View], taps: Mapping[str, tuple[str, list]], table_sets: str, table_values: Sequence
) -> dict[str, figure]:
    """Copies of the figures; the originals belong to the widget and stay as they are.

    Parameters
    ----------
    views : mapping of str to View
    taps : mapping of str to (str, list)
        Of each figure, what a tapped mark sets, and to which value for each row, as `Panel.taps` returns them.
    table_sets, table_values
        The same for the rows of the page's table.

    Returns
    -------
    dict of str to figure
        By the names of `views`, all in one document.
    """
    with OutputDocumentFor([view.figure for view in views.values()], apply_theme=bokeh_theme("light")) as document:
        copy = Document.from_json(document.to_json())
    figures = {name: copy.get_model_by_id(view.figure.id) for name, view in views.items()}
    places, sets = [], []
    for name, (choice, values) in taps.items():
        rows = views[name].rows
        source = None if rows is None else copy.get_model_by_id(rows.id)
        if source is None:
            continue
        places.append(source)
        sets.append([_choices(choice, value) for value in values])
        for renderer in figures[name].select(GlyphRenderer):
            if renderer.data_source is source:
                renderer.nonselection_glyph = "auto"  # what is not chosen fades
    rows_set = [_choices(table_sets, value) for value in table_values]
    code = CustomJS(args={"places": places, "sets": sets, "rows_set": rows_set}, code=_script())
    copy.js_on_event("document_ready", code)
    return figures


def _choices(names: str, value) -> dict:
    """What one mark sets: several choices at once where its name holds commas."""
    parts = names.split(",")
    return dict(zip(parts, [value] if len(parts) == 1 else value, strict=True))


@cache
def _script() -> str:
    return (assets.STATIC / "linked_page.js").read_text(encoding="utf8")

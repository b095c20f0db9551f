"""A panel as one page that needs neither kernel nor network."""

from __future__ import annotations

from html import escape

from dyn_explorer.views.theme import bokeh_theme

from . import assets, page
from .panels import Panel

_STYLE = """
body { font: 14px/1.5 system-ui, sans-serif; color: #222; margin: 24px auto; max-width: 1200px; padding: 0 16px; }
h1 { font-size: 18px; } h2 { font-size: 14px; margin: 0; } p { margin: 4px 0 8px; color: #555; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(340px, 1fr)); gap: 16px; }
.card { border: 1px solid #ddd; border-radius: 4px; padding: 8px 12px; } .plot { height: 300px; }
.card.square .plot { height: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
td, th { padding: 2px 10px; text-align: right; }
pre { background: #f6f6f6; padding: 12px; overflow-x: auto; } dl { display: flex; gap: 24px; flex-wrap: wrap; }
dt { color: #555; } dd { margin: 0; font-weight: 600; }
"""


def html(panel: Panel, result, title: str, code: str) -> str:
    """The open panel as an HTML document.

    Parameters
    ----------
    panel : Panel
        Its figures hold what is shown.
    result
        What `panel` last computed.
    title, code : str
        Heading, and the Python that rebuilds the numbers.

    Returns
    -------
    str
        With BokehJS inside; the plots can be zoomed and hovered.
    """
    from bokeh.embed import components  # not needed to open an inspector

    figures = {name: view.figure for name, view in panel.views.items()}
    script, places = components(figures, theme=bokeh_theme("light"))
    cards = "".join(
        f'<section class="card {card.figure}{" square" if card.square else ""}"><h2>{escape(card.title)}</h2>'
        f'<p>{escape(panel.views[card.figure].summary)}</p><div class="plot">{places[card.figure]}</div></section>'
        for card in panel.cards
    )
    numbers = "".join(
        f'<div title="{escape(item["help"])}"><dt>{escape(item["label"])}</dt><dd>{escape(item["value"])}</dd></div>'
        for item in panel.numbers(result)
    )
    return "\n".join(
        [
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>',
            f"<style>{_STYLE}</style><script>{assets.bokehjs()}</script></head><body>",
            f"<h1>{escape(title)}</h1><p>{escape(panel.about)}</p><p>{escape(panel.meaning(result))}</p>",
            f'<dl>{numbers}</dl><div class="cards">{cards}</div>',
            _table(page.table(panel.table(result))),
            f"<h2>Code</h2><pre>{escape(code)}</pre>{script}</body></html>",
        ]
    )


def _table(table: dict) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in table["columns"])
    rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table["rows"])
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"

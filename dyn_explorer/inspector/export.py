"""A panel as one page that needs neither kernel nor network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from dyn_explorer.views import View
from dyn_explorer.views.theme import bokeh_theme

from . import assets, page
from .linked_page import linked_copy
from .panels import Card, Panel

_STYLE = """
body { background: #fff; margin: 24px auto; max-width: 1200px; padding: 0 16px; }
.dx-inspector { border: none; }
.dx-inspector h1 { font-size: 18px; margin: 0 0 8px; } .dx-inspector h2 { font-size: 13px; margin: 16px 0 4px; }
.dx-inspector pre { background: var(--dx-raised); margin: 0; padding: 12px; overflow-x: auto; }
.metrics { overflow-x: auto; }
.dx-inspector tr.dx-chosen { background: var(--dx-chosen); }
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
        With BokehJS inside. The plots can be zoomed and hovered, and a tapped mark or row lights what belongs to it.
    """
    from bokeh.embed import components  # not needed to open an inspector

    frame = panel.table(result)
    row_values = panel.row_values(result, len(frame))
    table = page.table(frame, panel.tap_chooses, row_values)
    figures = linked_copy(panel.views, panel.taps(result, row_values), panel.tap_chooses, table["values"])
    script, places = components(figures, theme=bokeh_theme("light"))
    cards = "".join(_card(card, panel.views[card.figure], places[card.figure]) for card in panel.cards)
    numbers = "".join(
        f'<div title="{escape(item["help"])}"><dt>{escape(item["label"])}</dt><dd>{escape(item["value"])}</dd></div>'
        for item in panel.numbers(result)
    )
    return "\n".join(
        [
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>',
            '<meta name="viewport" content="width=device-width">',
            f"<style>{assets.css()}{_STYLE}</style><script>{assets.bokehjs()}</script></head>",
            f'<body><main class="dx-inspector"><h1>{escape(title)}</h1><p class="dx-about">{escape(panel.about)}</p>',
            f'<p class="dx-meaning">{escape(panel.meaning(result))}</p><dl class="dx-numbers">{numbers}</dl>',
            f'<div class="dx-cards">{cards}</div>',
            _metrics(panel.metrics(result)),
            _table(table),
            f"<h2>Code</h2><pre>{escape(code)}</pre></main>{script}</body></html>",
        ]
    )


def _card(card: Card, view: View, place: str) -> str:
    kinds = "".join(f" dx-{kind}" for kind in ("square", "half", "wide") if getattr(card, kind))
    marks = "".join(
        f'<span><span style="color: {color}" aria-hidden="true">{escape(symbol)}</span> {escape(meaning)}</span>'
        for symbol, color, meaning in card.legend
    )
    return (
        f'<article class="card dx-card dx-card-{card.figure}{kinds}"><header title="{escape(card.help)}">'
        f'<h3>{escape(card.title)}</h3><span class="dx-legend">{marks}</span></header>'
        f'<div class="dx-plot"{"" if view.figure.visible else " hidden"}>{place}</div>'
        f'<p class="dx-summary">{escape(view.summary)}</p></article>'
    )


def _metrics(metrics: Mapping | None) -> str:
    if metrics is None:
        return ""
    body = "".join(
        f'<tr title="{escape(row["help"])}"><th scope="row">{escape(row["label"])}</th>{_cells(row["cells"])}</tr>'
        for row in metrics["rows"]
    )
    plain = "" if metrics.get("nulls") else " dx-plain"
    return (
        f'<h2>{escape(metrics["title"])}</h2><div class="metrics"><table class="dx-table dx-metrics{plain}">'
        f"<thead><tr>{_cells(metrics['columns'], 'th')}</tr></thead><tbody>{body}</tbody></table></div>"
        f'<p class="dx-summary">{escape(metrics["note"])}</p>'
    )


def _table(table: Mapping) -> str:
    kinds = table["kinds"]
    rows = "".join(f'<tr tabindex="0">{_cells(row, kinds=kinds)}</tr>' for row in table["rows"])
    hidden = f'<p class="dx-summary">{table["hidden"]:,} more rows are not shown.</p>' if table["hidden"] else ""
    return (
        '<h2>Table</h2><div class="dx-table-scroll"><table class="dx-table dx-rows">'
        f"<thead><tr>{_cells(table['columns'], 'th', kinds)}</tr></thead><tbody>{rows}</tbody></table></div>{hidden}"
    )


def _cells(texts: Sequence[str], tag: str = "td", kinds: Sequence[str] = ()) -> str:
    styles = [f' class="{kind}"' if kind else "" for kind in kinds] or [""] * len(texts)
    return "".join(f"<{tag}{style}>{escape(text)}</{tag}>" for text, style in zip(texts, styles, strict=True))

"""The guide: the README's sections as pages, and a page for each panel, from what the panel says of itself."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from conf import prose

from dyn_explorer.inspector.panels import PANELS, Panel

ROOT = Path(__file__).parents[1]
# Page of each section of the README; what is not named here stands on the first.
PAGES = {
    "start": "Start",
    "measures": "What it shows",
    "limits": "What it promises, and what it does not",
    "troubleshooting": "When something does not work",
}
SECTIONS = {
    "What it shows": "measures",
    "What it promises, and what it does not": "limits",
    "Limits": "limits",
    "When something does not work": "troubleshooting",
}
LEFT_OUT = {"Gallery", "Contributing"}
# Page of each file of the repository that is one.
FILES = {"CONTRIBUTING.md": "contributing", "CHANGELOG.md": "changes", "benchmarks/RESULTS.md": "results"}
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?:|#)([^)\s]+)\)")


def write(folder: Path) -> None:
    """Write the pages of the guide into `folder`."""
    for page, text in _readme_pages().items():
        (folder / f"{page}.md").write_text(text, encoding="utf8")
    for file, page in FILES.items():
        (folder / f"{page}.md").write_text(_mended(file), encoding="utf8")
    shutil.copytree(ROOT / "docs" / "gallery", folder / "gallery")
    _write_panels(folder / "panels")


def _readme_pages() -> dict[str, str]:
    pieces = re.split(r"^## (.+)$", _mended("README.md"), flags=re.MULTILINE)[1:]
    sections = dict(zip(pieces[::2], pieces[1::2], strict=True))
    texts = {page: f"# {title}\n" for page, title in PAGES.items()}
    for title, text in sections.items():
        if title not in LEFT_OUT:
            page = SECTIONS.get(title, "start")
            texts[page] += ("" if title == PAGES[page] else f"\n## {title}\n") + text
    for title in sections:
        page, place = SECTIONS.get(title, "start"), re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        texts = {own: text.replace(f"](#{place})", f"]({page}.md)") for own, text in texts.items()}
    return texts


def _mended(file: str) -> str:
    """A file's text with links between files as links between pages; a file that is no page keeps its name alone."""

    def mend(link: re.Match) -> str:
        words, (name, _, place) = link[1], link[2].partition("#")
        page = FILES.get(name)
        return f"[{words}]({page}.md{'#' + place if place else ''})" if page else words

    return LINK.sub(mend, (ROOT / file).read_text(encoding="utf8"))


def _write_panels(folder: Path) -> None:
    folder.mkdir()
    for panel in PANELS:
        (folder / f"{panel.key}.rst").write_text(_panel(panel), encoding="utf8")
    entries = "\n".join(f"   {panel.key}" for panel in PANELS)
    text = (
        "Panels\n======\n\n"
        "One tab each. A tapped mark, row or picture sets what every other figure shows; so does a line of Python.\n\n"
        f".. toctree::\n   :maxdepth: 1\n\n{entries}\n"
    )
    (folder / "index.rst").write_text(text, encoding="utf8")


def _panel(panel: type[Panel]) -> str:
    names = ", ".join(f"``{name}``" for name in sorted(panel.Options.class_own_traits()))
    figures = "\n".join(f"**{card.title}**\n   {prose(card.help)}\n" for card in panel.cards)
    return f"""{panel.title}
{"=" * len(panel.title)}

{prose(panel.about)}

.. image:: /gallery/{panel.key}.png
   :alt: The {panel.title} panel

Figures
-------

{figures}

From Python
-----------

``inspector.panel = "{panel.key}"`` opens it, ``inspector.results["{panel.key}"]`` is its result,
``inspector.table("{panel.key}")`` the numbers behind its figures, and ``inspector.code()`` the program that rebuilds
them. ``inspector.options("{panel.key}", ...)`` sets what its controls set: {names}.
"""

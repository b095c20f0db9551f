"""The pages build without a warning, hold every public name, and no link inside them or inside the files is broken."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from sphinx.util.inventory import InventoryFile

import dyn_explorer as dx
from dyn_explorer.inspector.panels import PANELS

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("docs")]  # the pages are built once

ROOT = Path(__file__).parents[1]
MODULES = (dx, dx.analysis, dx.capture, dx.views, dx.demo)
README = (ROOT / "README.md").read_text(encoding="utf8")


class Page(HTMLParser):
    """The places in a page and where its links lead."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.places, self.links, self.texts = {""}, [], []
        self.feed(path.read_text(encoding="utf8"))

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.places |= {values["id"]} if "id" in values else set()
        self.links += [values[key] for key in ("href", "src") if values.get(key)]

    def handle_data(self, data):
        self.texts.append(data)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The pages, built as `make docs` builds them: there a warning is an error."""
    folder = tmp_path_factory.mktemp("docs") / "site"
    command = [sys.executable, str(ROOT / "docs" / "build.py"), "--to", str(folder)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site):
    return {path: Page(path) for path in site.rglob("*.html")}


@pytest.fixture(scope="module")
def described(site):
    """Full names of everything that has a place in the pages."""
    inventory = InventoryFile.loads((site / "objects.inv").read_bytes(), uri="")
    return {name for kind, names in inventory.data.items() if kind.startswith("py:") for name in names}


def test_every_public_name_is_described(described):
    missing = []
    for module in MODULES:
        for name in module.__all__:
            thing = getattr(module, name)
            # What a module passes on is described where it was met first.
            offered = {f"{other.__name__}.{name}" for other in MODULES if getattr(other, name, None) is thing}
            if not inspect.ismodule(thing) and not offered & described:
                missing.append(f"{module.__name__}.{name}")
    assert missing == []


@pytest.mark.parametrize(
    "name",
    ["wait", "cancel", "refresh", "step", "close", "undo", "redo", "code", "state", "load_state", "to_html", "table"],
)
def test_what_an_inspector_can_do_is_described(described, name):
    assert f"dyn_explorer.Inspector.{name}" in described


def test_no_link_between_the_pages_is_broken(pages, site):
    broken = []
    for path, page in pages.items():
        for link in page.links:
            if re.match(r"[a-z]+:|//", link):
                continue
            file, _, place = link.partition("#")
            target = (path.parent / unquote(file.partition("?")[0])).resolve() if file else path
            target = target / "index.html" if target.is_dir() else target
            if not target.exists() or (target in pages and unquote(place) not in pages[target].places):
                broken.append(f"{path.relative_to(site)}: {link}")
    assert broken == []


def test_the_pages_load_nothing_from_elsewhere(site):
    loads = re.compile(
        r"<(?:script|img|iframe)[^>]*src=\"(?:https?:)?//[^\"]*|<link[^>]*stylesheet[^>]*href=\"https?://[^\"]*"
    )
    found = [hit for path in site.rglob("*.html") for hit in loads.findall(path.read_text(encoding="utf8"))]
    assert found == []


def test_papers_are_links(site):
    page = (site / "api" / "analysis" / "residuals.html").read_text(encoding="utf8")
    assert 'href="https://doi.org/10.1137/17M1144155"' in page
    assert 'href="https://arxiv.org/abs/2111.14889"' in page


def test_links_between_sections_of_the_readme_become_links_between_pages(site):
    assert "](#what-it-shows)" in README
    article = (site / "start.html").read_text(encoding="utf8").partition("<article")[2].partition("</article>")[0]
    assert 'href="measures.html"' in article


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.key)
def test_every_panel_has_a_page_that_names_its_figures(pages, site, panel):
    text = "".join(pages[site / "panels" / f"{panel.key}.html"].texts)
    assert all(card.title in text for card in panel.cards)


# ---------------------------------------------------------------- the files of the repository


def anchors(text: str) -> set[str]:
    """Places that a Markdown file's headings make, as GitHub names them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


FILES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/RESULTS.md"]


@pytest.mark.parametrize("file", FILES)
def test_links_between_files_lead_somewhere(file):
    text = (ROOT / file).read_text(encoding="utf8")
    broken = []
    for link in [*re.findall(r"\]\(([^)\s]+)\)", text), *re.findall(r"(?:src|href)=\"([^\"]+)\"", text)]:
        if re.match(r"https?:", link):
            continue
        name, _, place = link.partition("#")
        target = (ROOT / file).parent / name if name else ROOT / file
        if not target.exists() or (place and place not in anchors(target.read_text(encoding="utf8"))):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("file", FILES)
def test_no_section_stands_in_a_file_twice(file):
    """A merge of two branches that both moved a section leaves it twice."""
    headings = re.findall(r"^## .+$", (ROOT / file).read_text(encoding="utf8"), flags=re.MULTILINE)
    assert len(set(headings)) == len(headings)


def test_the_readme_shows_a_picture_of_every_panel_and_of_a_sweep():
    shown = re.findall(r"docs/gallery/(\w+)\.png", README)
    assert set(shown) == {*(panel.key for panel in PANELS), "sweep"}


def test_the_pictures_are_small():
    sizes = {path.name: path.stat().st_size for path in (ROOT / "docs").rglob("*.png")}
    assert max(sizes.values()) < 150_000
    assert sum(sizes.values()) < 1_200_000


def test_binder_addresses_in_the_readme_open_a_notebook_that_exists():
    places = re.findall(r"mybinder\.org/v2/gh/[^\s)]*?urlpath=lab/tree/([^\s)`\"]+)", README)
    assert places
    assert all((ROOT / place).is_file() for place in places)

"""The JupyterLab extension: from the launcher to the circle, the sidebar, and the inspector beside its notebook."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from jupyter_driver import ARTIFACTS, Lab, write_notebook

MAKE = """
import time
import torch
import dyn_explorer as dx
images, labels = dx.demo.digits("test")
net = dx.demo.load("trained")
other = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10)).eval()
class Hostile(torch.nn.Linear): pass
Hostile.__name__ = "<img src=x onerror='window.hacked = 1'>"
hostile = Hostile(3, 3)
globals()["<b id=injected>"] = torch.nn.Linear(2, 2)
"""
SIDE = "inspector = dx.explore(net, images, labels, where='side')\ninspector"
TRAIN = """
from pathlib import Path
epoch = 0
while not Path("stop").exists() and epoch < 600:
    dx.demo.train(net, images[:32], labels[:32], epochs=1)
    inspector.step(epoch=epoch)
    time.sleep(0.1)
    epoch += 1
"""
HERE = "dx.explore(other, images)"
SECOND = "import torch\nnet = torch.nn.Sequential(torch.nn.Linear(4, 3))\nimages = torch.rand(9, 4)"
CHANGE = "with torch.no_grad():\n    net.conv1.weight.mul_(-1)"
FIRST = "[inspector.results['dynamics'].eigenvalues[0].real, inspector.rank]"
AXE = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa"]}, "resultTypes": ["violations"]}


class Side:
    """What the extension adds to a page."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.page = lab, lab.page

    def open_sidebar(self) -> None:
        """Show the sidebar."""
        if not self.page.locator(".dxs-sidebar").is_visible():
            self.page.click("[data-id='dyn-explorer-sidebar']")
        self.page.wait_for_selector(".dxs-sidebar >> text=Explore a model")

    def rows(self) -> list[str]:
        """The text of what can be chosen."""
        return self.page.locator(".dxs-row").all_inner_texts()

    def explore(self, model: str) -> None:
        """Choose a model in the sidebar and press Explore."""
        self.open_sidebar()
        self.page.check(f".dxs-row input[value='{model}']")
        self.page.click(".dxs-sidebar .dxs-explore:enabled")
        self.page.wait_for_selector(f".lm-TabBar-tab:has-text('{model} · images')")

    def wait_for_inspector(self) -> None:
        """Block until the view at the side has its plots."""
        self.page.wait_for_selector(".dxs-side .dx-table-scroll tbody tr:visible", timeout=60_000)

    def rank(self, where: str) -> str:
        """The rank that a view shows."""
        return self.page.locator(f"{where} .dx-inspector [data-name=rank] output").inner_text()

    def wait_for_rank(self, where: str, rank: int) -> None:
        """Block until a view shows a rank."""
        self.lab.wait_for(lambda: self.rank(where) == str(rank), f"rank {rank} in {where}")

    def restart(self) -> None:
        """Restart the kernel of the active notebook."""
        self.page.click("li.lm-MenuBar-item:has-text('Kernel')")
        self.page.click("[data-command='kernelmenu:restart']")
        self.page.click(".jp-Dialog .jp-mod-warn")


@pytest.fixture(scope="module")
def shared_lab(open_shared_lab):
    """One notebook whose kernel holds three models."""
    lab = open_shared_lab(MAKE, SIDE, TRAIN, CHANGE, HERE, width=1200, height=900)
    write_notebook(lab.server.folder / "second.ipynb", SECOND)
    Side(lab).open_sidebar()
    lab.page.wait_for_selector(".dxs-state:has-text('has not imported torch')")
    lab.run_cell(0)
    lab.page.wait_for_selector(".dxs-row")
    return lab


@pytest.fixture
def lab(shared_lab):
    """That notebook; no error may reach the page."""
    yield shared_lab
    assert shared_lab.errors == []


@pytest.fixture
def side(lab):
    """What the extension shows of it."""
    return Side(lab)


@pytest.fixture
def explored(side):
    """The same with an inspector of ``net`` at the side."""
    if not side.page.locator(".dxs-side .dx-inspector").count():
        side.explore("net")
    side.wait_for_inspector()
    return side


def test_from_the_launcher_to_the_circle_without_a_key(lab_server, chromium):
    context = chromium.new_context(viewport={"width": 1200, "height": 900})
    lab = Lab(context.new_page(), lab_server, "00_tour.ipynb")
    try:
        lab.page.goto(f"{lab_server.url}/lab?reset")
        lab.page.wait_for_selector(".jp-LauncherCard:has-text('Open the tour')", timeout=60_000)
        lab.page.wait_for_timeout(300)  # fonts and icons
        lab.page.screenshot(path=ARTIFACTS / "extension_launcher.png")
        lab.page.click(".jp-LauncherCard:has-text('Open the tour')")
        lab.wait_for_plots(timeout=120_000)
        assert len(lab.drawn("circle", ["re", "im"])["re"]) > 2
        assert (lab_server.folder / "00_tour.ipynb").is_file()
        assert lab.errors == []
    finally:
        context.close()
        lab_server.stop_kernels()


def test_the_sidebar_lists_what_the_kernel_holds_and_nothing_of_it_becomes_markup(side):
    rows = side.rows()
    assert re.fullmatch(r"net\s+eval\s+SmallCNN · [\d,]+ parameters · cpu", rows[0])
    assert "<img src=x onerror='window.hacked = 1'>" in rows[2]
    assert rows[3].startswith("<b id=injected>")
    assert re.fullmatch(r"images\s+tensor\s+\d+ × 1 × 8 × 8 · float32 · cpu", rows[4])
    assert side.page.evaluate("window.hacked") is None
    assert side.page.locator(".dxs-sidebar :is(img, b)").count() == 0
    assert side.page.locator(".dxs-row input:disabled").count() == 1  # code could not name it
    assert side.page.locator(".dxs-row input[value=images]").is_checked()
    assert side.page.locator(".dxs-select").input_value() == "labels"


def test_explore_opens_the_inspector_beside_the_notebook_and_says_how_python_does_it(side):
    names = "[name for name in dir() if not name.startswith('_')]"
    before = side.lab.python(names)
    side.explore("net")
    side.wait_for_inspector()
    notebook, tab = (side.page.locator(where).bounding_box() for where in (".jp-NotebookPanel", ".dxs-side"))
    assert tab["x"] >= notebook["x"] + notebook["width"]
    code = side.page.locator(".dxs-code pre").inner_text()
    assert code == 'import dyn_explorer as dx\n\ndx.explore(net, images, labels, where="side")'
    side.page.click(".dxs-buttons >> text=Copy")
    assert side.page.evaluate("navigator.clipboard.readText()") == code
    cells = side.page.locator(".jp-Notebook .jp-CodeCell")
    count = cells.count()
    side.page.click("text=Insert in a cell")
    assert cells.count() == count + 1
    assert 'where="side"' in cells.nth(1).inner_text()
    for key in ("Escape", "d", "d"):
        side.page.keyboard.press(key)
    side.lab.wait_for(lambda: cells.count() == count, "the inserted cell to go")
    assert side.lab.python(names) == before


def test_the_cell_and_the_side_show_one_inspector(explored):
    lab = explored.lab
    lab.run_cell(1)
    explored.page.click(".jp-OutputArea >> text=Show here")
    lab.page.wait_for_selector(".jp-OutputArea .dx-inspector .dx-table-scroll tbody tr")
    lab.slide("rank", 5)
    for where in (".jp-OutputArea", ".dxs-side"):
        explored.wait_for_rank(where, 5)
    assert lab.python("inspector.rank") == 5


def test_a_run_is_watched_at_the_side_while_it_trains(explored):
    lab, page = explored.lab, explored.page
    lab.run_cell(1)
    cell = page.locator(".jp-Notebook .jp-CodeCell").nth(2)
    cell.locator(".jp-InputArea-editor").click()
    page.keyboard.press("Control+Enter")
    page.wait_for_function("/epoch [1-9]/i.test(document.querySelector('.dxs-side .dx-status').textContent)")
    assert cell.locator(".jp-InputPrompt").inner_text() == "[*]:"
    page.wait_for_selector(".dxs-busy:has-text('The kernel is busy')")
    assert page.locator(".dxs-explore").is_disabled()
    page.screenshot(path=ARTIFACTS / "extension_training.png")
    (lab.server.folder / "stop").touch()
    page.wait_for_selector(".dxs-explore:enabled")
    assert page.locator(".dxs-busy").inner_text() == ""


def test_a_cell_that_changes_the_weights_refreshes_the_view_also_of_a_kernel_that_is_asked_all_the_time(explored):
    lab, page = explored.lab, explored.page
    lab.run_cell(1)
    before = lab.python(FIRST)
    page.locator(".jp-Notebook .jp-CodeCell").nth(3).locator(".jp-InputArea-editor").click()
    page.keyboard.press("Control+Enter")
    lab.wait_for(lambda: lab.python(FIRST)[0] != before[0], "the eigenvalues of the changed weights")
    assert lab.python(FIRST)[1] == before[1]  # the view is the same


def test_a_closed_tab_opens_again_as_it_was(explored):
    lab, page = explored.lab, explored.page
    lab.slide("rank", 3, inspector=page.locator(".dx-inspector").count() - 1)
    explored.wait_for_rank(".dxs-side", 3)
    page.click(".lm-TabBar-tab:has-text('net · images') .lm-TabBar-tabCloseIcon")
    page.wait_for_selector(".dxs-side", state="detached")
    lab.run_cell(1)
    explored.wait_for_inspector()
    explored.wait_for_rank(".dxs-side", 3)
    page.click(".lm-TabBar-tab:has-text('net · images') .lm-TabBar-tabCloseIcon")
    page.wait_for_selector(".jp-OutputArea >> text=net · images was closed at the side.")
    page.click(".jp-OutputArea >> text=Show >> nth=0")
    explored.wait_for_inspector()
    explored.wait_for_rank(".dxs-side", 3)


def test_a_reloaded_page_shows_the_tab_as_it_was(explored):
    explored.explore("net")
    rank = explored.rank(".dxs-side")
    explored.page.wait_for_timeout(1500)  # JupyterLab saves its layout a second after a change
    explored.lab.reload()
    explored.wait_for_inspector()
    assert explored.rank(".dxs-side") == rank


def test_a_restarted_kernel_is_told_of_and_explore_begins_again(explored):
    explored.explore("net")
    explored.restart()
    told = "The kernel was restarted: run your cells and press Explore."
    explored.page.wait_for_selector(f".dxs-side .dxs-state:has-text('{told}')")
    explored.page.wait_for_selector(".dxs-sidebar .dxs-state:has-text('has not imported torch')")
    explored.page.click(".dxs-side .dxs-primary")
    explored.page.wait_for_selector(".dxs-side .dxs-state:has-text(\"there is no variable 'net'\")")
    explored.lab.run_cell(0)
    explored.page.click(".dxs-side .dxs-primary")
    explored.wait_for_inspector()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_either_theme(explored, theme):
    lab, page = explored.lab, explored.page
    lab.set_theme(f"JupyterLab {theme.title()}")
    page.wait_for_timeout(300)
    page.screenshot(path=ARTIFACTS / f"extension_{theme}.png")
    for where in (".dxs-sidebar", ".dxs-side", ".dxs-line"):
        if page.locator(where).count():
            violations = Axe().run(page, context=where, options=AXE).response["violations"]
            assert violations == [], [(v["id"], v["nodes"][0]["html"]) for v in violations]


def test_a_widget_in_a_cell_is_popped_out(explored):
    page = explored.page
    explored.lab.run_cell(4)
    page.keyboard.press("Control+Shift+c")
    page.click(".lm-CommandPalette-item:has-text('Pop the inspector out of this cell')")
    page.wait_for_selector(".lm-TabBar-tab.lm-mod-current:has-text('Inspector')")
    page.wait_for_selector(".dxs-side:visible .dx-header:has-text('Sequential')")


def test_two_notebooks_keep_their_own_kernels(explored):
    page = explored.page
    page.click("[data-id='filebrowser']")
    page.dblclick(".jp-DirListing-item:has-text('second.ipynb')")
    page.wait_for_selector(".jp-NotebookPanel:visible:has-text('Linear(4, 3)')")
    explored.lab.wait_idle()
    explored.lab.run_cell(-1)
    explored.open_sidebar()
    page.wait_for_selector(".dxs-where:has-text('second.ipynb')")
    page.wait_for_function("document.querySelectorAll('.dxs-row').length === 2")
    assert explored.rows()[0].split() == ["net", "train", "Sequential", "·", "15", "parameters", "·", "cpu"]
    page.click(".dxs-sidebar .dxs-explore:enabled")
    page.wait_for_selector(".dxs-side:visible .dx-header:has-text('15 parameters')", timeout=60_000)
    assert page.locator(".lm-TabBar-tab:has-text('net · images')").count() == 2
    page.screenshot(path=ARTIFACTS / "extension_two_notebooks.png")
    page.click(".lm-TabBar-tab:has-text('second.ipynb')")
    explored.restart()
    page.wait_for_selector(".dxs-side .dxs-state:has-text('The kernel was restarted')")
    page.click(".lm-TabBar-tab:has-text('test_extension_0')")
    page.wait_for_function("document.querySelectorAll('.dxs-row').length > 4")
    assert page.locator(".dxs-side .dxs-state").count() == 1
    assert page.locator(".dxs-side .dx-header:has-text('SmallCNN')").count() == 1

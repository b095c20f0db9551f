"""Views of one inspector: second, reloaded, closed, slow, offline, without a kernel, without a mouse."""

from __future__ import annotations

import json
import os
import signal
from urllib.parse import urlsplit

import numpy as np
import pytest
from jupyter_driver import LOAD

CIRCLE = ["re", "im", "row"]
EIGENVALUES = "[[z.real, z.imag] for z in inspector.results['dynamics'].eigenvalues]"
RANGES = (
    "(lambda f: [f.x_range.start, f.x_range.end, f.y_range.start, f.y_range.end])"
    "(inspector._panels['dynamics'].views['circle'].figure)"
)
BOX = "import ipywidgets\nbox = ipywidgets.VBox()\nbox"
MAKE = "(globals().__setitem__('other', dx.explore(model, images, labels)), setattr(box, 'children', [other]))[1]"
FREE = "(other.close(), setattr(box, 'children', []))[1]"
THREADS = "len([t for t in __import__('threading').enumerate() if t.name.startswith('dyn_explorer')])"


@pytest.fixture(scope="module")
def shared_lab(open_shared_lab):
    """One notebook: the demo, a cell for a second view of it, a cell for inspectors that come and go."""
    lab = open_shared_lab(LOAD, "inspector", BOX, "inspector.close()")
    lab.run_cell(0)
    lab.wait_for_plots()
    lab.start = lab.python("inspector.wait().state()")
    return lab


@pytest.fixture
def lab(shared_lab):
    """One view of the demo as it was when it was opened."""
    shared_lab.python(f"(inspector.load_state({shared_lab.start}), inspector.wait().mode)[1]")
    yield shared_lab
    assert shared_lab.errors == []


@pytest.fixture
def two_views(lab):
    """The demo in two views."""
    if views(lab) < 2:
        lab.run_cell(1)
    lab.wait_for_plots(1)
    return lab


def views(lab) -> int:
    return lab.page.locator(".dx-inspector").count()


def wait_for_views(lab, count: int) -> None:
    lab.page.wait_for_function("n => document.querySelectorAll('.dx-inspector').length === n", arg=count)


def wait_for_rank(lab, rank: int, inspector: int = 0) -> None:
    lab.page.wait_for_function(
        "([k, r]) => { const root = document.querySelectorAll('.dx-inspector')[k];"
        " return root.querySelector('[data-name=rank] output')?.textContent === r"
        " && root.querySelector('.dx-numbers').textContent.includes('rank' + r + ' of') }",
        arg=[inspector, str(rank)],
    )


def same_circle(lab, inspector: int) -> bool:
    drawn = lab.drawn("circle", CIRCLE, inspector)
    kernel = np.array(lab.python(EIGENVALUES))
    return len(drawn["re"]) == len(kernel) and np.allclose(np.array([drawn["re"], drawn["im"]]).T, kernel, atol=1e-12)


def test_a_saved_notebook_is_small(lab):
    path = lab.save()
    assert path.stat().st_size < 20_000
    saved = json.loads(path.read_text())
    assert "widgets" not in saved["metadata"]
    lab.page.click("li.lm-MenuBar-item:has-text('Settings')")
    lab.page.click("li.lm-Menu-item:has-text('Save Widget State Automatically')")
    try:
        # Lab applies a setting when it gets round to it.
        lab.wait_for(lambda: "widgets" in json.loads(lab.save().read_text())["metadata"], "the state of the widgets")
        assert path.stat().st_size < 100_000
    finally:
        lab.page.click("li.lm-MenuBar-item:has-text('Settings')")
        lab.page.click("li.lm-Menu-item:has-text('Save Widget State Automatically')")


def test_a_view_opened_after_many_changes_is_current(lab):
    for rank in (12, 4, 6):
        lab.slide("rank", rank)
    wait_for_rank(lab, 6)
    lab.drag("circle", (40, 25))
    moved = lab.ranges("circle")
    lab.run_cell(1)
    lab.wait_for_plots(1)
    wait_for_rank(lab, 6, inspector=1)
    assert same_circle(lab, 1)
    lab.wait_for(lambda: lab.ranges("circle") == lab.ranges("circle", 1) == lab.python(RANGES), "equal ranges")
    assert lab.ranges("circle", 1) == moved != [-1.25, 1.25, -1.25, 1.25]


def test_a_slider_moves_both_views(two_views):
    for here, there, rank in ((0, 1, 11), (1, 0, 5)):
        two_views.slide("rank", rank, inspector=here)
        wait_for_rank(two_views, rank, there)
        two_views.wait_for(lambda there=there: same_circle(two_views, there), "the same circle")


def test_a_pan_moves_both_views_and_python(two_views):
    for here, there in ((0, 1), (1, 0)):
        before = two_views.ranges("circle", here)
        two_views.drag("circle", (-30, 30), inspector=here)
        two_views.wait_for(lambda h=here, b=before: two_views.ranges("circle", h) != b, "a pan")
        two_views.wait_for(
            lambda h=here, t=there: (
                two_views.ranges("circle", h) == two_views.ranges("circle", t) == two_views.python(RANGES)
            ),
            "equal ranges",
        )


def test_a_tap_in_the_second_view_is_marked_in_the_first(two_views):
    two_views.slide("rank", 6)
    wait_for_rank(two_views, 6, 1)
    drawn = two_views.drawn("circle", CIRCLE, 1)
    index = drawn["row"].index(3)
    two_views.tap("circle", drawn["re"][index], drawn["im"][index], inspector=1)
    for k in (0, 1):
        two_views.page.wait_for_function(
            "k => document.querySelectorAll('.dx-inspector')[k]"
            ".querySelector('.dx-table-scroll tbody tr:nth-child(3)').classList.contains('dx-chosen')",
            arg=k,
        )
    assert two_views.python("inspector.wait().mode") == 2


def test_a_reloaded_page_shows_the_present_state_and_goes_on(two_views):
    lab = two_views
    lab.slide("rank", 9)
    wait_for_rank(lab, 9, 1)
    lab.drag("circle", (35, 0))
    lab.wait_for(lambda: lab.ranges("circle") == lab.python(RANGES), "the pan to arrive")
    moved = lab.python(RANGES)
    lab.reload()
    lab.wait_for_plots()
    lab.wait_for_plots(1)
    for k in (0, 1):
        wait_for_rank(lab, 9, k)
        assert same_circle(lab, k)
        assert lab.ranges("circle", k) == moved
    lab.slide("rank", 4, inspector=1)
    wait_for_rank(lab, 4, 0)
    lab.wait_for(lambda: same_circle(lab, 0), "the circle to follow")


def test_a_deleted_output_frees_its_document(two_views):
    lab = two_views
    lab.wait_for(lambda: lab.documents() == 2, "two documents")
    lab.page.locator(".jp-Notebook .jp-CodeCell").nth(1).locator(".jp-InputPrompt").click()
    lab.page.keyboard.press("Escape")
    lab.page.keyboard.press("d")
    lab.page.keyboard.press("d")
    wait_for_views(lab, 1)
    lab.wait_for(lambda: lab.documents() == 1, "the document to go")
    # The views of the page before it was loaded again never said goodbye; they count as gone once they stay silent.
    lab.slide("rank", 7)
    wait_for_rank(lab, 7)


def test_inspectors_that_were_closed_leave_nothing(lab):
    lab.run_cell(1)  # the box: the cell of the second view is gone
    threads, documents = lab.python(THREADS), lab.documents()
    for _ in range(6):
        lab.python(MAKE)
        lab.wait_for_plots(1)
        lab.python(FREE)
        wait_for_views(lab, 1)
    lab.wait_for(lambda: lab.documents() == documents, "documents to go")
    assert lab.python(THREADS) == threads


def test_a_cell_run_again_keeps_only_the_view_in_sight(lab):
    for _ in range(4):
        lab.run_cell(0)
        lab.wait_for_plots()
    lab.wait_for(lambda: (views(lab), lab.documents()) == (1, 1), "one view with one document")


def test_a_slow_browser_gets_the_last_state_in_few_messages(lab):
    client = lab.page.context.new_cdp_session(lab.page)
    client.send("Emulation.setCPUThrottlingRate", {"rate": 6})
    try:
        before = lab.python("inspector._outbox._number")
        lab.python("[(setattr(inspector, 'rank', 3 + k % 20), inspector.wait())[0] for k in range(40)]")
        lab.python("(setattr(inspector, 'rank', 13), inspector.wait().rank)[1]")
        wait_for_rank(lab, 13)
        lab.wait_for(lambda: same_circle(lab, 0), "the last circle")
        assert lab.python("inspector._outbox._number") - before < 20
    finally:
        client.send("Emulation.setCPUThrottlingRate", {"rate": 1})


def test_every_control_is_reached_by_tab_and_seen(lab):
    lab.page.locator(".dx-action:has-text('Refresh')").first.focus()
    reached = []
    for _ in range(60):
        reached.append(lab.page.evaluate(FOCUS))
        if "dx-table-scroll" in reached[-1][0]:
            break
        lab.page.keyboard.press("Tab")
    names = [name for name, _ in reached]
    controls = (
        lab.page.locator(".dx-inspector")
        .first.locator("[data-name]")
        .evaluate_all(
            "all => all.filter((e) => e.checkVisibility({ contentVisibilityAuto: true })).map((e) => e.dataset.name)"
        )
    )
    assert {"axis", "window", "rank", "method"} < set(controls)
    order = ["Copy code", "dx-search", "dx-tree", "dx-strip", *controls, "dx-tab", "dx-table-scroll"]
    places = [next((k for k, name in enumerate(names) if wanted in name), wanted) for wanted in order]
    assert places == sorted(places, key=lambda place: (isinstance(place, str), place))
    assert all(isinstance(place, int) for place in places)
    assert sum(name.startswith("window") for name in names) == 2
    assert [name for name, visible in reached if not visible] == []


FOCUS = """() => {
  const e = document.activeElement;
  const name = e.closest('[data-name]')?.dataset.name ?? '';
  const style = getComputedStyle(e.closest('.dx-plot') ?? e);
  return [`${name} ${e.className} ${e.textContent.trim().slice(0, 20)}`.trim(),
          style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1];
}"""


def test_nothing_is_asked_of_any_other_host(lab):
    ours = urlsplit(lab.server.url).netloc
    asked = [url for url in lab.requests if urlsplit(url).scheme not in ("data", "blob")]
    assert len(asked) > 10
    assert [url for url in asked if urlsplit(url).netloc != ours] == []


def test_a_restarted_kernel_is_noticed_and_the_cell_brings_it_back(lab, artifacts):
    lab.page.click("li.lm-MenuBar-item:has-text('Kernel')")
    lab.page.click("[data-command='kernelmenu:restart']")
    lab.page.click(".jp-Dialog button:has-text('Restart')")
    lab.page.wait_for_selector(".dx-gone .dx-status[data-kind=error]")
    assert lab.status().startswith("No kernel is behind this view any more. Run the notebook's cells again")
    assert lab.page.locator(".dx-actions button").evaluate_all("all => all.every((e) => e.disabled)")
    lab.page.locator(".dx-inspector").screenshot(path=artifacts / "kernel_gone.png")
    lab.wait_idle()
    lab.run_cell(0)
    lab.wait_for_plots()
    lab.slide("rank", 5)
    wait_for_rank(lab, 5)


def test_a_kernel_that_died_is_noticed(lab):
    os.kill(lab.python("__import__('os').getpid()"), signal.SIGKILL)
    lab.page.click(".jp-Dialog:has-text('Restarting') button")
    lab.slide("rank", 3)
    lab.page.wait_for_selector(".dx-gone .dx-status[data-kind=error]")
    assert lab.status().startswith("No kernel is behind this view any more.")


def test_a_saved_output_says_in_words_what_it_was(shared_lab):
    saved = json.loads((shared_lab.server.folder / shared_lab.notebook).read_text())
    [output] = [o for o in saved["cells"][0]["outputs"] if "data" in o]
    assert "".join(output["data"]["text/plain"]).startswith("Inspector(SmallCNN")

"""What goes wrong is said in the header, in words; and nothing stale or foreign is shown with it."""

from __future__ import annotations

import pytest

IMPORTS = """
import torch
from torch import nn
import dyn_explorer as dx
"""
BREAKS = (
    IMPORTS
    + """
class Breaks(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 8, 3)
        self.second = nn.Conv2d(8, 8, 3)
        self.never = nn.Conv2d(8, 8, 3)
    def forward(self, x):
        x = self.second(torch.relu(self.first(x)))
        raise ValueError("the head is missing")
inspector = dx.explore(Breaks(), torch.randn(12, 1, 12, 12))
inspector
"""
)
SHAPE = (
    IMPORTS
    + """
images, labels = dx.demo.digits("test")
model = dx.demo.load("trained")
inspector = dx.explore(model, images[:, 0, :2], labels)
inspector
"""
)
NAN = (
    IMPORTS
    + """
images, labels = dx.demo.digits("test")
model = dx.demo.load("trained")
inspector = dx.explore(model, images, labels)
inspector
"""
)
EVIL = '<img src=x onerror="__pwned=1">'
FOREIGN = (
    IMPORTS
    + f"""
evil = {EVIL!r}
names = [evil, "$$\\\\alpha$$", "a'b\\"c"]
Foreign = type(evil, (nn.Sequential,), {{}})
model = Foreign()
for k, name in enumerate(names):
    model.add_module(name, nn.Conv2d(1 if k == 0 else 8, 8, 3, padding=1))
inspector = dx.explore(model, torch.randn(9, 1, 12, 12), [0, 1, 2] * 3, class_names=names)
inspector
"""
)


@pytest.fixture(scope="module")
def notebook(open_shared_lab):
    """One notebook with a cell for each thing that goes wrong."""
    return open_shared_lab(BREAKS, SHAPE, NAN, FOREIGN)


@pytest.fixture
def lab(notebook):
    """The notebook; no script may have run from a name, and no script of ours may have failed."""
    yield notebook
    assert notebook.errors == []
    assert notebook.page.evaluate("window.__pwned") is None


def run(lab, cell: int) -> int:
    """Run a cell; which inspector of the page it shows."""
    before = lab.page.locator(".dx-inspector").count()
    lab.run_cell(cell)
    lab.page.wait_for_function("n => document.querySelectorAll('.dx-inspector').length > n", arg=before)
    return before


def wait_for_error(lab, which: int) -> str:
    lab.page.wait_for_function(
        "k => document.querySelectorAll('.dx-inspector')[k].querySelector('.dx-status[data-kind=error]')", arg=which
    )
    return lab.status(which)


def shows_plots(lab, which: int) -> bool:
    return lab.page.locator(".dx-inspector").nth(which).locator(".dx-card").first.is_visible()


def test_a_forward_that_raises_is_named_and_what_ran_can_be_explored(lab, artifacts):
    which = run(lab, 0)
    view = lab.page.locator(".dx-inspector").nth(which)
    text = wait_for_error(lab, which)
    assert "the head is missing" in text
    assert "second" in text
    view.screenshot(path=artifacts / "error_forward.png")
    view.locator(".dx-row:has(.dx-name:text-is('first'))").click()
    lab.page.wait_for_function(
        "k => document.querySelectorAll('.dx-inspector')[k].querySelector('.dx-meaning').textContent.includes('first')",
        arg=which,
    )
    lab.wait_for(lambda: lab.drawn("circle", ["re", "im"], which)["re"], "eigenvalues of the first layer")
    assert shows_plots(lab, which)
    assert "the head is missing" in lab.status(which)
    assert lab.python("len(inspector.wait().results['dynamics'].eigenvalues)") > 0


def test_inputs_of_a_wrong_shape(lab, artifacts):
    which = run(lab, 1)
    text = wait_for_error(lab, which)
    assert "(64, 2, 8)" in text
    assert "(n, 1, h, w)" in text
    assert not shows_plots(lab, which)
    view = lab.page.locator(".dx-inspector").nth(which)
    assert view.locator(".dx-empty").inner_text() == text
    view.screenshot(path=artifacts / "error_shape.png")


def test_no_stale_plot_under_an_error_and_undo_brings_the_last_good_view_back(lab, artifacts):
    which = run(lab, 2)
    lab.wait_for_plots(which)
    lab.python("(model.conv2.weight.data.view(-1).__setitem__(0, float('nan')), inspector.wait().layer)[1]")
    lab.page.locator(".dx-inspector").nth(which).locator(".dx-row:has(.dx-name:text-is('conv1'))").click()
    lab.page.wait_for_function(
        "k => document.querySelectorAll('.dx-inspector')[k].querySelector('.dx-meaning').textContent.includes('conv1')",
        arg=which,
    )
    lab.page.locator(".dx-inspector").nth(which).locator(".dx-input").nth(1).click()
    lab.page.wait_for_function(
        "k => document.querySelectorAll('.dx-inspector')[k].querySelector('.dx-meaning').textContent"
        ".includes('conv1, in natural order, for sample 1')",
        arg=which,
    )
    lab.python("inspector.wait().sample")
    good = lab.drawn("circle", ["re", "im"], which)
    assert good["re"]
    lab.page.locator(".dx-inspector").nth(which).locator(".dx-row:has(.dx-name:text-is('conv2'))").click()
    text = wait_for_error(lab, which)
    assert "conv2" in text
    assert "NaN" in text or "not finite" in text or "infinite" in text
    assert not shows_plots(lab, which)
    assert lab.drawn("circle", ["re", "im"], which)["re"] == []
    lab.page.locator(".dx-inspector").nth(which).screenshot(path=artifacts / "error_nan.png")
    lab.page.locator(".dx-inspector").nth(which).locator(".dx-action:has-text('Undo')").click()
    lab.page.wait_for_function(
        "k => { const root = document.querySelectorAll('.dx-inspector')[k];"
        " return root.querySelector('.dx-meaning').textContent.includes('conv1')"
        " && root.querySelector('.dx-status').dataset.kind !== 'error' }",
        arg=which,
    )
    lab.wait_for(lambda: lab.drawn("circle", ["re", "im"], which) == good, "the last good circle")
    assert shows_plots(lab, which)


def test_names_from_outside_stay_text(lab, artifacts):
    which = run(lab, 3)
    lab.wait_for_plots(which)
    view = lab.page.locator(".dx-inspector").nth(which)
    assert view.locator(".dx-model").inner_text() == EVIL
    assert view.locator(".dx-name").all_inner_texts() == [EVIL, "$$\\alpha$$", "a'b\"c"]
    assert view.locator(".dx-caption").first.inner_text() == EVIL
    assert view.locator("img").count() == 0
    for name in ("$$\\alpha$$", EVIL):
        view.locator(".dx-row").nth(0 if name == EVIL else 1).click()
        lab.page.wait_for_function(
            "([k, name]) => document.querySelectorAll('.dx-inspector')[k]"
            ".querySelector('.dx-meaning').textContent.includes(name)",
            arg=[which, name],
        )
    # Together, along depth, the names become tick labels and hover texts.
    view.locator("[data-name=axis] select").select_option("Layers")
    lab.wait_for(lambda: lab.drawn("circle", ["re", "im"], which)["re"], "the eigenvalues along depth")
    view.locator(".dx-card-course .dx-plot").hover()
    view.screenshot(path=artifacts / "foreign_names.png")
    assert lab.page.evaluate("window.__pwned") is None

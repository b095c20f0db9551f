"""What goes wrong is said in the header, nothing stale is left, and text from outside stays text."""

from __future__ import annotations

import pytest

BASE = """
import torch, dyn_explorer as dx
from torch import nn
images = torch.rand(6, 1, 12, 12)
"""
FAILING = (
    BASE
    + """
class Half(nn.Module):
    def __init__(self):
        super().__init__()
        self.early = nn.Conv2d(1, 8, 3)
        self.late = nn.Conv2d(9, 8, 3)
    def forward(self, images):
        return self.late(self.early(images))
inspector = dx.explore(Half(), images)
inspector
"""
)
HOSTILE = (
    BASE
    + """
name = '<img src=x onerror="window[`__harmed`]=1">'
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.add_module(name, nn.Conv2d(1, 8, 3))
    def forward(self, images):
        return getattr(self, name)(images)
inspector = dx.explore(Model(), images, [0] * 6, class_names=['$$\\\\frac{1}{2}$$ <b onclick=1>'])
inspector
"""
)
NOT_NUMBERS = (
    BASE
    + """
model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.Conv2d(8, 8, 3))
inspector = dx.explore(model, images)
inspector
"""
)


@pytest.fixture
def opened(open_lab):
    def open_cell(cell: str):
        lab = open_lab(cell)
        lab.run_cell(0)
        return lab

    return open_cell


def test_a_forward_that_raises_is_said_and_what_ran_can_be_explored(opened, artifacts):
    lab = opened(FAILING)
    lab.page.wait_for_selector(".dx-status[data-kind=error]")
    assert "early" in lab.status()
    assert lab.page.locator(".dx-empty").is_visible()
    assert not lab.page.locator(".dx-cards").is_visible()
    lab.page.locator(".dx-inspector").screenshot(path=artifacts / "failed_forward.png")
    lab.click_layer("early")
    lab.wait_for_plots()
    lab.page.wait_for_function("document.querySelector('.dx-meaning').textContent.includes('early')")
    assert lab.page.locator(".dx-cards").is_visible()


def test_an_error_leaves_no_stale_plot_and_undo_brings_the_last_good_view_back(opened):
    lab = opened(NOT_NUMBERS)
    lab.wait_for_plots()
    lab.python("(inspector.wait().mode, model[1].weight.data.fill_(float('nan')).sum().item(), inspector.refresh())[0]")
    lab.page.wait_for_selector(".dx-status[data-kind=error]")
    assert "NaN" in lab.status()
    assert not lab.page.locator(".dx-cards").is_visible()
    assert lab.drawn("circle", ["re", "im", "row"])["re"] == []
    lab.click_layer("0")
    lab.page.wait_for_function("document.querySelector('.dx-meaning').textContent.includes('channel of 0')")
    assert lab.page.locator(".dx-cards").is_visible()


def test_text_from_outside_stays_text(opened):
    lab = opened(HOSTILE)
    lab.wait_for_plots()
    assert lab.page.evaluate("window.__harmed") is None
    assert lab.page.locator(".dx-inspector img").count() == 0
    assert "<img src=x" in lab.page.locator(".dx-meaning").inner_text()
    assert "<b onclick=1>" in lab.page.locator(".dx-inputs h3").inner_text()

"""All panels for those who use no pointer, see little contrast, or hear the page instead of seeing it."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

OPEN = """
import dyn_explorer as dx
images, labels = dx.demo.digits("test")
model, history = dx.demo.load("trained"), dx.demo.history("true", 0)
inspector = dx.explore(model, images[:24], labels[:24], history=history)
inspector.load_state({**inspector.state(), "options": {"basins": {"images": 8, "draws": 1}}})
inspector
"""
PANELS = ("Dynamics", "Filters", "Classes", "Training", "Network", "Neurons", "Basins")
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}
CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
PANEL = {"include": [[".dx-main"], [".dx-controls"]]}
COLORS = """() => Object.fromEntries([...document.styleSheets].flatMap((sheet) => [...sheet.cssRules])
  .filter((rule) => rule.selectorText === ':root')
  .flatMap((rule) => [...rule.style]).filter((name) => /^--jp-(ui-font|layout|border)-color/.test(name))
  .map((name) => [name, getComputedStyle(document.documentElement).getPropertyValue(name)]))"""
WEAR = """(colors) => {
  for (const [name, color] of Object.entries(colors)) document.documentElement.style.setProperty(name, color);
}"""
DRAWN = """title => {
  const root = document.querySelector('.dx-inspector');
  return root.querySelector('.dx-tab[aria-selected=true]').textContent === title
    && root.querySelector('[role=tabpanel]').getAttribute('aria-busy') === 'false'
    && root.querySelectorAll('.dx-plot > *').length >= 5
    && root.querySelector('.dx-table-scroll tbody tr') !== null;
}"""
FOCUSED = "document.activeElement.closest('[data-name]')?.dataset.name ?? document.activeElement.textContent"


@pytest.fixture(scope="module")
def lab(open_shared_lab):
    """One notebook with all there is to see: labels, a history, every panel."""
    lab = open_shared_lab(OPEN)
    lab.set_theme("JupyterLab Dark")
    lab.run_cell(0)
    lab.wait_for_plots()
    return lab


def open_panel(lab, title: str) -> None:
    lab.page.click(f".dx-tab:text-is('{title}')")
    lab.page.wait_for_function(DRAWN, arg=title, timeout=60_000)


def violations(lab, part: str | dict, options: dict) -> list:
    found = Axe().run(lab.page, context=part, options={**options, "resultTypes": ["violations"]}).response
    return [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found["violations"]]


def focus_figure(lab, name: str) -> None:
    """Go to a figure by the keyboard, from the button before it."""
    lab.page.locator(f".dx-card-{name} .dx-explain").focus()
    lab.page.keyboard.press("Tab")


def test_axe_finds_nothing_in_any_panel_or_theme(lab):
    lab.set_theme("JupyterLab Light")
    light = lab.page.evaluate(COLORS)
    lab.set_theme("JupyterLab Dark")
    found = {}
    for title in PANELS:
        open_panel(lab, title)
        # What surrounds the panels is looked at once.
        found["dark", title] = violations(lab, ".dx-inspector" if title == PANELS[0] else PANEL, RULES)
        # A theme is a set of colours; to put on those of the other one takes less time than to change it seven times.
        lab.page.evaluate(WEAR, light)
        found["light", title] = violations(lab, PANEL, CONTRAST)
        lab.page.evaluate(WEAR, dict.fromkeys(light, ""))
    assert {where: what for where, what in found.items() if what} == {}
    assert lab.errors == []


def test_tabs_are_one_stop_and_arrow_keys_go_through_them(lab):
    open_panel(lab, "Dynamics")
    assert lab.page.locator(".dx-tab[tabindex='0']").all_inner_texts() == ["Dynamics"]
    lab.page.locator(".dx-tab[tabindex='0']").focus()
    reached = []
    for key in ("ArrowRight", "End", "ArrowRight", "ArrowLeft", "Home", "ArrowRight"):
        lab.page.keyboard.press(key)
        reached.append(lab.page.evaluate(FOCUSED))
    assert reached == ["Filters", "Basins", "Dynamics", "Basins", "Dynamics", "Filters"]
    assert lab.page.inner_text(".dx-tab[aria-selected=true]") == "Dynamics"  # panels on the way are not opened
    lab.page.keyboard.press("Enter")
    lab.page.wait_for_function(DRAWN, arg="Filters", timeout=60_000)
    assert lab.page.evaluate(FOCUSED) == "Filters"
    named = lab.page.locator(".dx-panel > [role=tabpanel]").get_attribute("aria-labelledby")
    assert lab.page.inner_text(f"#{named}") == "Filters"


def test_marks_of_a_figure_are_chosen_by_arrow_keys_and_read_out(lab):
    open_panel(lab, "Network")
    focus_figure(lab, "graph")
    lab.page.keyboard.press("ArrowRight")
    lab.wait_for(lambda: lab.python("inspector.state()['options']['network']['node']") != "", "the first mark")
    first = lab.python("inspector.state()['options']['network']['node']")
    lab.page.keyboard.press("ArrowRight")
    lab.wait_for(lambda: lab.python("inspector.state()['options']['network']['node']") != first, "the second mark")
    assert lab.page.locator(".dx-card-graph .dx-summary").get_attribute("aria-live") == "polite"
    assert "has strength" in lab.page.inner_text(".dx-card-graph .dx-summary")


def test_how_to_read_a_figure_is_told_without_a_pointer(lab):
    open_panel(lab, "Classes")
    lab.page.locator(".dx-card-pairs .dx-explain").focus()
    lab.page.keyboard.press("Enter")
    assert "Tap a pair" in lab.page.inner_text(".dx-card-pairs .dx-reading")
    lab.page.keyboard.press("Enter")
    assert not lab.page.locator(".dx-card-pairs .dx-reading").is_visible()
    lab.page.locator(".dx-terms summary").focus()
    lab.page.keyboard.press("Enter")
    assert "mean purity" in lab.page.inner_text(".dx-terms dl")


def test_rows_inputs_and_presets_are_chosen_by_keys_that_keep_the_focus(lab):
    open_panel(lab, "Dynamics")
    lab.page.locator(".dx-strip").focus()
    lab.page.keyboard.press("Home")
    lab.page.keyboard.press("ArrowDown")
    boxes = [lab.page.locator(".dx-input").nth(k).bounding_box() for k in range(12)]
    below = next(k for k, box in enumerate(boxes) if box["y"] > boxes[0]["y"])
    lab.wait_for(lambda: lab.python("inspector.sample") == below, "the input below the first")
    lab.page.locator(".dx-preset:text-is('90 %')").focus()
    lab.page.keyboard.press("Enter")
    lab.page.wait_for_selector(".dx-preset:text-is('90 %')[aria-pressed=true]")
    assert lab.page.evaluate(FOCUSED) == "rank"
    lab.page.locator(".dx-table-scroll").focus()
    lab.page.keyboard.press("End")
    lab.wait_for(lambda: lab.python("inspector.mode") > 0, "the last mode")


def test_nothing_moves_by_itself_where_that_is_unwanted(lab):
    lab.page.emulate_media(reduced_motion="reduce")
    try:
        open_panel(lab, "Training")
        lab.slide("epoch", 0)
        lab.page.wait_for_function("document.querySelector('[data-name=epoch] output').textContent === '0'")
        lab.page.click("[data-name=epoch] .dx-play")
        lab.page.wait_for_timeout(1300)  # two steps of one that plays
        assert lab.page.inner_text("[data-name=epoch] output") == "1"
        assert lab.page.get_attribute("[data-name=epoch] .dx-play", "aria-pressed") is None
    finally:
        lab.page.emulate_media(reduced_motion="no-preference")


def test_a_zoom_brings_the_way_back_and_takes_it_away(lab):
    open_panel(lab, "Dynamics")
    reset = lab.page.locator(".dx-card-circle .dx-reset")
    assert not reset.is_visible()
    lab.drag("circle", (40, 20))
    reset.wait_for(state="visible")
    reset.click()
    reset.wait_for(state="hidden")
    assert lab.errors == []

"""A population in a real JupyterLab: two plots, and a tapped model opens below them."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe

CODE = """
import dyn_explorer as dx
images, labels = dx.demo.digits("test")
models = {name: dx.demo.load(name) for name in dx.demo.CHECKPOINTS}
models["run"] = (dx.demo.history("true"), dx.demo.small_cnn)
table = dx.sweep(models, images[:60], labels[:60], ["accuracy", "network", "size"])
board = dx.explore_sweep(table, models, images, labels, measure="link_std", controls=["width"])
board
"""
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}
# Where a mark of the scatter is on the page, by its name.
PLACE = """async (name) => {
  const bokehs = await Promise.all([...(window[Symbol.for('dyn_explorer.bokeh')] ?? new Map()).values()]);
  for (const Bokeh of bokehs) for (const view of Bokeh.documents.flatMap((d) => [...d.views_manager])) {
    if (view.model.name !== 'scatter' || view.frame === undefined) continue;
    for (const { data_source } of view.model.renderers) {
      const data = data_source?.data;
      const get = (key) => Array.from((data instanceof Map ? data.get(key) : data?.[key]) ?? []);
      const row = get('edge').length ? get('name').indexOf(name) : -1;
      if (row < 0) continue;
      const box = view.canvas_view.el.getBoundingClientRect();
      return [box.x + view.frame.x_scale.compute(get('x')[row]), box.y + view.frame.y_scale.compute(get('y')[row])];
    }
  }
  return null;
}"""


def test_a_tapped_model_opens_below(open_lab, artifacts):
    lab = open_lab(CODE, height=1800)
    lab.run_cell(0)
    lab.page.wait_for_selector(".dx-board-parallel .dx-summary:has-text('12 models on')", timeout=60_000)
    place = lab.wait_for(lambda: lab.page.evaluate(PLACE, "shuffled"), "the scatter", timeout=60)
    lab.page.wait_for_timeout(600)
    lab.page.locator(".dx-board").screenshot(path=artifacts / "board.png")
    assert "each control is the same for all models" in lab.page.inner_text(".dx-board-scatter .dx-summary")
    for theme in ("Dark", "Light"):
        lab.set_theme(f"JupyterLab {theme}")
        lab.page.wait_for_timeout(300)
        lab.page.locator(".dx-board").screenshot(path=artifacts / f"board_{theme.lower()}.png")
        found = Axe().run(lab.page, context=".dx-board", options=RULES).response["violations"]
        assert [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found] == []
    place = lab.page.evaluate(PLACE, "shuffled")
    lab.page.mouse.click(*place)
    lab.page.wait_for_selector(".dx-inspector .dx-tabs", timeout=60_000)
    assert lab.python("board.chosen") == "shuffled"
    assert lab.python("board.inspector._source.model is models['shuffled']")
    lab.page.wait_for_timeout(1000)
    lab.page.screenshot(path=artifacts / "board_open.png")
    assert lab.errors == []

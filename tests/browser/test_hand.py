"""What the hand does in JupyterLab: drag, tap, type; and what it must find afterwards."""

from __future__ import annotations

import numpy as np
import pytest
from jupyter_driver import LOAD

CIRCLE = ["re", "im", "row"]
EIGENVALUES = "[[z.real, z.imag] for z in inspector.results['dynamics'].eigenvalues]"


@pytest.fixture(scope="module")
def shared_lab(open_shared_lab):
    """One notebook with the demo for all tests of this file: a kernel that imports PyTorch takes its time."""
    lab = open_shared_lab(LOAD)
    lab.run_cell(0)
    lab.wait_for_plots()
    lab.start = lab.python("inspector.wait().state()")
    return lab


@pytest.fixture
def lab(shared_lab):
    """The demo as it was when it was opened."""
    shared_lab.python(f"(inspector.load_state({shared_lab.start}), inspector.wait().mode)[1]")
    shared_lab.page.fill(".dx-search", "")
    shared_lab.page.wait_for_function(
        "document.querySelector('.dx-meaning').textContent.includes('conv3, in natural order, for sample 0')"
        " && document.querySelector('.dx-numbers').textContent.startsWith('snapshots32 of 32rank8')"
    )
    return shared_lab


def wait_for_rank(lab, rank, inspector=0):
    lab.page.wait_for_function(
        "([k, r]) => document.querySelectorAll('.dx-inspector')[k]"
        ".querySelector('[data-name=rank] output').textContent === r"
        " && document.querySelectorAll('.dx-inspector')[k]"
        ".querySelector('.dx-numbers').textContent.includes('rank' + r)",
        arg=[inspector, str(rank)],
    )


def test_dragging_the_rank_moves_the_circle(lab):
    for rank in (20, 3, 7):
        lab.slide("rank", rank)
    wait_for_rank(lab, 7)
    drawn = lab.drawn("circle", CIRCLE)
    kernel = lab.python(EIGENVALUES)
    assert len(drawn["re"]) == 7
    np.testing.assert_allclose(np.array([drawn["re"], drawn["im"]]).T, kernel, atol=1e-12)
    assert lab.python("inspector.rank") == 7


def test_dragging_the_window_follows_in_the_kernel(lab):
    lab.slide("window", 4, thumb=0)
    lab.slide("window", 20, thumb=1)
    lab.page.wait_for_function("document.querySelector('.dx-numbers').textContent.startsWith('snapshots16 of 32')")
    assert lab.python("inspector.window, inspector.results['dynamics'].window") == [[4, 20], [4, 20]]


def test_a_tapped_eigenvalue_is_the_mode_everywhere(lab):
    lab.slide("rank", 6)
    wait_for_rank(lab, 6)
    drawn = lab.drawn("circle", CIRCLE)
    index = next(k for k, row in enumerate(drawn["row"]) if row == 2)
    lab.tap("circle", drawn["re"][index], drawn["im"][index])
    lab.page.wait_for_selector(".dx-table-scroll tbody tr:nth-child(2).dx-chosen")
    assert lab.python("inspector.wait().mode") == 1
    edges = lab.drawn("energies", ["edge", "row"])["edge"]
    assert [k for k, color in enumerate(edges) if color == "#E69F00"] == [1]
    assert lab.page.locator(".dx-card-course .dx-summary").inner_text().startswith("Mode 2 ")


def test_a_table_row_and_a_bar_choose_the_mode(lab):
    lab.page.click(".dx-table-scroll tbody tr:nth-child(3)")
    lab.page.wait_for_function(
        "document.querySelector('.dx-card-course .dx-summary').textContent.startsWith('Mode 3 ')"
    )
    bars = lab.drawn("energies", ["row", "energy"])
    lab.tap("energies", 1, bars["energy"][0] * 0.5)
    lab.page.wait_for_selector(".dx-table-scroll tbody tr:nth-child(1).dx-chosen")
    assert lab.python("inspector.wait().mode") == 0


def test_layers_and_inputs_are_chosen_by_click_and_by_key(lab):
    lab.click_layer("conv1")
    lab.page.wait_for_function("document.querySelector('.dx-meaning').textContent.includes('conv1')")
    lab.page.locator(".dx-tree").press("ArrowDown")
    lab.page.locator(".dx-tree").press("ArrowDown")
    lab.page.locator(".dx-tree").press("Enter")
    lab.page.wait_for_function("document.querySelector('.dx-meaning').textContent.includes('conv2')")
    lab.page.locator(".dx-strip").press("ArrowRight")
    lab.page.wait_for_function("document.querySelector('.dx-meaning').textContent.includes('sample 1')")
    assert lab.python("inspector.layer, inspector.sample") == ["conv2", 1]


def test_layers_taken_together_with_control(lab):
    lab.click_layer("conv1")
    lab.click_layer("conv2", modifiers=["Control"])
    lab.page.wait_for_function("document.querySelector('.dx-numbers').textContent.startsWith('snapshots48 of 48')")
    assert lab.python("inspector.layers") == ["conv1", "conv2"]


def test_search_narrows_the_tree(lab):
    lab.page.fill(".dx-search", "relu")
    assert lab.page.locator(".dx-row").all_inner_texts() == ["relu1\nReLU", "relu2\nReLU", "relu3\nReLU"]
    lab.page.fill(".dx-search", "nothing like it")
    assert "Clear the search" in lab.page.locator(".dx-tree-note").inner_text()


def test_undo_and_redo_from_the_header(lab):
    lab.click_layer("conv1")
    lab.page.wait_for_function("document.querySelector('.dx-meaning').textContent.includes('conv1')")
    lab.page.click(".dx-action:has-text('Undo')")
    lab.page.wait_for_function("document.querySelector('.dx-meaning').textContent.includes('conv3')")
    lab.page.click(".dx-action:has-text('Redo')")
    lab.page.wait_for_function("document.querySelector('.dx-meaning').textContent.includes('conv1')")
    assert lab.page.locator(".dx-action:has-text('Redo')").is_disabled()


def test_copied_code_runs_and_gives_the_same_numbers(lab):
    lab.slide("rank", 5)
    wait_for_rank(lab, 5)
    lab.page.click(".dx-action:has-text('Copy code')")
    lab.page.wait_for_function("document.querySelector('.dx-status').textContent.includes('Code copied')")
    copied = lab.page.evaluate("navigator.clipboard.readText()")
    assert "dx.analysis.dmd" in copied
    difference = (
        "(lambda names: (exec(inspector.code().replace('import dyn_explorer', 'inputs = images; import dyn_explorer'),"
        " names), abs(names['eigenvalues'] - inspector.results['dynamics'].eigenvalues).max())[1])(dict(globals()))"
    )
    assert lab.python(f"float({difference})") < 1e-10
    assert (
        copied.strip() == lab.python("inspector.code()").strip("'\"").replace("\\n", "\n").replace("\\'", "'").strip()
    )


def test_the_exported_page_needs_nothing(lab, chromium, tmp_path):
    with lab.page.expect_download() as download:
        lab.page.click(".dx-action:has-text('Export HTML')")
    path = tmp_path / "export.html"
    download.value.save_as(path)
    page = chromium.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_function("document.querySelectorAll('.dx-plot > div > *, .dx-plot .bk-Figure').length >= 5")
    assert asked == [path.as_uri()]
    page.close()


def test_what_cannot_be_done_is_said_and_the_control_goes_back(lab):
    lab.slide("rank", 9)
    wait_for_rank(lab, 9)
    lab.page.locator("[data-name=rank] input").evaluate("input => { input.max = 900 }")
    lab.slide("rank", 500)
    lab.page.wait_for_selector(".dx-status[data-kind=error]")
    assert "must lie in 1..31" in lab.status()
    assert lab.page.locator("[data-name=rank] output").inner_text() == "9"


def test_two_thousand_quick_changes_end_in_the_last(lab, artifacts):
    before = lab.python(COUNTS)
    documents = lab.documents()
    lab.page.evaluate(SHAKE, 2000)
    last = {"axis": "channel", "layer": "conv2", "layers": [], "sample": 5, "window": [3, 29], "rank": 11, "mode": 2}
    lab.choose("dynamics.preset", "None")
    lab.page.wait_for_selector("[data-name='dynamics.normalise']", state="attached")
    for control, label in (("normalise", "None"), ("order", "Natural"), ("part", "Magnitude |φ|")):
        lab.choose(f"dynamics.{control}", label)
    lab.slide("dynamics.max_columns", 1024)
    lab.slide("dynamics.most_residual", 2)
    lab.choose("method", "Exact")
    lab.choose("axis", "Channels")
    lab.click_layer("conv2")
    lab.page.click(".dx-input >> nth=5")
    lab.page.wait_for_function(
        "document.querySelector('.dx-meaning').textContent.includes('conv2, in natural order, for sample 5')"
    )
    lab.slide("window", 32, thumb=1)
    lab.slide("window", 3, thumb=0)
    lab.slide("window", 29, thumb=1)
    lab.page.wait_for_function("document.querySelector('.dx-numbers').textContent.startsWith('snapshots26 of 32')")
    lab.slide("rank", 11)
    wait_for_rank(lab, 11)
    lab.page.click(".dx-table-scroll tbody tr:nth-child(3)")
    lab.page.wait_for_function(
        "document.querySelector('.dx-meaning').textContent.includes('conv2')"
        " && document.querySelector('.dx-numbers').textContent.startsWith('snapshots26 of 32rank11 of 25')"
        " && document.querySelector('.dx-card-course .dx-summary').textContent.startsWith('Mode 3 ')"
    )
    state = lab.python("inspector.wait().choices()")
    assert {name: state[name] for name in last} == last
    drawn = lab.drawn("circle", CIRCLE)
    kernel = lab.python(EIGENVALUES)
    np.testing.assert_allclose(np.array([drawn["re"], drawn["im"]]).T, kernel, atol=1e-12)
    after = lab.python(COUNTS)
    assert lab.documents() == documents
    assert after["hooks"] == before["hooks"] == 0
    assert after["threads"] <= before["threads"]
    assert after["documents"] == before["documents"]
    assert lab.errors == []
    lab.page.locator(".dx-inspector").screenshot(path=artifacts / "after_2000_changes.png")


def test_metrics_get_their_nulls_and_the_gallery_chooses(lab):
    lab.page.wait_for_function(
        "document.querySelectorAll('.dx-metrics tbody tr').length === 11"
        " && ![...document.querySelectorAll('.dx-metrics td')].some((cell) => cell.textContent === '…')"
    )
    lab.tap("gallery", 1.5, 0.5)
    lab.page.wait_for_selector(".dx-table-scroll tbody tr:nth-child(2).dx-chosen")
    assert lab.python("inspector.wait().mode") == 1


def test_an_image_on_its_way_is_an_axis(lab):
    lab.page.locator("[data-name=axis] select").select_option("A path of images")
    lab.page.wait_for_function("document.querySelector('.dx-meaning').textContent.includes('even steps of a path')")
    lab.slide("dynamics.steps", 12)
    lab.page.wait_for_function("document.querySelector('.dx-numbers').textContent.startsWith('snapshots12 of 12')")
    assert lab.python("inspector.results['dynamics'].snapshots.labels[1]") == "turned by 30°"


def test_the_pseudospectrum_is_drawn_when_it_is_switched_on(lab):
    lab.page.locator("[data-name='dynamics.pseudospectrum'] input").check()
    lab.python("inspector.wait().mode")
    lab.page.wait_for_function(
        """async () => {
          const [Bokeh] = await Promise.all([...window[Symbol.for('dyn_explorer.bokeh')].values()]);
          const view = Object.values(Bokeh.index).find((candidate) => candidate.model.name === 'circle');
          return view.model.renderers.some((renderer) => {
            const data = renderer.data_source?.data;
            const lines = data instanceof Map ? data.get('xs') : data?.xs;
            return renderer.glyph.type === 'MultiLine' && Array.from(lines).length === 5;
          });
        }"""
    )


COUNTS = (
    "{'hooks': sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()),"
    " 'threads': len([t for t in __import__('threading').enumerate() if 'dyn_explorer' in t.name]),"
    " 'documents': len(inspector._bridge._documents)}"
)
SHAKE = """async (count) => {
  const root = document.querySelector('.dx-inspector');
  const pick = (list) => list[Math.floor(Math.random() * list.length)];
  for (let k = 0; k < count; k++) {
    const inputs = [...root.querySelectorAll('.dx-controls input[type=range]')];
    const choice = Math.random();
    if (choice < 0.7) {
      const input = pick(inputs);
      input.value = Number(input.min) + Math.random() * (Number(input.max) - Number(input.min));
      input.dispatchEvent(new Event('input', { bubbles: true }));
    } else if (choice < 0.8) {
      const select = pick([...root.querySelectorAll('.dx-controls select')]);
      select.selectedIndex = Math.floor(Math.random() * select.options.length);
      select.dispatchEvent(new Event('change', { bubbles: true }));
    } else if (choice < 0.9) {
      pick([...root.querySelectorAll('.dx-row:not([aria-disabled])')])?.click();
    } else {
      (pick([...root.querySelectorAll('.dx-preset, .dx-input, .dx-table-scroll tbody tr')]))?.click();
    }
    if (k % 10 === 0) await new Promise((resolve) => setTimeout(resolve));
  }
}"""

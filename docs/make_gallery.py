"""The pictures of the README, from the real widget in a real JupyterLab: ``make gallery``.

Each is what a person sees who runs the lines below; nothing is retouched.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
# How a person opens a notebook, runs it and looks at it is written once, for the tests.
sys.path.insert(0, str(HERE.parent / "tests" / "browser"))
from jupyter_driver import JupyterServer, Lab, launch_chromium, write_notebook  # noqa: E402

WIDTH, HEIGHT = 1320, 2400
MOST_BYTES = 150_000
LOAD = """
import dyn_explorer as dx
images, labels = dx.demo.digits("test")
model = dx.demo.load("trained")
inspector = dx.explore(model, images, labels, layers=[{layer!r}], history={history})
"""
RUN = 'dx.demo.history("true")'


@dataclass(frozen=True)
class Picture:
    """One picture.

    Attributes
    ----------
    code : str
        Lines after `LOAD`.
    height : int
        Pixels from the tabs down; as many rows of figures as fit whole are shown.
    """

    code: str
    layer: str = "conv3"
    history: str = "None"
    height: int = 1000


PICTURES = {
    "dynamics": Picture("inspector.rank = 12; inspector.wait(); inspector.mode = 4"),
    "filters": Picture('inspector.panel = "filters"', layer="conv2"),
    "classes": Picture('inspector.panel = "classes"'),
    "training": Picture('inspector.options("training", runs="bundled", images=4); inspector.panel = "training"'),
    "network": Picture('inspector.panel = "network"', history=RUN),
    "neurons": Picture('inspector.panel = "neurons"', history=RUN),
    "basins": Picture('inspector.options("basins", images=48, sigma=0.3); inspector.panel = "basins"', history=RUN),
}
BOARD = """
import dyn_explorer as dx
images, labels = dx.demo.digits("test")
models = {}
for kind in dx.demo.RUN_LABELS:
    for seed in dx.demo.RUN_SEEDS:
        models[f"{kind} {seed}"] = (dx.demo.history(kind, seed), dx.demo.small_cnn)
table = dx.sweep(models, images[:120], labels[:120], ["accuracy", "filters", "network", "dynamics"])
board = dx.explore_sweep(table, models, images, labels, measure="stable_rank")
board
"""
# The rectangle from the tabs to the last whole row of cards above a height.
ROWS = """([most]) => {
  const main = document.querySelector('.dx-inspector .dx-main');
  const box = main.getBoundingClientRect();
  const bottoms = [...main.querySelectorAll('.dx-card')].map((card) => card.getBoundingClientRect().bottom - box.y);
  const height = Math.max(...bottoms.filter((bottom) => bottom <= most)) + 8;
  return { x: box.x, y: box.y, width: box.width, height };
}"""
SETTLED = """() => {
  const root = document.querySelector('.dx-inspector');
  return root && root.querySelector('.dx-status').dataset.kind !== 'running'
    && ![...root.querySelectorAll('.dx-metrics td')].some((cell) => cell.textContent === '…');
}"""


def save(png: bytes, path: Path) -> None:
    """Write a screenshot without loss, or with 256 colours where it would be too large."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture.save(path, optimize=True)
    if path.stat().st_size > MOST_BYTES:
        picture.quantize(256, kmeans=2, dither=Image.Dither.NONE).save(path, optimize=True)
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise SystemExit(f"{path.name} has {size:,} bytes, more than {MOST_BYTES:,}: show less of the panel")
    print(f"{path.name}: {picture.width} x {picture.height}, {size:,} bytes")


def open_notebook(browser, server: JupyterServer, name: str, code: str) -> Lab:
    """A page with one cell that has run."""
    write_notebook(server.folder / f"{name}.ipynb", code)
    context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT})
    lab = Lab(context.new_page(), server, f"{name}.ipynb").open()
    lab.set_theme("JupyterLab Light")
    lab.hide_sidebar()
    lab.run_cell(0)
    return lab


def close(lab: Lab) -> None:
    """Leave the page and end its kernel."""
    lab.page.context.close()
    lab.server.stop_kernels()


def take_panel(browser, server: JupyterServer, name: str, picture: Picture, folder: Path) -> None:
    """Open a panel, wait until its nulls are there, and take its picture."""
    opened = LOAD.format(layer=picture.layer, history=picture.history) + picture.code + "\ninspector"
    lab = open_notebook(browser, server, name, opened)
    lab.python("inspector.wait() is inspector")
    lab.page.wait_for_function(SETTLED, timeout=300_000)
    lab.page.mouse.move(2, 2)
    lab.page.wait_for_timeout(1500)  # fonts and the last frame
    save(lab.page.screenshot(clip=lab.page.evaluate(ROWS, [picture.height])), folder / f"{name}.png")
    if name == "dynamics":
        box = lab.page.locator(".dx-inspector").bounding_box()
        rows = lab.page.evaluate(ROWS, [picture.height])
        clip = {**box, "height": rows["y"] + rows["height"] - box["y"]}
        save(lab.page.screenshot(clip=clip), folder.parent / "inspector.png")
    close(lab)


def take_board(browser, server: JupyterServer, folder: Path) -> None:
    """Sweep over the bundled runs, and take the board's picture."""
    lab = open_notebook(browser, server, "sweep", BOARD)
    lab.page.wait_for_selector(".dx-board-parallel .dx-summary:has-text('models on')", timeout=300_000)
    lab.page.wait_for_timeout(1500)
    save(lab.page.locator(".jp-OutputArea-output:has(.dx-board)").first.screenshot(), folder / "sweep.png")
    close(lab)


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(PICTURES)}, sweep; all by default")
    chosen = parser.parse_args().names or [*PICTURES, "sweep"]
    folder = HERE / "gallery"
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        server = JupyterServer(Path(place)).wait_until_up()
        browser = launch_chromium(playwright)
        try:
            for name in chosen:
                if name == "sweep":
                    take_board(browser, server, folder)
                else:
                    take_panel(browser, server, name, PICTURES[name], folder)
        finally:
            browser.close()
            server.stop()


if __name__ == "__main__":
    main()

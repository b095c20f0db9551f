"""How long the plots take to follow the hand: from a slider's input event to the last repaint, in a real JupyterLab.

python benchmarks/latency.py                # about 200 single steps of rank and window, a minute
python benchmarks/latency.py --steps 40
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "browser"))

from jupyter_driver import LOAD, JupyterServer, Lab, launch_chromium, write_notebook
from playwright.sync_api import sync_playwright

# Times every message in the kernel, without a change to the product.
WATCH_KERNEL = """
import time
received, sent = [], []
handlers = inspector._messages._handlers
take, give = handlers["set"], inspector._outbox._send
def timed_take(**content):
    received.append(time.perf_counter())
    take(**content)
def timed_give(content, buffers):
    give(content, buffers)
    if "numbers" in content.get("sections", ()):
        sent.append((time.perf_counter(), len(str(content)) + sum(map(len, buffers))))
handlers["set"], inspector._outbox._send = timed_take, timed_give
"""

# One step, timed in the page. A frame of 60 Hz is 17 ms; quiet means that several have passed without a repaint.
STEP = """async ([control, thumb, value, expected]) => {
  const root = document.querySelector('.dx-inspector');
  const [Bokeh] = await Promise.all([...window[Symbol.for('dyn_explorer.bokeh')].values()]);
  const all = Bokeh.documents.flatMap((document) => [...document.views_manager]);
  const views = all.filter((view) => root.contains(view.el) && view.repainted);
  let last = 0, repaints = 0;
  const listener = () => { last = performance.now(); repaints += 1; };
  views.forEach((view) => view.repainted.connect(listener));
  const circle = views.find((view) => view.model.name === 'circle').model.renderers
    .map((renderer) => renderer.data_source).find((source) => source.data.has?.('turn') ?? source.data.turn);
  const before = circle.data;
  const numbers = root.querySelector('.dx-numbers');
  const input = root.querySelectorAll(`[data-name='${control}'] input`)[thumb];
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  await frame();
  const start = performance.now();
  input.value = value;
  input.dispatchEvent(new Event('input', { bubbles: true }));
  let written = 0;
  for (;;) {
    await frame();
    const now = performance.now();
    if (!written && numbers.textContent.includes(expected)) written = now;
    if (written && circle.data !== before && repaints > 0 && now - Math.max(last, written) > 60) break;
    if (now - start > 10000) throw new Error(`no answer: ${numbers.textContent}`);
  }
  views.forEach((view) => view.repainted.disconnect(listener));
  return Math.max(last, written) - start;
}"""


CYCLE = 64  # steps after which every slider is back where it was


def steps(count: int):
    """Single steps of one slider after the other, each with what the numbers must then say."""
    ranks = [*range(9, 25), *range(23, 7, -1)]  # up and down again, from 8
    windows = [(1, 32), (1, 31), (2, 31), (2, 30), (1, 30), (1, 31), (0, 31), (0, 32)]
    held = (0, 32)
    for k in range(count // 2):
        yield "rank", 0, ranks[k % len(ranks)], f"rank{ranks[k % len(ranks)]} of"
        window = windows[k % len(windows)]
        thumb = 0 if window[0] != held[0] else 1
        held = window
        yield "window", thumb, window[thumb], f"snapshots{window[1] - window[0]} of"


def measure(lab: Lab, count: int) -> dict[str, list]:
    """Times of all steps in milliseconds, by slider."""
    times: dict[str, list] = {"rank": [], "window": []}
    for control, thumb, value, expected in steps(count):
        times[control].append(lab.page.evaluate(STEP, [control, thumb, value, expected]))
    return times


def share(quantile: float, values: list[float]) -> float:
    """A quantile, by the nearest value."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(quantile * (len(ordered) - 1)))]


def line(what: str, values: list[float]) -> str:
    """One line of the table."""
    figures = (statistics.median(values), share(0.95, values), max(values))
    return f"| {what} | {len(values)} | " + " | ".join(f"{value:.1f}" for value in figures) + " |"


def run(count: int, width: int) -> list[str]:
    """The table."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = JupyterServer(Path(folder)).wait_until_up()
        browser = launch_chromium(playwright)
        try:
            write_notebook(Path(folder) / "latency.ipynb", LOAD, WATCH_KERNEL)
            page = browser.new_page(viewport={"width": width, "height": 1400})
            lab = Lab(page, server, "latency.ipynb").open()
            lab.run_cell(0)
            lab.wait_for_plots()
            lab.slide("rank", 8)
            lab.run_cell(1)
            measure(lab, CYCLE)  # the first steps load code, in the kernel and in the page
            lab.python("(received.clear(), sent.clear())")
            times = measure(lab, count)
            received, sent = lab.python("[received, sent]")
        finally:
            browser.close()
            server.stop()
    kernel = [1e3 * (min(done for done, _ in sent if done > start) - start) for start in received]
    size = statistics.median(size for _, size in sent)
    return [
        "| | steps | median ms | 95th percentile ms | longest ms |",
        "|---|---|---|---|---|",
        line("rank, hand to plots", times["rank"]),
        line("window, hand to plots", times["window"]),
        line("both", times["rank"] + times["window"]),
        line("of it in the kernel", kernel),
        "",
        f"One message per step, {size / 1e3:.0f} kB in the median.",
    ]


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=256, help="single steps of a slider (default 256)")
    parser.add_argument("--width", type=int, default=1480, help="of the browser's window in pixels (default 1480)")
    options = parser.parse_args()
    print("\n".join(run(options.steps, options.width)))


if __name__ == "__main__":
    main()

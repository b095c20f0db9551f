"""A real Jupyter server and a real Chromium, driven as a person would."""

from __future__ import annotations

import ast
import json
import logging
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
from jupyter_client import BlockingKernelClient
from playwright.sync_api import TimeoutError as PlaywrightTimeout

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
RUN_TIMEOUT = 60_000
ASK_AGAIN = 2.0  # seconds
ARTIFACTS = Path(__file__).parents[2] / "artifacts"
LOAD = """
import dyn_explorer as dx
images, labels = dx.demo.digits("test")
model = dx.demo.load("trained")
inspector = dx.explore(model, images, labels)
inspector
"""


def launch_chromium(playwright):
    """The system's Chromium where there is one, else the one that Playwright installed."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    return playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class JupyterServer:
    """``jupyter lab`` / ``notebook`` / ``voila`` over a folder, with settings of its own."""

    def __init__(self, folder: Path, app: str = "lab", extra: tuple[str, ...] = ()) -> None:
        self.folder, self.app = folder, app
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        private = folder / ".jupyter-private"
        self.runtime = private / "runtime"
        notices = private / "settings" / "@jupyterlab" / "apputils-extension"
        notices.mkdir(parents=True)
        (notices / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}')
        environment = {**os.environ, "JUPYTER_CONFIG_DIR": str(private / "config"),
                       "JUPYTER_RUNTIME_DIR": str(self.runtime),
                       "JUPYTERLAB_SETTINGS_DIR": str(private / "settings"),
                       "JUPYTERLAB_WORKSPACES_DIR": str(private / "workspaces"),
                       "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}  # fmt: skip
        command = [sys.executable, "-m", "voila" if app == "voila" else f"jupyter{'lab' if app == 'lab' else ''}"]
        if app == "notebook":
            command.append("notebook")
        if app == "voila":
            command += [*extra, f"--port={self.port}", "--no-browser", "--Voila.ip=127.0.0.1"]
        else:
            command += ["--no-browser", "--allow-root", f"--port={self.port}", "--ServerApp.ip=127.0.0.1",
                        "--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True", "--ServerApp.password=",
                        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
                        "--LabApp.expose_app_in_browser=True",
                        "--JupyterNotebookApp.expose_app_in_browser=True"]  # fmt: skip
        self.log = folder / f"{app}.log"
        self._output = self.log.open("w")
        self._process = subprocess.Popen(command, cwd=folder, env=environment, stdout=self._output, stderr=self._output)

    def wait_until_up(self, timeout: float = 60) -> JupyterServer:
        """Block until it answers."""
        path = "/" if self.app == "voila" else "/api/status"
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if self._process.poll() is not None:
                raise RuntimeError(f"{self.app} ended: {self.log.read_text()[-2000:]}")
            try:
                urllib.request.urlopen(self.url + path, timeout=10).read()
                return self
            except OSError:
                time.sleep(0.3)
        raise RuntimeError(f"{self.app} did not answer: {self.log.read_text()[-2000:]}")

    def kernels(self) -> list[dict]:
        """Kernels that run."""
        return json.load(urllib.request.urlopen(f"{self.url}/api/kernels"))

    def stop_kernels(self) -> None:
        """End every kernel, so that the next test has the machine for itself."""
        for kernel in self.kernels():
            request = urllib.request.Request(f"{self.url}/api/kernels/{kernel['id']}", method="DELETE")
            urllib.request.urlopen(request, timeout=20).read()

    def stop(self) -> None:
        """End the server and its kernels."""
        self._process.terminate()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._output.close()


def write_notebook(path: Path, *cells: str) -> Path:
    """A notebook with these code cells."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, path)
    return path


class Lab:
    """One page on JupyterLab with one notebook open."""

    def __init__(self, page, server: JupyterServer, notebook: str) -> None:
        self.page, self.server, self.notebook = page, server, notebook
        self.errors: list[str] = []
        self.requests: list[str] = []
        page.set_default_timeout(RUN_TIMEOUT)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("websocket", lambda socket: self.requests.append(socket.url))

    def open(self) -> Lab:
        """Open the notebook and wait for its kernel."""
        place = "notebooks" if self.server.app == "notebook" else "lab/tree"
        self.page.goto(f"{self.server.url}/{place}/{self.notebook}?reset")
        self.wait_until_open()
        return self

    def wait_until_open(self) -> None:
        """Block until the notebook is there with its kernel."""
        try:
            self._wait_for_notebook()
        except PlaywrightTimeout as slow:
            # A busy machine is late to start a kernel, and Jupyter gives up before we do: it says so in a dialog.
            logging.getLogger(__name__).warning("%s is opened again: %s\n%s", self.notebook, slow, self.told())
            self.page.reload()
            self._wait_for_notebook()

    def _wait_for_notebook(self) -> None:
        self.page.wait_for_selector(".jp-NotebookPanel .jp-Cell")
        self.wait_idle()

    def told(self) -> str:
        """What may tell why a test failed: dialogs, errors, the kernels' states and the end of the server's log."""
        dialogs = self.page.locator(".jp-Dialog-content").all_inner_texts()
        log = self.server.log.read_text(errors="replace")[-1500:]
        return f"dialogs {dialogs}\nerrors {self.errors}\nkernels {self.server.kernels()}\n{log}"

    def save(self) -> Path:
        """Save the notebook, wait until the server has written it, and return its path."""
        with self.page.expect_response(
            lambda response: response.request.method == "PUT" and self.notebook in response.url
        ):
            self.page.evaluate("document.querySelector('.jp-Notebook').focus()")
            self.page.keyboard.press("Control+s")
        return self.server.folder / self.notebook

    def reload(self) -> None:
        """Save, and load the page again."""
        self.save()
        self.page.reload()
        self.wait_until_open()

    def wait_idle(self) -> None:
        """Block until the kernel of the notebook that is shown is connected and idle."""
        # The toolbar's indicator does not tell: it is idle before there is a kernel, and a narrow toolbar hides it.
        self.page.wait_for_function(
            """() => {
              const shown = [...(window.jupyterapp?.shell.widgets('main') ?? [])].filter((tab) => tab.isVisible);
              const kernels = shown.flatMap((tab) => tab.sessionContext ? [tab.sessionContext.session?.kernel] : []);
              return kernels.length > 0 && !document.querySelector('.jp-Dialog') && kernels.every(
                (kernel) => kernel?.connectionStatus === 'connected' && kernel.status === 'idle');
            }""",
        )

    def run_all(self) -> None:
        """Run every cell."""
        self.page.evaluate("document.querySelector('.jp-Notebook').focus()")
        self.page.click("text=Run >> nth=0")
        self.page.click("[data-command='notebook:run-all-cells'], [data-command='runmenu:run-all']")

    def run_cell(self, index: int) -> None:
        """Run one cell and wait until it is done."""
        cell = self.page.locator(".jp-Notebook .jp-CodeCell").nth(index)
        prompt = cell.locator(".jp-InputPrompt")
        before = prompt.inner_text()
        end = time.monotonic() + RUN_TIMEOUT / 1000
        ask_at = 0.0
        while (now := time.monotonic()) < end:
            # A kernel that is still connecting forgets what it was asked: then one asks again.
            if now > ask_at and prompt.inner_text() in (before, "[ ]:"):
                cell.locator(".jp-InputArea-editor").click()
                self.page.keyboard.press("Control+Enter")
                ask_at = time.monotonic() + ASK_AGAIN
            self.page.wait_for_timeout(50)
            if prompt.inner_text() not in (before, "[ ]:", "[*]:"):
                return
        self.page.screenshot(path=ARTIFACTS / "failed.png")
        raise AssertionError(f"cell {index} did not finish")

    def output(self, index: int) -> str:
        """Text under a cell."""
        return self.page.locator(".jp-Notebook .jp-CodeCell").nth(index).locator(".jp-OutputArea").inner_text()

    def python(self, expression: str):
        """Value of an expression in the notebook's kernel, asked for beside the page; plain JSON values only."""
        [kernel] = self.server.kernels()
        client = BlockingKernelClient(connection_file=str(self.server.runtime / f"kernel-{kernel['id']}.json"))
        client.load_connection_file()
        # A heartbeat that begins when the answer is there already would fail in its thread.
        client.start_channels(hb=False)
        try:
            wanted = {"value": f"__import__('json').dumps(({expression}))"}
            reply = client.execute("", silent=True, user_expressions=wanted, reply=True, timeout=60)
        finally:
            client.stop_channels()
        answer = reply["content"]["user_expressions"]["value"]
        if answer["status"] != "ok":
            raise AssertionError(f"{answer['ename']}: {answer['evalue']}")
        return json.loads(ast.literal_eval(answer["data"]["text/plain"]))

    def slide(self, control: str, value: float, thumb: int = 0, inspector: int = 0) -> None:
        """Move a slider as a hand does."""
        self.page.locator(".dx-inspector").nth(inspector).locator(f"[data-name='{control}'] input").nth(thumb).evaluate(
            "(input, value) => { input.value = value; input.dispatchEvent(new Event('input', { bubbles: true })) }",
            value,
        )

    def choose(self, control: str, label: str) -> None:
        """Pick an entry of a menu, also of one that is folded away."""
        self.page.locator(f".dx-inspector [data-name='{control}'] select").evaluate(
            "(select, label) => { select.selectedIndex = [...select.options].findIndex((o) => o.label === label);"
            " select.dispatchEvent(new Event('change', { bubbles: true })) }",
            label,
        )

    def drawn(self, figure: str, columns: list[str], inspector: int = 0) -> dict:
        """Data that Bokeh has drawn: these columns of the source in this figure that holds them."""
        return self.page.evaluate(
            """async ([figure, columns, k]) => {
              const bokehs = await Promise.all([...window[Symbol.for('dyn_explorer.bokeh')].values()]);
              const places = document.querySelectorAll('.dx-inspector')[k].querySelectorAll('.dx-card-' + figure);
              for (const Bokeh of bokehs) for (const view of Bokeh.documents.flatMap((d) => [...d.views_manager])) {
                if (view.model.name !== figure || !places[0].contains(view.el)) continue;
                for (const renderer of view.model.renderers) {
                  const data = renderer.data_source?.data;
                  const get = (name) => data instanceof Map ? data.get(name) : data?.[name];
                  if (data && columns.every((name) => get(name) !== undefined))
                    return Object.fromEntries(columns.map((name) => [name, Array.from(get(name))]));
                }
              }
              return null;
            }""",
            [figure, columns, inspector],
        )

    def ranges(self, figure: str, inspector: int = 0) -> list[float]:
        """Start and end of both axes of a figure."""
        return self.page.evaluate(
            """async ([figure, k]) => {
              const bokehs = await Promise.all([...window[Symbol.for('dyn_explorer.bokeh')].values()]);
              const card = document.querySelectorAll('.dx-inspector')[k].querySelector('.dx-card-' + figure);
              for (const Bokeh of bokehs) for (const view of Bokeh.documents.flatMap((d) => [...d.views_manager])) {
                if (view.model.name !== figure || !card.contains(view.el)) continue;
                const { x_range, y_range } = view.model;
                return [x_range.start, x_range.end, y_range.start, y_range.end];
              }
            }""",
            [figure, inspector],
        )

    def drag(self, figure: str, pixels: tuple[int, int], inspector: int = 0) -> None:
        """Pan a figure by hand."""
        plot = self.page.locator(".dx-inspector").nth(inspector).locator(f".dx-card-{figure} .dx-plot")
        plot.scroll_into_view_if_needed()
        box = plot.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 3
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + pixels[0], y + pixels[1], steps=4)
        self.page.mouse.up()

    def wait_for(self, condition, what: str, timeout: float = RUN_TIMEOUT / 1000):
        """Block until ``condition()`` is true; for what only Python can see."""
        end = time.monotonic() + timeout
        while not (value := condition()):
            if time.monotonic() > end:
                self.page.screenshot(path=ARTIFACTS / "failed.png")
                raise AssertionError(f"waited {timeout} s for {what}")
            self.page.wait_for_timeout(50)
        return value

    def tap(self, figure: str, x: float, y: float, inspector: int = 0) -> None:
        """Click a figure at a place in data coordinates."""
        place = self._place(figure, x, y, inspector)
        # What is still on its way may move the figure: look again until it stays where it is.
        while (again := self._place(figure, x, y, inspector)) != place:
            place = again
        self.page.mouse.click(*place)

    def _place(self, figure: str, x: float, y: float, inspector: int) -> list[float]:
        return self.page.evaluate(
            """async ([figure, x, y, k]) => {
              const bokehs = await Promise.all([...window[Symbol.for('dyn_explorer.bokeh')].values()]);
              const card = document.querySelectorAll('.dx-inspector')[k].querySelector('.dx-card-' + figure);
              card.scrollIntoView({ block: 'center' });
              await new Promise((resolve) => setTimeout(resolve, 200));
              for (const Bokeh of bokehs) for (const view of Bokeh.documents.flatMap((d) => [...d.views_manager])) {
                if (view.model.name !== figure || !card.contains(view.el)) continue;
                const box = view.canvas_view.el.getBoundingClientRect();
                const frame = view.frame;
                return [box.x + frame.x_scale.compute(x), box.y + frame.y_scale.compute(y)];
              }
            }""",
            [figure, x, y, inspector],
        )

    def click_layer(self, name: str, modifiers=()) -> None:
        """Click a row of the layer tree."""
        self.page.click(f".dx-row:has(.dx-name:text-is('{name}'))", modifiers=list(modifiers))

    def axis_color(self, figure: str) -> str:
        """Colour of a figure's tick labels."""
        return self.page.evaluate(
            """async (figure) => {
              const [Bokeh] = await Promise.all([...window[Symbol.for('dyn_explorer.bokeh')].values()]);
              const view = [...Bokeh.documents[0].views_manager].find((candidate) => candidate.model.name === figure);
              return view.model.below[0].major_label_text_color;
            }""",
            figure,
        )

    def set_theme(self, name: str) -> None:
        """Choose JupyterLab's theme from the Settings menu."""
        self.page.click("li.lm-MenuBar-item:has-text('Settings')")
        self.page.hover("li.lm-Menu-item:has-text('Theme') >> nth=0")
        self.page.click(f"li.lm-Menu-item:has-text('{name}') >> nth=0")
        self.page.wait_for_timeout(500)

    def hide_sidebar(self) -> None:
        """Give the notebook the whole width."""
        self.page.keyboard.press("Control+b")
        self.page.wait_for_timeout(300)

    def documents(self) -> int:
        """Live Bokeh documents in the page."""
        return self.page.evaluate(
            "async () => { const all = window[Symbol.for('dyn_explorer.bokeh')];"
            " return all ? (await Promise.all([...all.values()])).reduce((n, B) => n + B.documents.length, 0) : 0 }"
        )

    def status(self, inspector: int = 0) -> str:
        """Text of the header's status line."""
        return self.page.locator(".dx-inspector").nth(inspector).locator(".dx-status").inner_text()

    def wait_for_plots(self, inspector: int = 0, timeout: float = RUN_TIMEOUT) -> None:
        """Block until the inspector shows its plots and its last result; where it does not, keep a picture."""
        try:
            self._wait_for_plots(inspector, timeout)
        except Exception:
            self.page.screenshot(path=ARTIFACTS / "failed.png")
            raise

    def _wait_for_plots(self, inspector: int, timeout: float) -> None:
        self.page.wait_for_function(
            "k => { const root = document.querySelectorAll('.dx-inspector')[k];"
            " if (!root) return false;"
            " const status = root.querySelector('.dx-status').dataset.kind;"
            " return root.querySelectorAll('.dx-plot > *').length >= 5 && status !== 'running'"
            " && root.querySelector('.dx-table-scroll tbody tr') !== null }",
            arg=inspector,
            timeout=timeout,
        )

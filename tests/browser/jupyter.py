"""A real Jupyter server and a real Chromium, driven as a person would."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
RUN_TIMEOUT = 90_000


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
        environment = {**os.environ, "JUPYTER_CONFIG_DIR": str(private / "config"),
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
                        "--IdentityProvider.token=", "--ServerApp.password=",
                        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]  # fmt: skip
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
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def open(self) -> Lab:
        """Open the notebook and wait for its kernel."""
        self.page.goto(f"{self.server.url}/lab/tree/{self.notebook}?reset")
        self.page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=60_000)
        self.wait_idle()
        return self

    def wait_idle(self) -> None:
        """Block until the kernel is idle."""
        self.page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status='idle']", timeout=RUN_TIMEOUT)

    def run_all(self) -> None:
        """Run every cell."""
        self.page.evaluate("document.querySelector('.jp-Notebook').focus()")
        self.page.click("text=Run >> nth=0")
        self.page.click("[data-command='notebook:run-all-cells'], [data-command='runmenu:run-all']")

    def run_cell(self, index: int) -> None:
        """Run one cell and wait until it is done."""
        cell = self.page.locator(".jp-Notebook .jp-CodeCell").nth(index)
        cell.locator(".jp-InputArea-editor").click()
        self.page.keyboard.press("Control+Enter")
        self.page.wait_for_function(
            "k => { const p = document.querySelectorAll('.jp-Notebook .jp-CodeCell')[k]"
            ".querySelector('.jp-InputPrompt').textContent; return /\\[\\d+\\]/.test(p) }",
            arg=index,
            timeout=RUN_TIMEOUT,
        )

    def output(self, index: int) -> str:
        """Text under a cell."""
        return self.page.locator(".jp-Notebook .jp-CodeCell").nth(index).locator(".jp-OutputArea").inner_text()

    def wait_for_plots(self, inspector: int = 0, timeout: float = RUN_TIMEOUT) -> None:
        """Block until the inspector shows its plots and its last result."""
        self.page.wait_for_function(
            "k => { const root = document.querySelectorAll('.dx-inspector')[k];"
            " if (!root) return false;"
            " const status = root.querySelector('.dx-status').dataset.kind;"
            " return root.querySelectorAll('.dx-plot > *').length >= 5 && status !== 'running'"
            " && root.querySelector('.dx-table tbody tr') !== null }",
            arg=inspector,
            timeout=timeout,
        )

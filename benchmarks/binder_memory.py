"""What Binder's 2 GB have to hold: the Jupyter server, and the kernel that runs a lesson (default: the tour).

``python benchmarks/binder_memory.py [lesson ...]``
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
import psutil
from nbclient import NotebookClient

LESSONS = Path(__file__).parents[1] / "notebooks"
LIMIT = 2 * 2**30
PEAK = "import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"


def server_memory(folder: str) -> int:
    """Bytes of a JupyterLab server that is ready and has answered nothing yet."""
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.port=0"]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as server:
        next(line for line in server.stderr if "is running at" in line)
        own = psutil.Process(server.pid)
        total = sum(process.memory_info().rss for process in [own, *own.children(recursive=True)])
        server.terminate()
        server.stderr.read()
    return total


def kernel_peak(lesson: Path, folder: str) -> tuple[int, float]:
    """Most bytes that the lesson's kernel held, and the seconds it ran."""
    notebook = nbformat.read(lesson, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(PEAK))
    began = time.perf_counter()
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": folder}}).execute()
    unit = 1024 if sys.platform == "linux" else 1  # Linux counts in kibibytes, macOS in bytes
    return unit * int(notebook.cells[-1].outputs[0].text), time.perf_counter() - began


def main() -> None:
    """Print the table."""
    names = sys.argv[1:] or ["00_tour"]
    with tempfile.TemporaryDirectory() as folder:
        server = server_memory(folder)
        print(f"server {server / 2**20:.0f} MiB")
        for name in names:
            peak, seconds = kernel_peak(LESSONS / f"{name}.ipynb", folder)
            print(
                f"{name}: kernel at most {peak / 2**20:.0f} MiB in {seconds:.0f} s; "
                f"with the server {(server + peak) / LIMIT:.0%} of 2 GiB"
            )


if __name__ == "__main__":
    main()

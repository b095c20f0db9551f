"""``dyn-explorer lab``: the lessons, in a folder of the reader's own, open in JupyterLab."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from ..errors import DynExplorerError

FOLDER = "dyn_explorer_lessons"
FIRST_LESSON = "00_tour.ipynb"

_PACKAGE = Path(__file__).parents[1]


def run(options: argparse.Namespace) -> int:
    """Copy the lessons, then start JupyterLab unless told not to."""
    if options.workshop:
        options.to = new_folder(options.to)
    kept = copy_lessons(lessons(), options.to)
    print(f"Copied the lessons to {options.to}")
    if kept:
        print(f"Kept your own {', '.join(kept)}: for the lessons as they were, choose another folder with --to")
    if options.copy_only:
        return 0
    return open_lab(options.to / FIRST_LESSON, browser=not options.no_browser and has_display())


def lessons() -> Path:
    """The folder that the lessons come from: in the wheel inside the package, in the repository beside it.

    Raises
    ------
    DynExplorerError
        If neither is there.
    """
    for folder in (_PACKAGE / "lessons", _PACKAGE.parent / "notebooks"):
        if (folder / FIRST_LESSON).is_file():
            return folder
    raise DynExplorerError(
        f"the lessons are missing from {_PACKAGE}; install the package anew: "
        "pip install --force-reinstall --no-deps dyn-explorer"
    )


def copy_lessons(source: Path, target: Path) -> list[str]:
    """Copy every lesson to `target`, except over a file that differs from it.

    Returns
    -------
    list of str
        The files that were already there and differ: they are left as they are.
    """
    kept = []
    for lesson in sorted(source.rglob("*")):
        name = lesson.relative_to(source)
        if not lesson.is_file() or _is_hidden(name):
            continue
        copy = target / name
        if not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(lesson, copy)
        elif copy.read_bytes() != lesson.read_bytes():
            kept.append(str(name))
    return kept


def new_folder(base: Path) -> Path:
    """Make the first folder ``base_1``, ``base_2``, ... that is not there yet; no two callers get the same.

    Example
    -------
    >>> import tempfile
    >>> base = Path(tempfile.mkdtemp()) / "lessons"
    >>> new_folder(base).name, new_folder(base).name
    ('lessons_1', 'lessons_2')
    """
    base.parent.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        folder = base.with_name(f"{base.name}_{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            number += 1
        else:
            return folder


def open_lab(notebook: Path, *, browser: bool) -> int:
    """Run JupyterLab on `notebook` until it ends, and return its exit status.

    Raises
    ------
    DynExplorerError
        If JupyterLab is not installed beside this package.
    """
    if find_spec("jupyterlab") is None:
        raise DynExplorerError('JupyterLab is not installed here; install it: pip install "dyn-explorer[lab]"')
    try:
        return subprocess.run(lab_command(notebook, browser=browser), check=False).returncode
    except KeyboardInterrupt:
        return 0


def lab_command(notebook: Path, *, browser: bool) -> list[str]:
    """The command that opens `notebook` with the very interpreter that this package is installed in.

    Example
    -------
    >>> lab_command(Path("/lessons/00_tour.ipynb"), browser=False)[3:6]
    ['--ServerApp.root_dir=/lessons', '--LabApp.default_url=/lab/tree/00_tour.ipynb', '--no-browser']
    """
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={notebook.absolute().parent}"]
    # Named as the default page, the notebook is in the address that JupyterLab prints where it opens no browser.
    command.append(f"--LabApp.default_url=/lab/tree/{notebook.name}")
    if not browser:
        command.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # In a container everyone is root, and JupyterLab would refuse to start.
        command.append("--allow-root")
    return command


def has_display() -> bool:
    """Whether a browser could be shown: always, except on a Linux without a display."""
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _is_hidden(name: Path) -> bool:
    return any(part.startswith((".", "__")) for part in name.parts)

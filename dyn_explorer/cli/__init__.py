"""The command ``dyn-explorer``: open the lessons, compare models, or find out what keeps the widget from showing."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ..errors import DynExplorerError
from . import doctor, lab, sweep


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    Parameters
    ----------
    argv : sequence of str, optional
        The words after ``dyn-explorer``; those of the command line by default.

    Returns
    -------
    int
        0 when all is well, 1 when something is wrong, and else what JupyterLab ended with.

    Example
    -------
    >>> import tempfile
    >>> main(["lab", "--copy-only", "--to", tempfile.mkdtemp()])
    Copied ...
    0
    """
    options = _parser().parse_args(argv)
    try:
        return options.run(options)
    except DynExplorerError as error:
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dyn-explorer", description="Look at a live PyTorch model in JupyterLab.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_lab(commands)
    _add_doctor(commands)
    sweep.add_to(commands)
    return parser


def _add_lab(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser("lab", help="copy the lessons to a folder and open them in JupyterLab")
    command.add_argument(
        "--to", type=Path, default=Path(lab.FOLDER), metavar="FOLDER", help="where they go (default: %(default)s)"
    )
    command.add_argument(
        "--no-browser", action="store_true", help="print the address only; the rule where there is no display"
    )
    command.add_argument("--copy-only", action="store_true", help="copy the lessons and start nothing")
    command.add_argument(
        "--workshop",
        action="store_true",
        help="a clean copy in a new numbered folder beside that one, for each participant",
    )
    command.set_defaults(run=lab.run)


def _add_doctor(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser("doctor", help="say what is installed, what is wrong, and the command that mends it")
    command.add_argument("--json", action="store_true", help="for a program to read")
    command.set_defaults(run=doctor.run)

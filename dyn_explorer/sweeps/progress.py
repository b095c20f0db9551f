"""How far a sweep is, on one line of a terminal or of a notebook."""

from __future__ import annotations

import sys
import time
from typing import TextIO

# A notebook takes a few messages a second; a line that changes faster cannot be read anyway.
_BETWEEN = 0.2


class ProgressLine:
    """Says ``progress(done, text)`` on a line that it writes again and again.

    In a notebook it is the output of the cell; in a terminal, the last line of the error stream; in a file, one line
    for each tenth of the way.

    Parameters
    ----------
    stream : text stream, optional
        Default: the error stream.

    Example
    -------
    >>> import io
    >>> stream = io.StringIO()
    >>> ProgressLine(stream)(1.0, "measured 3 of 3 models")
    >>> stream.getvalue()
    '100 %  measured 3 of 3 models\\n'
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._handle = None if stream is not None else _notebook_line()
        self._said = -_BETWEEN
        self._tenth = -1
        self._width = 0

    def __call__(self, done: float, text: str) -> None:
        line = f"{100 * done:3.0f} %  {text}"
        if self._handle is None and not self._stream.isatty():
            if int(10 * done) > self._tenth:
                self._tenth = int(10 * done)
                self._stream.write(line + "\n")
            return
        if time.monotonic() - self._said < _BETWEEN and done < 1:
            return
        self._said = time.monotonic()
        if self._handle is not None:
            self._handle.update({"text/plain": line}, raw=True)
            return
        self._stream.write("\r" + line.ljust(self._width) + ("\n" if done >= 1 else ""))
        self._stream.flush()
        self._width = len(line)


def _notebook_line():
    """A line of the running cell that can be written again; None outside a notebook."""
    interactive = sys.modules.get("IPython")
    shell = interactive.get_ipython() if interactive is not None else None
    if shell is None or not hasattr(shell, "kernel"):
        return None
    from IPython.display import display  # only where IPython runs this very process

    return display({"text/plain": ""}, raw=True, display_id=True)

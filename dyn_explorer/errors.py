"""The one error type that people of this package meet."""

from __future__ import annotations


class DynExplorerError(ValueError):
    """What was asked cannot be done; the message says what was given, what was expected and what to do.

    Example
    -------
    >>> from dyn_explorer import DynExplorerError
    >>> str(DynExplorerError("`rank` (=9) must lie in 1..7; choose a smaller rank"))
    '`rank` (=9) must lie in 1..7; choose a smaller rank'
    """


class Cancelled(DynExplorerError):
    """The work was stopped because its caller asked for it; nothing is wrong."""

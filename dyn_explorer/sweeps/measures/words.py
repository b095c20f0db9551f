"""What people are told of a measure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """A measure in words, the same wherever it is shown.

    Parameters
    ----------
    label : str
        Name for axes and menus, with the unit where there is one.
    help : str
        A sentence.
    null : str
        What its null is; empty where there is none.

    Example
    -------
    >>> Words("accuracy", "Share of the inputs that are answered with their label.", "labels in other orders").label
    'accuracy'
    """

    label: str
    help: str
    null: str = ""

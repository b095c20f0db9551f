"""Names of layers below a figure."""

from __future__ import annotations

from collections.abc import Sequence

ROOM = 44  # letters that fit under a figure, if need be slanted


def layer_ticks(names: Sequence[str]) -> list[tuple[float, str]]:
    """A name for each place, or nothing where there is no room for all of them.

    Examples
    --------
    >>> layer_ticks(["conv1", "head"])
    [(0.0, 'conv1'), (1.0, 'head')]
    """
    return [(float(k), name) for k, name in enumerate(names)] if sum(map(len, names)) <= ROOM else []

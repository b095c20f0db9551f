"""The choices that `snapshots` offers, checked once and said in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from numbers import Integral
from types import MappingProxyType

from dyn_explorer.errors import DynExplorerError

MIN_COLUMNS = 3
NORMALISATIONS = ("none", "l2", "minmax", "softmax")
COLOURS = ("none", "jet")
ORDERS = ("natural", "lexicographic", "random")
SUBSAMPLES = ("even", "random")

_MENUS = {"normalise": NORMALISATIONS, "colour": COLOURS, "order": ORDERS, "subsample": SUBSAMPLES}
_NORMALISED = {
    "none": "",
    "l2": "; each column is divided by its length (L2 norm)",
    "minmax": "; each column is stretched to 0..1",
    "softmax": "; each map is its softmax over all positions, taken before any resizing",
}


@dataclass(frozen=True)
class Options:
    """How columns are chosen, ordered and scaled; every field is a keyword of `snapshots`.

    Raises
    ------
    DynExplorerError
        If a choice is unknown or a number impossible.

    Example
    -------
    >>> Options(normalise="l2").treatment_in_words()
    '; each column is divided by its length (L2 norm)'
    """

    size: tuple[int, ...] | int | None = None
    normalise: str = "none"
    centre: bool = False
    colour: str = "none"
    order: str = "natural"
    max_columns: int | None = None
    subsample: str = "even"
    seed: int = 0
    drop: bool = True

    def __post_init__(self) -> None:
        for name, menu in _MENUS.items():
            check_choice(name, getattr(self, name), menu)
        for name in ("centre", "drop"):
            if not isinstance(getattr(self, name), bool):
                raise DynExplorerError(f"`{name}` (={getattr(self, name)!r}) must be True or False")
        if not _is_count(self.seed, 0):
            raise DynExplorerError(f"`seed` (={self.seed!r}) must be an integer of at least 0")
        if self.max_columns is not None and not _is_count(self.max_columns, MIN_COLUMNS):
            raise DynExplorerError(
                f"`max_columns` (={self.max_columns!r}) must be an integer of at least {MIN_COLUMNS}, or None for all "
                "columns"
            )

    def as_mapping(self) -> Mapping[str, object]:
        """Return the choices as the keywords that `snapshots` takes."""
        return MappingProxyType(asdict(self))

    def order_in_words(self, natural: str, shuffled: str = "") -> str:
        """Say in which order the columns stand; `natural` is what natural order is called on this axis."""
        if self.order == "natural":
            return natural
        if self.order == "random":
            return f"random order{shuffled} (seed {self.seed})"
        return "lexicographic order of their names (10 before 2)"

    def treatment_in_words(self) -> str:
        """Say what is done to the values of a column, as the rest of a sentence."""
        jet = "; each map is stretched to 0..1 and written as the red, green and blue of the jet colours, 0 to 255"
        return _NORMALISED[self.normalise] + (jet if self.colour == "jet" else "")


def check_choice(name: str, value: object, menu: tuple[str, ...]) -> None:
    """Refuse a value that is not on the menu.

    Raises
    ------
    DynExplorerError
        With the whole menu.

    Example
    -------
    >>> check_choice("order", "natural", ORDERS)
    """
    if not isinstance(value, str) or value not in menu:
        raise DynExplorerError(f"`{name}` (={value!r}) is unknown; choose one of: {', '.join(menu)}")


def _is_count(value: object, least: int) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and value >= least

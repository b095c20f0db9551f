"""What a panel is: a pure computation, the figures that show it, and the controls beside them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from traitlets import HasTraits

from dyn_explorer.inspector.jobs import Job
from dyn_explorer.inspector.source import Source
from dyn_explorer.inspector.state import InspectorState, Limits
from dyn_explorer.views import View

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Settings:
    """The state at one moment, safe to read in the worker while the hand moves on.

    Attributes
    ----------
    choices : dict
        The linked choices, as `InspectorState.choices` gives them.
    options : dict
        The panel's own options.
    limits : Limits
        What was known of the limits.
    """

    choices: dict
    options: dict
    limits: Limits

    @classmethod
    def of(cls, panel: Panel, state: InspectorState) -> Settings:
        """What a panel may read of the state and of its own options, at this moment."""
        return cls(state.choices(), panel.options.trait_values(), state.limits)

    def __getattr__(self, name: str):
        for values in (self.choices, self.options):
            if name in values:
                return values[name]
        raise AttributeError(name)


@dataclass(frozen=True)
class Card:
    """A figure's frame in the page.

    Attributes
    ----------
    figure : str
        Key in `Panel.views`.
    title, help : str
        Heading, and what to know when reading the figure.
    square : bool
        Whether the figure keeps its height equal to its width.
    half : bool
        Whether two such figures share a row.
    wide : bool
        Whether the figure takes the whole width and little height.
    legend : tuple of (symbol, colour, meaning)
        Marks that the figure uses.
    """

    figure: str
    title: str
    help: str
    square: bool = False
    half: bool = False
    wide: bool = False
    legend: tuple[tuple[str, str, str], ...] = ()


class Panel(ABC):
    """One tab of the inspector.

    Attributes
    ----------
    key, title, about : str
        Name in ``inspector.results``, the tab's label, and one paragraph of help.
    cards : tuple of Card
        The figures in reading order.
    tap_chooses : str
        What a tapped row of the table sets, and a tapped mark of a figure: a linked choice, or an option of this panel
        as ``key.option``.
    menus : dict of str to tuple
        Allowed values of the linked choices that this panel offers as menus.
    """

    key: str
    title: str
    about: str
    cards: tuple[Card, ...]
    tap_chooses: str
    menus: Mapping[str, tuple]
    Options: type[HasTraits]

    def __init__(self) -> None:
        self.options = self.Options()
        self.views: dict[str, View] = {}

    def open(self) -> None:
        """Build the figures; called once, when the panel is first shown."""
        if not self.views:
            self.views = self.make_views()

    @abstractmethod
    def make_views(self) -> dict[str, View]:
        """A view per card."""

    @abstractmethod
    def layers_needed(self, settings: Settings, source: Source) -> tuple[str, ...]:
        """Layers whose activations the panel reads; a change of them makes a running recording worthless."""

    def layers_while_training(self, settings: Settings, source: Source) -> tuple[str, ...]:
        """Those of them that `Inspector.step` records in the training thread, because they are drawn at once."""
        return self.layers_needed(settings, source)

    @abstractmethod
    def compute(self, source: Source, state: InspectorState, settings: Settings, job: Job):
        """The panel's result; runs in the worker, touches no figure and raises `DynExplorerError` for bad input."""

    def refine(self, source: Source, result, settings: Settings, job: Job) -> object | Iterator | None:
        """The result with what takes longer; runs after `show`, in the worker, and ends when the hand moves on.

        None, which is what this returns, means that there is no more. A generator is shown piece by piece: each result
        that it yields holds what the ones before held, and more.
        """
        return None

    @abstractmethod
    def show(self, result, settings: Settings) -> None:
        """Draw `result`; the only writer of the panel's figures."""

    @abstractmethod
    def controls(self, settings: Settings, result) -> list[dict]:
        """Descriptions of the controls, made with `dyn_explorer.inspector.controls`."""

    @abstractmethod
    def numbers(self, result) -> list[dict]:
        """Figures in digits: dicts with ``label``, ``value`` (str) and ``help``."""

    def metrics(self, result) -> dict | None:
        """A table of few numbers: ``title``, ``columns``, ``rows`` of ``label``, ``help``, ``cells``, and a ``note``.

        ``nulls`` says whether all columns but the first are nulls, which are grey.
        """
        return None

    @abstractmethod
    def meaning(self, result) -> str:
        """One sentence that says what the data in front of the person are."""

    @abstractmethod
    def table(self, result) -> pd.DataFrame:
        """The numbers behind the figures, one row per selectable thing."""

    @abstractmethod
    def code(self, settings: Settings, source: Source) -> str:
        """Python that rebuilds the numbers from ``model``, ``inputs`` and ``labels``."""

    def row_values(self, result, count: int) -> list:
        """Value of the choice `tap_chooses` for each of the `count` rows of the table; by default the row's number."""
        return list(range(count))

    def taps(self, result, row_values: list) -> dict[str, tuple[str, list]]:
        """Of each figure, what a tapped mark sets, and to which value for each row of its view's ``rows``.

        By default every mark stands for a row of the table.
        """
        return dict.fromkeys(self.views, (self.tap_chooses, row_values))

    def clear(self) -> None:
        """Empty every figure; a stale plot under an error message would be a lie."""
        for view in self.views.values():
            view.clear()

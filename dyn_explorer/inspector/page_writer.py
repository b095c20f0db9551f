"""What the inspector's page says: its sections, written whenever there is something new to show."""

from __future__ import annotations

from . import page
from .bridge import version_warning
from .by_name import ByName
from .controls import in_page_words
from .outbox import Outbox
from .panels import Panel, Settings
from .pictures import picture_strip
from .source import Source
from .state import UndoHistory


class PageWriter:
    """Writes the sections of the page; what has not changed is not sent.

    Parameters
    ----------
    outbox : Outbox
        Where the sections go.
    panels : dict of str to Panel
    source : Source
        The model and its recording.
    names : ByName
        The choices as the page names them.
    history : UndoHistory
        Whether there is something to undo.

    Attributes
    ----------
    outcome : dict
        What the header says when nothing is under way.
    notes : list of str
        What it shall say beside the next outcome.
    metrics : dict
        Numbers of a training loop for the header.
    taps : dict
        By panel and figure, the choice that a tapped mark sets and the value for each mark.
    """

    def __init__(
        self, outbox: Outbox, panels: dict[str, Panel], source: Source, names: ByName, history: UndoHistory
    ) -> None:
        self._outbox = outbox
        self._panels = panels
        self._source = source
        self._names = names
        self._history = history
        self._strip_of = None
        self._controls: list[dict] = []
        self.outcome: dict = {}
        self.notes: list[str] = []
        self.metrics: dict = {}
        self.taps: dict[str, dict[str, tuple[str, list]]] = {}

    def say(self, kind: str, text: str, fraction: float | None = None) -> None:
        """Say at once how it goes, in the page's words: ``kind`` is "ready", "running", "note" or "error"."""
        self._outbox.put("status", self._status(kind, text, fraction))
        self._outbox.flush()

    def _status(self, kind: str, text: str, fraction: float | None = None) -> dict:
        return {"kind": kind, "text": in_page_words(text, self._controls), "fraction": fraction}

    def say_why_nothing_is_shown(self, text: str) -> None:
        """Say it in place of the figures, and in the header."""
        self._outbox.put("empty", in_page_words(text, self._controls))
        self.say("error", text)

    def put_outcome(self, seconds: float) -> None:
        """Say what came out, and how long it took."""
        failure = self._source.failure
        if failure is not None:
            self.outcome = self._status("error", str(failure))
        else:
            metrics = [f"{name} {page.cell(value)}" for name, value in self.metrics.items()]
            text = " · ".join([*metrics, *self.notes, f"shown in {page.short_time(seconds)}"])
            self.notes.clear()
            self.outcome = self._status("ready", text)
        self._outbox.put("status", self.outcome)

    def put_frame(self, panel: Panel) -> None:
        """The tabs, and the cards of the open panel."""
        self._outbox.put("panels", page.panel_frame(list(self._panels.values()), panel))

    def put_sources(self, generation: int) -> None:
        """The model, its layers, and the inputs as pictures; those are drawn once for each generation of inputs."""
        recording, source = self._source.recording, self._source
        self._outbox.put(
            "header", page.header(source.model, source.epoch, source.n_inputs, source.most_inputs, version_warning())
        )
        self._outbox.put("tree", page.tree(source.layers))
        if recording is not None and generation != self._strip_of:
            self._strip_of = generation
            self._outbox.put("strip", picture_strip(recording.inputs, recording.labels, source.class_names))

    def put_result(self, panel: Panel, result, settings: Settings) -> None:
        """Everything about the open panel but its figures; `result` is None where there is none."""
        put = self._outbox.put
        self.put_frame(panel)
        put("choices", self._names.shown(panel.tap_chooses))
        self._controls = panel.controls(settings, result)
        put("controls", self._controls)
        put("undo", {"undo": self._history.can_undo, "redo": self._history.can_redo})
        put("summaries", {name: view.summary for name, view in panel.views.items()})
        put("code", panel.code(settings, self._source))
        put("empty", None)
        self.taps[panel.key] = {}
        if result is None:
            put("numbers", [])
            put("metrics", None)
            put("table", None)
            put("meaning", "")
            return
        put("numbers", panel.numbers(result))
        put("metrics", panel.metrics(result))
        frame = panel.table(result)
        row_values = panel.row_values(result, len(frame))
        self.taps[panel.key] = panel.taps(result, row_values)
        put("table", page.table(frame, panel.tap_chooses, row_values))
        put("meaning", panel.meaning(result))

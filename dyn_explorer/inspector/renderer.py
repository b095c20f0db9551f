"""From what is chosen to what is shown: one job computes the open panel, shows it, and compares it with its nulls."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator

from dyn_explorer.errors import Cancelled, DynExplorerError

from . import sharing
from .bridge import BokehBridge
from .jobs import Job, JobRunner
from .outbox import Outbox
from .page_writer import PageWriter
from .panel_options import PanelOptions
from .panels import Panel, Settings
from .recorder import without_frames
from .source import Source
from .state import InspectorState, UndoHistory

STILL_FOR = 0.15  # seconds that the hand must rest before the comparison with the nulls begins
SHARE_OF_TRAINING = 0.03  # of the time that drawing may take while a training loop runs
LONGEST_REST = 30.0  # seconds without a new picture meanwhile, at most
QUIET_FOR = 0.15  # seconds a job may take before its progress is shown; shorter ones would only flicker


class Renderer:
    """Computes what the open panel shows, in a worker, and shows it.

    Parameters
    ----------
    state : InspectorState
        What is chosen.
    panels : dict of str to Panel
    options : PanelOptions
        Of the same panels.
    source : Source
    bridge : BokehBridge
        Holds the documents; its lock is held while a page is put together.
    outbox : Outbox
    page : PageWriter
    history : UndoHistory
        A step that was taken is replaced there by what it became once its snapshots were known.

    Attributes
    ----------
    results : dict
        Latest result by panel.
    error : DynExplorerError or None
        What the open panel could not do.
    """

    def __init__(
        self,
        state: InspectorState,
        panels: dict[str, Panel],
        options: PanelOptions,
        source: Source,
        *,
        bridge: BokehBridge,
        outbox: Outbox,
        page: PageWriter,
        history: UndoHistory,
    ) -> None:
        self._state = state
        self._panels = panels
        self._options = options
        self._source = source
        self._bridge = bridge
        self._outbox = outbox
        self._page = page
        self._history = history
        self._generation = self._seen_generation = 0
        self._rest_until = 0.0
        self.results: dict[str, object] = {}
        self.error: DynExplorerError | None = None
        self.runner = JobRunner(self._unexpected, outbox.poll)

    def renew(self) -> None:
        """Weights or inputs have changed: what was recorded is worth nothing at the next request."""
        self._generation += 1

    def forget_if_stale(self) -> None:
        """Drop what was recorded before the last `renew`."""
        if self._seen_generation != self._generation:
            self._seen_generation = self._generation
            self._source.forget()

    def request(self) -> None:
        """Ask for what is chosen now to be computed and shown; a request that still waits is dropped."""
        self._submit(not_before=0.0)

    def request_while_training(self) -> None:
        """The same, once the last picture is so long ago that drawing takes a small share of the training's time.

        Drawing competes with the training for the interpreter. Epochs that end meanwhile are drawn together.
        """
        self._submit(not_before=self._rest_until)

    def _submit(self, *, not_before: float) -> None:
        panel = self._panels[self._state.panel]
        resource = (panel.key, self._generation, panel.layers_needed(Settings.of(panel, self._state), self._source))
        job = Job(self._render, resource, not_before)
        job.progress = self._progress_of(job)
        job.note = self._page.notes.append
        self.runner.submit(job)

    def _progress_of(self, job: Job) -> Callable[[float, str], None]:
        began = time.monotonic()

        def progress(fraction: float, text: str) -> None:
            with self._bridge.lock:  # so that nothing runs any more once the page says that it was cancelled
                if time.monotonic() - began > QUIET_FOR and not job.cancel.is_set():
                    self._page.say("running", text, None if math.isnan(fraction) else fraction)

        return progress

    def _render(self, job: Job) -> None:
        began = time.perf_counter()
        chosen = self._state.working_copy()
        chosen.untouched = not self._history.can_undo
        before = sharing.whole(chosen, self._options)
        panel = self._panels[chosen.panel]
        self._open(panel)
        spent = time.thread_time()
        self.forget_if_stale()
        try:
            instead = self._source.look_at(chosen.epoch)
            if instead:
                job.note(instead)
            result = panel.compute(self._source, chosen, Settings.of(panel, chosen), job)
        except Cancelled:
            raise
        except DynExplorerError as error:
            self._state.adopt(chosen)
            self._fail(panel, error)
            return
        if job.cancel.is_set():
            return
        self._history.settle(before, {**before, "choices": chosen.choices()})
        self._state.adopt(chosen)
        self._show(panel, result, Settings.of(panel, chosen), began)
        cost = time.thread_time() - spent
        self._rest_until = time.monotonic() + min(LONGEST_REST, cost / SHARE_OF_TRAINING)
        # While a hand is still moving, the comparison would only be in its way.
        rest = STILL_FOR if self._outbox.views else 0
        if self.runner.let_go(job) and not job.cancel.wait(rest):
            # The picture is there and its outcome stands in the header.
            job.progress = lambda _fraction, _text: None
            self._refine(panel, result, Settings.of(panel, chosen), job)

    def _show(self, panel: Panel, result, settings: Settings, began: float) -> None:
        with self._bridge.lock:
            self.error = None
            self.results[panel.key] = result
            panel.show(result, settings)
            self._put_sources()
            self._put_result(panel, result)
            self._page.put_outcome(time.perf_counter() - began)
            self._outbox.flush()

    def _refine(self, panel: Panel, result, settings: Settings, job: Job) -> None:
        try:
            refined = panel.refine(self._source, result, settings, job)
            for part in refined if isinstance(refined, Iterator) else [refined]:
                if not self._show_refined(panel, part, settings, job):
                    return
        except Cancelled:
            raise
        except DynExplorerError as error:
            self._page.say("note", f"Nothing to compare with: {error}")

    def _show_refined(self, panel: Panel, refined, settings: Settings, job: Job) -> bool:
        """Show what took longer; False where the hand has moved on."""
        with self._bridge.lock:
            if job.cancel.is_set():
                return False
            if refined is not None:
                self.results[panel.key] = refined
                panel.show(refined, settings)
                self._put_result(panel, refined)
            # What the header says now stays: a change that was refused meanwhile is still refused.
            self._outbox.flush()
        return True

    def _open(self, panel: Panel) -> None:
        if panel.key in self._bridge:
            return
        with self._bridge.lock:
            panel.open()
            self._bridge.add(panel.key, {name: view.figure for name, view in panel.views.items()})
            self._outbox.put("documents", sorted(key for key in self._panels if key in self._bridge))
            self._outbox.flush()

    def _unexpected(self, error: BaseException) -> None:
        message = f"{type(error).__name__} inside dyn_explorer: {error}. Please report it with the output of wait()."
        wrapped = DynExplorerError(message)
        wrapped.__cause__ = error
        self._fail(self._panels[self._state.panel], wrapped)

    def _fail(self, panel: Panel, error: DynExplorerError) -> None:
        with self._bridge.lock:
            self.error = without_frames(error)
            self.results.pop(panel.key, None)
            panel.clear()
            self._put_sources()
            self._put_result(panel, None)
            self._page.say_why_nothing_is_shown(str(error))

    def _put_sources(self) -> None:
        self._state.limits.layers = self._source.reasons
        self._page.put_sources(self._seen_generation)

    def _put_result(self, panel: Panel, result) -> None:
        # The hand may have moved on since: the controls show what is chosen now.
        self._page.put_result(panel, result, Settings.of(panel, self._state))

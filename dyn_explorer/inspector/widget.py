"""The inspector widget: state, worker, documents and page put together."""

from __future__ import annotations

import math
import threading
import time
import weakref
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import anywidget
import bokeh
from traitlets import TraitError

from dyn_explorer import capture
from dyn_explorer.errors import Cancelled, DynExplorerError

from . import assets, export, page, sharing
from .bridge import BokehBridge, version_warning
from .jobs import Job, JobRunner
from .outbox import Outbox
from .panels import PANELS, Panel, Settings
from .pictures import picture_strip
from .recorder import without_frames
from .source import Source
from .state import CHOICES, InspectorState, Limits, UndoHistory

if TYPE_CHECKING:
    import pandas as pd

STATE_VERSION = 1
STILL_FOR = 0.15  # seconds that the hand must rest before the comparison with the nulls begins
SHARE_OF_TRAINING = 0.03  # of the time that drawing may take while a training loop runs
LONGEST_REST = 30.0  # seconds without a new picture meanwhile, at most
QUIET_FOR = 0.15  # seconds a job may take before its progress is shown; shorter ones would only flicker


class Inspector(InspectorState, anywidget.AnyWidget):
    """A live model's dynamics, in JupyterLab, Notebook 7 and Voila, and without any front end.

    Made by `explore`; its linked choices (``layer``, ``axis``, ``window``, ``rank``, ``method``, ``mode``, ``sample``,
    ``epoch``) are traits that controls and Python share.

    Parameters
    ----------
    model : torch.nn.Module
        Looked at where it is and as it is, never changed.
    inputs : tensor, array, DataLoader, list of tensors, or one batch as the model's forward takes it
        The first 256 samples are looked at.
    labels : sequence, optional
        Class of each input.
    class_names : sequence of str, optional
        Names of the classes.
    layers : sequence of str, optional
        Layers taken together at the start; default one layer, the last convolution.
    device : str or torch.device, optional
        Where the inputs are moved; the model stays where it is.
    checkpoints : mapping of int to state dict or file, optional
        States of the model by epoch, for snapshots along training.
    history : History, or several in a list or mapping, optional
        Of the run that trains the model; `step` adds to it, and its epochs with weights can be looked at. The Training
        panel draws further runs, up to four, beside it.

    Examples
    --------
    >>> import dyn_explorer as dx
    >>> images, labels = dx.demo.digits("test")
    >>> with dx.explore(dx.demo.load("trained"), images, labels) as inspector:
    ...     inspector.rank = 4
    ...     _ = inspector.wait()
    ...     inspector.results["dynamics"].rank
    4
    """

    _esm = assets.esm()
    _css = assets.css()

    def __init__(
        self,
        model,
        inputs,
        labels=None,
        *,
        class_names=None,
        layers=None,
        device=None,
        checkpoints=None,
        history=None,
        **kwargs,
    ) -> None:
        self._ready = False
        self._source = Source(model, inputs, labels, device=device, checkpoints=checkpoints, history=history)
        self._class_names = self._source.class_names = _checked_names(class_names)
        self._panels = {kind.key: kind() for kind in PANELS}
        self._results: dict[str, object] = {}
        self._taps: dict[str, dict[str, tuple[str, list]]] = {}
        self._error: BaseException | None = None
        self._metrics: dict = {}
        self._notes: list[str] = []
        self._outcome: dict = {}
        self._generation = self._seen_generation = 0
        self._strip_of: int | None = None
        self._rest_until = 0.0
        self._page_lock = threading.RLock()
        self._bridge = BokehBridge(self._page_lock)
        limits = Limits(layers=self._layer_reasons(), options=_menus(self._panels), history=self._source.history)
        # Checked before there is a widget, so that a bad name leaves nothing behind.
        together = InspectorState(limits=limits, layers=[layers] if isinstance(layers, str) else layers or ()).layers
        layer = together[0] if together else self._source.default_layer()
        super().__init__(limits=limits, layer=layer, layers=together, rank=0.99, **kwargs)
        self._outbox = Outbox(_weak_send(self), self._bridge)
        self._runner = JobRunner(self._unexpected, self._outbox.poll)
        self._finalizer = weakref.finalize(self, self._runner.close)
        self._history = UndoHistory(self.state())
        self._watch()
        self._ready = True
        self._put_frame()
        self._put_sources()
        self._request()

    def _watch(self) -> None:
        self.on_msg(self._receive)
        self.observe(self._chosen, list(CHOICES))
        for panel in self._panels.values():
            panel.options.observe(self._chosen)

    def __repr__(self) -> str:
        return f"Inspector({type(self._source.model).__name__}, layer={self.layer!r}, panel={self.panel!r})"

    def __enter__(self) -> Inspector:
        return self

    def __exit__(self, *_exception) -> None:
        self.close()

    # ---------------------------------------------------------------- for people and programs

    @property
    def results(self) -> Mapping[str, object]:
        """Latest result of each panel that was opened, by panel key; read only."""
        return MappingProxyType(self._results)

    def wait(self, timeout: float | None = None) -> Inspector:
        """Block until everything asked for is shown.

        Parameters
        ----------
        timeout : float, optional
            Seconds; default for ever.

        Raises
        ------
        DynExplorerError
            What the panel could not do, as its header says it.
        TimeoutError
            If it is not done in time.
        """
        if not self._runner.wait(timeout):
            raise TimeoutError(f"still working after {timeout} s; wait longer or call cancel().")
        if self._error is not None:
            raise self._error
        return self

    def cancel(self) -> None:
        """Stop what is running at its next batch or layer; what was shown before stays."""
        if self._runner.cancel():
            self._say("note", "Cancelled. Refresh runs it again.")

    def refresh(self) -> None:
        """Look at the model again, because its weights or inputs have changed; call it when training is over."""
        self._source.hold(False)
        self._generation += 1
        self._request()

    def step(self, **metrics) -> None:
        """Look at the model again from inside a training loop.

        The forward pass runs here, in the calling thread, so that it never runs beside a training step. Drawing goes on
        in the worker while the training does, and rests in between so long that it takes 3 % of the time: epochs that
        end meanwhile are drawn together, and `wait` draws at once. Until `refresh` is called, whatever needs another
        forward pass (another layer, the untrained copy) waits for the next step.

        Parameters
        ----------
        **metrics
            Numbers to show in the header, for example ``epoch=3, loss=0.1``. With a history they are recorded there as
            well, at the next epoch if ``epoch`` is not among them, unless it holds that epoch already.

        Raises
        ------
        DynExplorerError
            What the history or the forward pass could not do.
        """
        self._runner.cancel()
        self._runner.wait()
        self._metrics = metrics
        self._record_step(metrics)
        self._source.look_at(None)
        self._source.hold(False)
        self._generation += 1
        self._forget_if_stale()
        panel = self._panels[self.panel]
        names = panel.layers_while_training(self._settings(panel), self._source)
        if names:
            self._source.record(names, Job(_nothing))
        self._source.hold(True)
        self._request(self._rest_until)

    def _record_step(self, metrics: dict) -> None:
        history = self._source.history
        if history is None:
            return
        following = history.epochs[-1] + 1 if history.epochs else 0
        epoch = metrics.get("epoch", following)
        if epoch not in history.epochs:  # the loop may have recorded it itself
            history.record(**{**metrics, "epoch": epoch})

    def close(self) -> None:
        """Stop the worker, free the documents and leave the page; calling it again does nothing."""
        if self._ready:
            self._ready = False
            self._finalizer()
            self._bridge.close()
        super().close()

    def undo(self) -> None:
        """Go back to the choices before the last change; at the beginning it does nothing."""
        self._travel(self._history.undo, self._history.redo)

    def redo(self) -> None:
        """Take the last undo back; at the end it does nothing."""
        self._travel(self._history.redo, self._history.undo)

    def state(self) -> dict:
        """Every choice as one JSON object."""
        return self._state_of(self)

    def _state_of(self, chosen: InspectorState) -> dict:
        options = {key: panel.options.trait_values() for key, panel in self._panels.items()}
        return {"version": STATE_VERSION, "choices": chosen.choices(), "options": options}

    def share(self) -> str:
        """This view as one short word, which `load_state` takes: the choices, and the options that were changed."""
        state = self.state()
        plain = {key: type(panel.options)().trait_values() for key, panel in self._panels.items()}
        changed = {
            key: {name: value for name, value in values.items() if value != plain[key][name]}
            for key, values in state["options"].items()
        }
        return sharing.pack({**state, "options": {key: values for key, values in changed.items() if values}})

    def load_state(self, state: dict | str) -> None:
        """Take over what `state` or `share` returned, here or in another session.

        Parameters
        ----------
        state : dict or str
            Options that are not in it stay as they are.

        Raises
        ------
        DynExplorerError
            If it is not such an object, comes from a newer version, or does not fit this model; nothing changes then.
        """
        if isinstance(state, str):
            state = sharing.unpack(state)
        self._take(state)
        self._history.push(self.state(), "state")
        self._request()

    def options(self, panel: str | None = None, **changes) -> dict:
        """Set options of a panel, as its controls do.

        Parameters
        ----------
        panel : str, optional
            Key of the panel; default the open one.
        **changes
            New values by name of the option.

        Returns
        -------
        dict
            All options of the panel, as they are now.

        Raises
        ------
        DynExplorerError
            If there is no such panel or option, or a value cannot be taken; nothing changes then.
        """
        key = self.panel if panel is None else panel
        before = self._panel(key).options.trait_values()
        with self.automatic():
            try:
                self._take_options(key, changes)
            except DynExplorerError:
                self._take_options(key, before)
                raise
        if changes:
            self._history.push(self.state())
            self._request()
        return self._panel(key).options.trait_values()

    def code(self) -> str:
        """Runnable Python that rebuilds this view's numbers from ``model``, ``inputs`` and ``labels``."""
        panel = self._panels[self.panel]
        return panel.code(self._settings(panel), self._source)

    def table(self, panel: str | None = None) -> pd.DataFrame:
        """The numbers behind a panel's figures.

        Parameters
        ----------
        panel : str, optional
            Key of the panel; default the open one.

        Raises
        ------
        DynExplorerError
            If there is no such panel or it has no result.
        """
        key = self.panel if panel is None else panel
        opened = self._panel(key)
        if key not in self._results:
            raise DynExplorerError(f"panel {key!r} has no result yet; open it and call wait().")
        return opened.table(self._results[key])

    def to_html(self, path) -> None:
        """Write the open panel as a page that works without a kernel and without a network."""
        with self._page_lock:
            panel = self._panels[self.panel]
            if panel.key not in self._results:
                raise DynExplorerError("there is nothing to write yet; call wait() first.")
            text = export.html(panel, self._results[panel.key], repr(self), self.code())
        Path(path).write_text(text, encoding="utf8")

    # ---------------------------------------------------------------- state

    def _take(self, state: dict) -> None:
        if not isinstance(state, dict) or not isinstance(state.get("choices"), dict):
            raise DynExplorerError("a state must be a dict as `state()` returns it, with the key 'choices'.")
        if state.get("version") != STATE_VERSION:
            raise DynExplorerError(f"this state has version {state.get('version')!r}; {STATE_VERSION} is understood.")
        before = {key: panel.options.trait_values() for key, panel in self._panels.items()}
        with self.automatic():
            try:
                for key, values in _checked_options(state).items():
                    self._take_options(key, values)
                self.choose(state["choices"])
            except DynExplorerError:
                for key, values in before.items():
                    self._take_options(key, values)
                raise

    def _take_options(self, key: str, values: dict) -> None:
        self._panel(key)
        for name, value in values.items():
            self._set_option(key, name, value)

    def _panel(self, key: str) -> Panel:
        if key not in self._panels:
            raise DynExplorerError(f"there is no panel {key!r}; the panels are {', '.join(self._panels)}.")
        return self._panels[key]

    def _set_option(self, key: str, name: str, value) -> None:
        options = self._panel(key).options
        if name not in options.trait_names():
            raise DynExplorerError(f"panel {key!r} has no option {name!r}; it has {', '.join(options.trait_names())}.")
        try:
            setattr(options, name, value)
        except TraitError as error:
            raise DynExplorerError(f"option {name!r} of panel {key!r} cannot be {value!r}: {error}") from error

    def _travel(self, step, back) -> None:
        state = step()
        if state is None:
            return
        try:
            self._take(state)
        except DynExplorerError:
            back()
            raise
        self._request()

    def _chosen(self, change) -> None:
        if self._ready and not self.is_automatic:
            self._history.push(self.state(), change["name"] if self._hand_moves() else None)
            self._request()

    def _settings(self, panel: Panel, chosen: InspectorState | None = None) -> Settings:
        chosen = chosen or self
        return Settings(chosen.choices(), panel.options.trait_values(), chosen.limits)

    def _layer_reasons(self) -> dict[str, str | None]:
        return {name: info.disabled_because for name, info in self._source.layers.items()}

    # ---------------------------------------------------------------- the worker

    def _request(self, not_before: float = 0.0) -> None:
        panel = self._panels[self.panel]
        resource = (panel.key, self._generation, panel.layers_needed(self._settings(panel), self._source))
        job = Job(self._render, resource, not_before)
        began = time.monotonic()

        def progress(fraction: float, text: str) -> None:
            with self._page_lock:  # so that nothing runs any more once the page says that it was cancelled
                if time.monotonic() - began > QUIET_FOR and not job.cancel.is_set():
                    self._say("running", text, None if math.isnan(fraction) else fraction)

        job.progress = progress
        job.note = self._notes.append
        self._runner.submit(job)

    def _render(self, job: Job) -> None:
        began = time.perf_counter()
        chosen = self.working_copy()
        chosen.untouched = not self._history.can_undo
        before = self._state_of(chosen)
        panel = self._panels[chosen.panel]
        self._open(panel)
        cost = time.thread_time()
        self._forget_if_stale()
        try:
            instead = self._source.look_at(chosen.epoch)
            if instead:
                job.note(instead)
            result = panel.compute(self._source, chosen, self._settings(panel, chosen), job)
        except Cancelled:
            raise
        except DynExplorerError as error:
            self.adopt(chosen)
            self._fail(panel, error)
            return
        if job.cancel.is_set():
            return
        self._history.settle(before, {**before, "choices": chosen.choices()})
        self.adopt(chosen)
        with self._page_lock:
            self._error = None
            self._results[panel.key] = result
            panel.show(result, self._settings(panel, chosen))
            self._put_sources()
            self._put_result(panel, result)
            self._put_outcome(time.perf_counter() - began)
            self._outbox.flush()
        self._rest(time.thread_time() - cost)
        # While a hand is still moving, the comparison would only be in its way.
        rest = STILL_FOR if self._outbox.views else 0
        if self._runner.let_go(job) and not job.cancel.wait(rest):
            # The picture is there and its outcome stands in the header.
            job.progress = lambda _fraction, _text: None
            self._refine(panel, result, self._settings(panel, chosen), job)

    def _rest(self, cost: float) -> None:
        """Leave the training as much time as keeps drawing, which competes with it for the interpreter, a small share.

        Epochs that end meanwhile are drawn together.
        """
        self._rest_until = time.monotonic() + min(LONGEST_REST, cost / SHARE_OF_TRAINING)

    def _refine(self, panel: Panel, result, settings: Settings, job: Job) -> None:
        try:
            refined = panel.refine(self._source, result, settings, job)
            for part in refined if isinstance(refined, Iterator) else [refined]:
                if not self._show_refined(panel, part, settings, job):
                    return
        except Cancelled:
            raise
        except DynExplorerError as error:
            self._say("note", f"Nothing to compare with: {error}")

    def _show_refined(self, panel: Panel, refined, settings: Settings, job: Job) -> bool:
        """Show what took longer; False where the hand has moved on."""
        with self._page_lock:
            if job.cancel.is_set():
                return False
            if refined is not None:
                self._results[panel.key] = refined
                panel.show(refined, settings)
                self._put_result(panel, refined)
            # What the header says now stays: a change that was refused meanwhile is still refused.
            self._outbox.flush()
        return True

    def _forget_if_stale(self) -> None:
        if self._seen_generation != self._generation:
            self._seen_generation = self._generation
            self._source.forget()

    def _open(self, panel: Panel) -> None:
        if panel.key in self._bridge:
            return
        with self._page_lock:
            panel.open()
            self._bridge.add(panel.key, {name: view.figure for name, view in panel.views.items()})
            self._outbox.put("documents", sorted(key for key in self._panels if key in self._bridge))
            self._outbox.flush()

    def _unexpected(self, error: BaseException) -> None:
        message = f"{type(error).__name__} inside dyn_explorer: {error}. Please report it with the output of wait()."
        wrapped = DynExplorerError(message)
        wrapped.__cause__ = error
        self._fail(self._panels[self.panel], wrapped)

    def _fail(self, panel: Panel, error: DynExplorerError) -> None:
        with self._page_lock:
            self._error = without_frames(error)
            self._results.pop(panel.key, None)
            panel.clear()
            self.limits.layers = self._layer_reasons()
            self._put_sources()
            self._put_result(panel, None)
            self._outbox.put("empty", str(error))
            self._say("error", str(error))

    # ---------------------------------------------------------------- the page

    def _say(self, kind: str, text: str, fraction: float | None = None) -> None:
        self._outbox.put("status", {"kind": kind, "text": text, "fraction": fraction})
        self._outbox.flush()

    def _put_outcome(self, seconds: float) -> None:
        failure = self._source.failure
        if failure is not None:
            self._outcome = {"kind": "error", "text": str(failure), "fraction": None}
            self._outbox.put("status", self._outcome)
            return
        metrics = [f"{name} {page.cell(value)}" for name, value in self._metrics.items()]
        text = " · ".join([*metrics, *self._notes, f"shown in {page.short_time(seconds)}"])
        self._notes.clear()
        self._outcome = {"kind": "ready", "text": text, "fraction": None}
        self._outbox.put("status", self._outcome)

    def _put_frame(self) -> None:
        panel = self._panels[self.panel]
        self._outbox.put("panels", page.panel_frame(list(self._panels.values()), panel))

    def _put_sources(self) -> None:
        recording, source = self._source.recording, self._source
        head = page.header(source.model, source.epoch, source.n_inputs, source.most_inputs, version_warning())
        self._outbox.put("header", head)
        self._outbox.put("tree", page.tree(source.layers))
        self.limits.layers = self._layer_reasons()
        if recording is not None and self._seen_generation != self._strip_of:
            self._strip_of = self._seen_generation
            self._outbox.put("strip", picture_strip(recording.inputs, recording.labels, self._class_names))

    def _put_result(self, panel: Panel, result) -> None:
        settings, put = self._settings(panel), self._outbox.put
        self._put_frame()
        put("choices", self._shown_choices())
        put("controls", panel.controls(settings, result))
        put("undo", {"undo": self._history.can_undo, "redo": self._history.can_redo})
        put("summaries", {name: view.summary for name, view in panel.views.items()})
        put("code", self.code())
        put("empty", None)
        self._taps[panel.key] = {}
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
        self._taps[panel.key] = panel.taps(result, row_values)
        put("table", page.table(frame, panel.tap_chooses, row_values))
        put("meaning", panel.meaning(result))

    # ---------------------------------------------------------------- messages from the browser

    def _receive(self, _widget, content: dict, _buffers) -> None:
        handlers = {
            "hello": self._hello,
            "bokehjs": lambda view: self.send({"kind": "bokehjs", "view": view}, [assets.compressed_bokehjs()]),
            "document": lambda view, panel: panel in self._bridge and self._outbox.send_document(view, panel),
            "set": self._set_from_browser,
            "do": self._do,
            "patch": self._patched,
            "ack": lambda view, number: self._outbox.acknowledge(view, number),
            "theme": self._theme_changed,
            "bye": lambda view: self._outbox.close_view(view),
        }
        arguments = dict(content)
        handler = handlers.get(arguments.pop("kind", None))
        if handler is None:
            self._say("error", f"The page sent a message that is not known here ({content!r}); reload it.")
            return
        handler(**arguments)
        self._runner.nudge()

    def _hello(self, view: str, theme: str) -> None:
        self._dress(theme)
        self._outbox.open_view(view, {"bokeh": bokeh.__version__})

    def _theme_changed(self, view: str, theme: str) -> None:  # noqa: ARG002 - every message names its view
        self._dress(theme)

    def _dress(self, theme: str) -> None:
        self._bridge.set_theme("dark" if theme == "dark" else "light")
        self._outbox.flush()

    def _set_from_browser(self, view: str, number: int, changes: dict) -> None:
        # At once, so that the view may pass on the next change; the section goes with the page that shows this one.
        self.send({"kind": "seen", "view": view, "number": number})
        self._outbox.mark_seen(view, number)
        self._of_this_thread.hand_moves = True
        try:
            for name in sorted(changes, key=_order):
                self._attempt(lambda name=name: self._set(name, changes[name]))
        finally:
            self._of_this_thread.hand_moves = False
        if not self._runner.busy:  # else it goes with the picture, which would have to wait until this was drawn
            self._outbox.flush()

    def _hand_moves(self) -> bool:
        return getattr(self._of_this_thread, "hand_moves", False)

    def _set(self, name: str, value) -> None:
        if "," in name:
            self._set_together(dict(zip(name.split(","), value, strict=True)))
            return
        key, dot, option = name.partition(".")
        if dot:
            self._set_option(key, option, value)
        elif name in CHOICES:
            setattr(self, name, tuple(value) if isinstance(value, list) else value)
        else:
            raise DynExplorerError(f"there is no choice {name!r}; the choices are {', '.join(CHOICES)}.")

    def _set_together(self, changes: dict) -> None:
        """A tap may choose several things, such as the row and the column of a grid; that is one step to undo."""
        try:
            with self.automatic():
                for name, value in changes.items():
                    self._set(name, value)
        finally:
            self._history.push(self.state())
            self._request()

    def _get(self, name: str):
        if "," in name:
            return tuple(self._get(part) for part in name.split(","))
        key, dot, option = name.partition(".")
        return getattr(self._panel(key).options, option) if dot else getattr(self, name)

    def _shown_choices(self) -> dict:
        """The linked choices, and what a row of the open panel's table sets."""
        chooses = self._panels[self.panel].tap_chooses
        return {**self.choices(), chooses: self._get(chooses)}

    def _attempt(self, act) -> None:
        """Do what the browser asks; what cannot be done is said in the header, and the page shows the kept value."""
        try:
            act()
        except DynExplorerError as error:
            self._outbox.put("choices", {**self._shown_choices(), "rejected": time.monotonic()})
            self._say("error", str(error))

    def _do(self, view: str, action: str) -> None:
        actions = {"cancel": self.cancel, "refresh": self.refresh, "undo": self.undo, "redo": self.redo,
                   "export": lambda: self._export(view)}  # fmt: skip
        self._attempt(actions[action])

    def _export(self, view: str) -> None:
        with self._page_lock:
            panel = self._panels[self.panel]
            if panel.key not in self._results:
                raise DynExplorerError("there is nothing to export yet.")
            text = export.html(panel, self._results[panel.key], repr(self), self.code())
        self.send({"kind": "export", "view": view, "name": f"dyn_explorer_{panel.key}.html"}, [text.encode("utf8")])

    def _patched(self, view: str, panel: str, patch: dict) -> None:
        self._bridge.apply(panel, patch, view)
        with self._page_lock:
            taken = [tap for tap in map(partial(self._take_tap, panel), self._taps.get(panel, {})) if tap is not None]
        for name, value in taken:
            self._attempt(partial(self._set, name, value))
        self._outbox.flush()

    def _take_tap(self, panel: str, figure: str) -> tuple[str, object] | None:
        """What a tap in a figure sets, and to which value."""
        name, values = self._taps[panel][figure]
        current = self._get(name)
        row = self._panels[panel].views[figure].take_tap(values.index(current) if current in values else -1)
        # A tap may be older than the rows.
        return None if row is None or row >= len(values) else (name, values[row])


def _nothing(_job: Job) -> None:
    """The work of a job that only carries a cancel flag and progress."""


def _order(name: str) -> int:
    """Layer and axis before the window, the window before the rank, as the checks of each need it."""
    return CHOICES.index(name) if name in CHOICES else len(CHOICES)


def _menus(panels: dict[str, Panel]) -> dict[str, tuple]:
    menus: dict[str, tuple] = {"panel": tuple(panels)}
    for panel in panels.values():
        menus.update(panel.menus)
    return menus


def _checked_names(class_names) -> list[str] | None:
    if class_names is None:
        return None
    if isinstance(class_names, str | Mapping) or not hasattr(class_names, "__iter__"):
        raise DynExplorerError(f"`class_names` (={class_names!r}) must be a list with the name of class 0, 1, ...")
    return [str(name) for name in class_names]


def _checked_options(state: dict) -> dict:
    options = state.get("options", {})
    if not isinstance(options, dict) or not all(isinstance(values, dict) for values in options.values()):
        raise DynExplorerError("the 'options' of a state must be a dict of dicts, as `state()` returns them.")
    return options


def _weak_send(inspector: Inspector):
    reference = weakref.ref(inspector)

    def send(content: dict, buffers: list[bytes]) -> None:
        target = reference()
        if target is not None and target.comm is not None:
            target.send(content, buffers)

    return send


def explore(
    model, inputs, labels=None, *, class_names=None, layers=None, device=None, checkpoints=None, history=None
) -> Inspector:
    """Open a live model in an inspector.

    It returns at once; the model is run in a worker, borrowed and given back bit-identical.

    Parameters
    ----------
    model : torch.nn.Module
        On any device, in train or eval mode; looked at where it is and as it is.
    inputs : tensor, array, DataLoader, list of tensors, or one batch as the model's forward takes it
        Samples first, as in (n_samples, channels, height, width); the first 256 are looked at.
    labels : sequence of int, optional
        Class of each input.
    class_names : sequence of str, optional
        Names of the classes 0, 1, ...
    layers : sequence of str, optional
        Layers taken together at the start; default one layer, the last convolution.
    device : str or torch.device, optional
        Where the inputs are moved; the model stays where it is.
    checkpoints : mapping of int to state dict or file, optional
        States of the model by epoch, for snapshots along training.
    history : History, or several in a list or a mapping of names, optional
        Of the run that trains the model: `Inspector.step` adds to it, and epochs with weights can be looked at through
        ``inspector.epoch``. Further runs, up to four in all, are drawn beside it in the Training panel. Their epochs,
        probe batches and models may differ; what is computed from weights needs those that fit `model`, and the panel
        says where they do not.

    Returns
    -------
    Inspector
        Shows itself as the last line of a notebook cell.

    Raises
    ------
    DynExplorerError
        If `model` has no layer to look at or cannot be looked at (scripted, sharded, on the meta device).

    Examples
    --------
    >>> import dyn_explorer as dx
    >>> images, labels = dx.demo.digits("test")
    >>> inspector = dx.explore(dx.demo.load("trained"), images, labels)
    >>> inspector.layer
    'conv3'
    >>> inspector.close()
    """
    capture.unwrap(model)
    return Inspector(
        model,
        inputs,
        labels,
        class_names=class_names,
        layers=layers,
        device=device,
        checkpoints=checkpoints,
        history=history,
    )

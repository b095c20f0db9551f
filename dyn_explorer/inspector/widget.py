"""The inspector widget: state, worker, documents and page put together."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import anywidget

from dyn_explorer.errors import DynExplorerError

from . import assets, export, sharing
from .bridge import BokehBridge
from .browser_messages import BrowserMessages
from .by_name import ByName
from .jobs import Job
from .outbox import Outbox
from .page_writer import PageWriter
from .panel_options import PanelOptions
from .panels import PANELS, Panel, Settings
from .renderer import Renderer
from .source import Source
from .state import CHOICES, InspectorState, Limits, UndoHistory

if TYPE_CHECKING:
    import pandas as pd


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

    Attributes
    ----------
    beside_the_view : dict
        What a cell's output holds beside the widget's view, by MIME type.

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
        self.beside_the_view: dict[str, object] = {}
        self._source = Source(model, inputs, labels, device=device, checkpoints=checkpoints, history=history)
        self._source.class_names = _checked_names(class_names)
        self._panels = {kind.key: kind() for kind in PANELS}
        limits = Limits(layers=self._source.reasons, options=_menus(self._panels), history=self._source.history)
        # Checked before there is a widget, so that a bad name leaves nothing behind.
        together = InspectorState(limits=limits, layers=[layers] if isinstance(layers, str) else layers or ()).layers
        layer = together[0] if together else self._source.default_layer()
        super().__init__(limits=limits, layer=layer, layers=together, rank=0.99, **kwargs)
        self._put_together()
        self._ready = True
        self._page.put_frame(self._panels[self.panel])
        self._page.put_sources(0)
        self._renderer.request()

    def _put_together(self) -> None:
        self._options = PanelOptions(self._panels)
        self._names = ByName(self, self._options)
        self._history = UndoHistory(self.state())
        self._bridge = BokehBridge(threading.RLock())
        self._outbox = Outbox(_weak_send(self), self._bridge)
        self._page = PageWriter(self._outbox, self._panels, self._source, self._names, self._history)
        shown = {"bridge": self._bridge, "outbox": self._outbox, "page": self._page}
        self._renderer = Renderer(self, self._panels, self._options, self._source, history=self._history, **shown)
        self._messages = BrowserMessages(self, self._panels, self._names, **shown)
        self._finalizer = weakref.finalize(self, self._renderer.runner.close)
        self.on_msg(self._receive)
        self.observe(self._chosen, list(CHOICES))
        self._options.observe(self._chosen)

    def __repr__(self) -> str:
        return f"Inspector({type(self._source.model).__name__}, layer={self.layer!r}, panel={self.panel!r})"

    def _repr_mimebundle_(self, **kwargs) -> tuple[dict, dict]:
        data, metadata = super()._repr_mimebundle_(**kwargs)
        return {**data, **self.beside_the_view}, metadata

    def __enter__(self) -> Inspector:
        return self

    def __exit__(self, *_exception) -> None:
        self.close()

    # ---------------------------------------------------------------- for people and programs

    @property
    def results(self) -> Mapping[str, object]:
        """Latest result of each panel that was opened, by panel key; read only."""
        return MappingProxyType(self._renderer.results)

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
        if not self._renderer.runner.wait(timeout):
            raise TimeoutError(f"still working after {timeout} s; wait longer or call cancel().")
        if self._renderer.error is not None:
            raise self._renderer.error
        return self

    def cancel(self) -> None:
        """Stop what is running at its next batch or layer; what was shown before stays."""
        if self._renderer.runner.cancel():
            self._page.say("note", "Cancelled. Refresh runs it again.")

    def refresh(self) -> None:
        """Look at the model again, because its weights or inputs have changed; call it when training is over."""
        self._source.hold(False)
        self._renderer.renew()
        self._renderer.request()

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
        self._renderer.runner.cancel()
        self._renderer.runner.wait()
        self._page.metrics = metrics
        self._record_step(metrics)
        self._source.look_at(None)
        self._source.hold(False)
        self._renderer.renew()
        self._renderer.forget_if_stale()
        panel = self._panels[self.panel]
        names = panel.layers_while_training(Settings.of(panel, self), self._source)
        if names:
            self._source.record(names, Job(_nothing))
        self._source.hold(True)
        self._renderer.request_while_training()

    def _record_step(self, metrics: dict) -> None:
        history = self._source.history
        if history is None:
            return
        following = history.epochs[-1] + 1 if history.epochs else 0
        epoch = metrics.get("epoch", following)
        if epoch not in history.epochs:  # the loop may have recorded it itself
            history.record(**{**metrics, "epoch": epoch})

    def note(self, text: str) -> None:
        """Say something in the header beside the next outcome."""
        self._page.notes.append(text)

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
        return sharing.whole(self, self._options)

    def share(self) -> str:
        """This view as one short word, which `load_state` takes: the choices, and the options that were changed."""
        return sharing.pack({**self.state(), "options": self._options.changed()})

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
        self._renderer.request()

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
        with self.automatic():
            self._options.take({key: changes})
        if changes:
            self._history.push(self.state())
            self._renderer.request()
        return self._options.panel(key).options.trait_values()

    def set_by_name(self, name: str, value) -> None:
        """Set a choice or an option under the name that the page has for it.

        Parameters
        ----------
        name : str
            As ``"rank"`` or ``"classes.edge"``. Names joined by commas are set together, which is one step to undo.
        value : object
            Of names joined by commas, a value for each.

        Raises
        ------
        DynExplorerError
            If there is no such choice, or it cannot be this.
        """
        if "," not in name:
            self._names.set(name, value)
            return
        try:
            with self.automatic():
                self._names.set(name, value)
        finally:
            self._history.push(self.state())
            self._renderer.request()

    def code(self) -> str:
        """Runnable Python that rebuilds this view's numbers from ``model``, ``inputs`` and ``labels``."""
        panel = self._panels[self.panel]
        return panel.code(Settings.of(panel, self), self._source)

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
        opened = self._options.panel(key)
        if key not in self.results:
            raise DynExplorerError(f"panel {key!r} has no result yet; open it and call wait().")
        return opened.table(self.results[key])

    def to_html(self, path) -> None:
        """Write the open panel as a page that works without a kernel and without a network."""
        Path(path).write_text(self.html(), encoding="utf8")

    def html(self) -> str:
        """The open panel as a page that works without a kernel and without a network.

        Raises
        ------
        DynExplorerError
            If it has no result yet.
        """
        with self._bridge.lock:
            panel = self._panels[self.panel]
            if panel.key not in self.results:
                raise DynExplorerError("there is nothing to export yet; call wait() first.")
            return export.html(panel, self.results[panel.key], repr(self), self.code())

    @property
    def busy(self) -> bool:
        """Whether something is being computed."""
        return self._renderer.runner.busy

    # ---------------------------------------------------------------- what the parts tell each other

    def _take(self, state: dict) -> None:
        sharing.check(state)
        before = self._options.values()
        with self.automatic():
            self._options.take(state.get("options", {}))
            try:
                self.choose(state["choices"])
            except DynExplorerError:
                self._options.take(before)
                raise

    def _travel(self, step, back) -> None:
        state = step()
        if state is None:
            return
        try:
            self._take(state)
        except DynExplorerError:
            back()
            raise
        self._renderer.request()

    def _chosen(self, change) -> None:
        if self._ready and not self.is_automatic:
            self._history.push(self.state(), change["name"] if self.is_by_hand else None)
            self._renderer.request()

    def _receive(self, _widget, content: dict, _buffers) -> None:
        self._messages.receive(content)
        self._renderer.runner.nudge()


def _nothing(_job: Job) -> None:
    """The work of a job that only carries a cancel flag and progress."""


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


def _weak_send(inspector: Inspector):
    reference = weakref.ref(inspector)

    def send(content: dict, buffers: list[bytes]) -> None:
        target = reference()
        if target is not None and target.comm is not None:
            target.send(content, buffers)

    return send

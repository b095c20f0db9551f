"""One worker thread per inspector: the latest request wins, work can be cancelled, errors come back in words."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

import torch

from dyn_explorer.errors import Cancelled

LOG = logging.getLogger(__name__)


@dataclass(eq=False)
class Job:
    """A piece of work with its own cancel flag.

    Attributes
    ----------
    work : callable
        ``work(job)``, run in the worker; it looks at ``job.cancel`` between batches and reports to ``job.progress``.
    resource : hashable
        What the slow part depends on. A newer job with the same resource lets this one finish its slow part; one with
        another resource cancels it.
    not_before : float
        When it may begin, in seconds of `time.monotonic`; at once where somebody waits for it.
    yields : bool
        Whether the rest of the work ends as soon as there is a newer job, whatever that depends on.
    progress, note : callable
        ``progress(fraction, text)`` says how far it is; ``note(text)`` says what had to be changed on the way.
    """

    work: Callable[[Job], None]
    resource: object = None
    not_before: float = 0.0
    yields: bool = False
    progress: Callable[[float, str], None] = lambda _fraction, _text: None
    note: Callable[[str], None] = lambda _text: None
    cancel: threading.Event = field(default_factory=threading.Event)


class JobRunner:
    """Runs the newest job on one daemon thread.

    Parameters
    ----------
    on_error : callable
        Gets every exception that a job lets through, in the worker.
    idle : callable
        Called after each job and whenever the time that it returned (seconds, or None for "not needed") has passed.

    Notes
    -----
    A callback of a widget may run on the main thread or on another, and an interrupt cannot reach either reliably; a
    worker with a cancel flag behaves the same everywhere.
    """

    def __init__(self, on_error: Callable[[BaseException], None], idle: Callable[[], float | None] = lambda: None):
        self._on_error = on_error
        self._idle = idle
        self._condition = threading.Condition()
        self._pending: Job | None = None
        self._running: Job | None = None
        self._closed = False
        self._nudged = False
        self._waiting = 0
        self._enter_caller = thread_settings()
        self._thread = threading.Thread(target=self._loop, name="dyn_explorer worker", daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Make `job` the next one; a waiting one is dropped."""
        with self._condition:
            if self._closed:
                return
            self._pending = job
            self._nudged = True  # so that the worker looks at the clock anew
            running = self._running
            if running is not None and (running.yields or running.resource != job.resource):
                running.cancel.set()
            self._condition.notify_all()

    def let_go(self, job: Job) -> bool:
        """What is left of a running job makes room for any newer one; False if there is one already."""
        with self._condition:
            job.yields = True
            return self._pending is None and not job.cancel.is_set()

    def cancel(self) -> bool:
        """Drop what waits and stop what runs at its next check; True if there was anything."""
        with self._condition:
            busy = self._pending is not None or self._running is not None
            self._pending = None
            if self._running is not None:
                self._running.cancel.set()
            self._condition.notify_all()
            return busy

    def wait(self, timeout: float | None = None) -> bool:
        """Block until nothing runs or waits; False if `timeout` seconds passed first."""
        if threading.current_thread() is self._thread:
            raise RuntimeError("the worker cannot wait for itself")
        with self._condition:
            self._waiting += 1
            self._condition.notify_all()
            try:
                return self._condition.wait_for(lambda: self._pending is None and self._running is None, timeout)
            finally:
                self._waiting -= 1

    @property
    def busy(self) -> bool:
        """Whether anything runs or waits."""
        with self._condition:
            return self._pending is not None or self._running is not None

    def nudge(self) -> None:
        """Have `idle` called soon."""
        with self._condition:
            self._nudged = True
            self._condition.notify_all()

    def close(self) -> None:
        """End the thread after the present check; calling it again does nothing."""
        with self._condition:
            self._closed = True
        self.cancel()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=5)

    def _loop(self) -> None:
        with self._enter_caller():
            while (job := self._next()) is not None:
                self._run(job)

    def _next(self) -> Job | None:
        while True:
            # Outside the lock, because idle work sends messages and may be waited for by a submitter.
            with self._condition:
                self._nudged = False
                waits = self._is_due()
            # What a job sends brings everything along; sent before it, the rest would only hold the job back.
            pause = None if waits else self._guarded(self._idle)
            with self._condition:
                pause = self._until_due(pause)
                self._condition.wait_for(lambda: self._closed or self._is_due() or self._nudged, pause)
                if self._closed:
                    return None
                if self._is_due():
                    self._running, self._pending = self._pending, None
                    return self._running

    def _is_due(self) -> bool:
        """Whether the pending job may begin."""
        if self._pending is None:
            return False
        return self._waiting > 0 or time.monotonic() >= self._pending.not_before

    def _until_due(self, pause: float | None) -> float | None:
        """Seconds until the pending job may begin, or `pause` where that is sooner."""
        if self._pending is None:
            return pause
        left = max(0.0, self._pending.not_before - time.monotonic())
        return left if pause is None else min(pause, left)

    def _run(self, job: Job) -> None:
        try:
            self._guarded(lambda: job.work(job))
        finally:
            with self._condition:
                self._running = None
                self._condition.notify_all()

    def _guarded(self, work: Callable):
        """Do something that may fail in any way: a thread that died would leave every `wait` waiting for ever."""
        try:
            return work()
        except Cancelled:
            return None  # whoever cancelled has already said so
        except BaseException as error:  # noqa: BLE001 - a model may raise anything, SystemExit included
            try:
                self._on_error(error)
            except Exception:
                LOG.exception("a failure could not be shown: %s", error)
            return None


def thread_settings() -> Callable[[], ExitStack]:
    """Remember the caller's thread-local PyTorch settings; the result enters them in another thread.

    Grad mode, autocast and the default device belong to a thread; without this the worker would see other results
    than the person's own cell does.
    """
    grad = torch.is_grad_enabled()
    inference = torch.is_inference_mode_enabled()
    device = torch.get_default_device()
    kinds = ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)
    autocast = [(kind, torch.is_autocast_enabled(kind), torch.get_autocast_dtype(kind)) for kind in kinds]

    def enter() -> ExitStack:
        stack = ExitStack()
        stack.enter_context(torch.inference_mode(inference))
        if not inference:
            stack.enter_context(torch.set_grad_enabled(grad))
        stack.enter_context(torch.device(device))
        for kind, enabled, dtype in autocast:
            if enabled:
                stack.enter_context(torch.autocast(kind, dtype=dtype))
        return stack

    return enter

"""Ctrl-C while a model is on loan: it stops the work, but never the giving back."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import CodeType, FrameType


class HeldInterrupts:
    """Hold back SIGINT while one of the `protected` functions runs; pass it on at once everywhere else.

    Only the main thread receives signals; elsewhere this does nothing.

    Parameters
    ----------
    protected : callables
        Python functions during which, or below which, an interrupt waits.

    Example
    -------
    >>> held = HeldInterrupts(lambda: None)
    >>> held.install(); held.uninstall(); held.deliver()
    """

    def __init__(self, *protected: Callable) -> None:
        self._protected: set[CodeType] = {function.__code__ for function in protected}
        self._previous: Callable | None = None
        self._held: tuple[int, FrameType | None] | None = None

    def install(self) -> None:
        """Begin to hold interrupts back."""
        if threading.current_thread() is not threading.main_thread():
            return
        previous = signal.getsignal(signal.SIGINT)
        if callable(previous):
            self._previous = previous
            signal.signal(signal.SIGINT, self._handle)

    def uninstall(self) -> None:
        """Put back the handler that was found, unless somebody replaced ours meanwhile."""
        if self._previous is not None and signal.getsignal(signal.SIGINT) == self._handle:
            signal.signal(signal.SIGINT, self._previous)

    def deliver(self) -> None:
        """Hand the interrupt that waited, if any, to the handler that was found (which normally raises)."""
        if self._held is not None:
            held, self._held = self._held, None
            self._previous(*held)

    def _handle(self, signum: int, frame: FrameType | None) -> None:
        if self._is_protected(frame):
            self._held = (signum, None)
        else:
            self._previous(signum, frame)

    def _is_protected(self, frame: FrameType | None) -> bool:
        while frame is not None:
            if frame.f_code in self._protected:
                return True
            frame = frame.f_back
        return False

"""Tasks carried out one after the other here, or several at a time by an executor."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait

from ..errors import Cancelled, DynExplorerError
from .cache import Cache
from .task import Outcome, Task, measure, without_model

# How often a cancel is looked for while all workers are busy, in seconds.
_GLANCE = 0.1


def here(tasks: Iterator[Task], cancel: threading.Event | None) -> Iterator[tuple[int, Outcome]]:
    """Measure one model after the other in this thread; yield each with its place.

    Raises
    ------
    Cancelled
        `cancel` was set.
    """
    for place, task in enumerate(tasks):
        yield place, measure(task, cancel)


def by_executor(
    tasks: Iterator[Task], executor: Executor, cancel: threading.Event | None
) -> Iterator[tuple[int, Outcome]]:
    """Keep an executor's workers busy; yield each outcome with its place as it comes.

    Only a few tasks are handed over at once, so that memory does not grow with the number of models. Leaving early
    takes back what was not begun.

    Raises
    ------
    Cancelled
        `cancel` was set.
    """
    waiting: dict[Future, tuple[int, Task]] = {}
    numbered = enumerate(tasks)
    at_once = 2 * _workers(executor)
    try:
        while True:
            while len(waiting) < at_once and (following := next(numbered, None)) is not None:
                place, task = following
                future = _submitted(executor, task)
                if isinstance(future, Outcome):
                    yield place, future
                else:
                    waiting[future] = (place, task)
            if not waiting:
                return
            if cancel is not None and cancel.is_set():
                raise Cancelled("the sweep was cancelled")
            done, _ = wait(waiting, timeout=_GLANCE, return_when=FIRST_COMPLETED)
            for future in done:
                place, task = waiting.pop(future)
                yield place, _outcome(future, task)
    finally:
        for future in waiting:
            future.cancel()


def _submitted(executor: Executor, task: Task) -> Future | Outcome:
    try:
        return executor.submit(measure, task)
    except BrokenExecutor as error:
        return without_model(task, _broken(error))
    except RuntimeError as error:
        raise DynExplorerError(f"`executor` takes no work ({error}); give one that is open") from error


def _outcome(future: Future, task: Task) -> Outcome:
    try:
        outcome = future.result()
    except (CancelledError, BrokenExecutor) as error:
        return without_model(task, _broken(error))
    except DynExplorerError:
        raise
    except Exception as error:  # noqa: BLE001 - a model or a function may refuse to travel in any way
        return without_model(task, _did_not_travel(error))
    if task.cache is not None:
        _keep(Cache(task.cache), outcome)
    return outcome


def _keep(cache: Cache, outcome: Outcome) -> None:
    """Keep what a worker on another machine could not write here."""
    for key, (_, kept) in zip(outcome.keys, outcome.families, strict=True):
        if key is not None and key not in cache:
            cache.put(key, kept)


def _broken(error: BaseException) -> str:
    return (
        f"a worker process died while this or another model was measured ({type(error).__name__}: {error}); sweep "
        "again with the same `cache` and a new executor: what is there is not computed again"
    )


def _did_not_travel(error: BaseException) -> str:
    return (
        f"this model could not be measured in another process ({type(error).__name__}: {error}); models, builders and "
        "measures travel if their classes and functions stand in an importable module"
    )


def _workers(executor: Executor) -> int:
    return getattr(executor, "_max_workers", None) or os.cpu_count() or 1


def each_in_order(
    tasks: Sequence[Callable[[], Task]], executor: Executor | None, cancel: threading.Event | None
) -> Iterator[Outcome]:
    """Outcomes in the order of the tasks, each as soon as those before it are there.

    Parameters
    ----------
    tasks : sequence of callables
        Each makes its task when its turn comes, so that weights are read no earlier.
    executor : Executor or None
    cancel : threading.Event or None
    """
    made = (make() for make in tasks)
    stream = here(made, cancel) if executor is None else by_executor(made, executor, cancel)
    early: dict[int, Outcome] = {}
    expected = deque(range(len(tasks)))
    for place, outcome in stream:
        early[place] = outcome
        while expected and expected[0] in early:
            yield early.pop(expected.popleft())

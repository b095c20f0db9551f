"""One model measured, wherever that happens: in this process, in a pool, or on a cluster."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import torch
from torch import nn

from .. import __version__
from ..capture import unwrap
from ..errors import Cancelled, DynExplorerError
from .alone import alone
from .cache import FORMAT, Cache, Kept
from .content import digest
from .look import Look
from .measures import Asked, failed, found_by
from .options import SweepOptions
from .subjects import Subject


@dataclass(frozen=True, eq=False)
class Task:
    """All that is needed to measure one model; it can travel to another process.

    Parameters
    ----------
    subject : Subject
    asked : tuple of Asked
    inputs, labels
        As for `dx.record`.
    given : str
        Digest of inputs and labels.
    options : SweepOptions
    cache : str or None
        Folder of the cache.
    device : torch.device, str or None
    """

    subject: Subject
    asked: tuple[Asked, ...]
    inputs: object
    labels: object
    given: str
    options: SweepOptions
    cache: str | None
    device: torch.device | str | None


@dataclass(frozen=True, eq=False)
class Outcome:
    """What was found in one model.

    Parameters
    ----------
    name : str
    families : tuple of (Asked, Kept)
    keys : tuple of (str or None)
        Under which each is to be kept; None where it is not.
    computed : int
        How many families were computed, and not read from the cache.
    """

    name: str
    families: tuple[tuple[Asked, Kept], ...]
    keys: tuple[str | None, ...]
    computed: int


def measure(task: Task, cancel: threading.Event | None = None) -> Outcome:
    """Measure one model; each family is kept as soon as it is computed.

    Raises
    ------
    Cancelled
        The caller asked for it.
    DynExplorerError
        The cache cannot be written.
    """
    with alone(task.options.threads):
        try:
            model = task.subject.model()
            content = digest(unwrap(model))
        except Cancelled:
            raise
        except DynExplorerError as error:
            return without_model(task, str(error))
        except Exception as error:  # noqa: BLE001 - what builds a model may raise anything
            return without_model(task, f"the model cannot be made: {type(error).__name__}: {error}")
        return _measure(task, model, content, cancel)


def without_model(task: Task, reason: str) -> Outcome:
    """An outcome that says in every row why there is none; what a run recorded is known all the same."""
    families = []
    for asked in task.asked:
        look = Look(None, None, None, task.options, "", recorded=task.subject.recorded)
        found = found_by(asked.family, look)[0] if asked.name == "run" else failed(asked.family, reason)
        families.append((asked, Kept(found, 0.0)))
    return Outcome(task.subject.name, tuple(families), (None,) * len(families), 0)


def _measure(task: Task, model: nn.Module, content: str, cancel: threading.Event | None) -> Outcome:
    look = Look(
        unwrap(model),
        task.inputs,
        task.labels,
        task.options,
        digest(content, task.given),
        task.device,
        cancel,
        task.subject.recorded,
    )
    cache = None if task.cache is None else Cache(task.cache)
    families, keys, computed = [], [], 0
    for asked in task.asked:
        look.check_cancelled()
        key = None if cache is None else _key(asked, look)
        kept = None if key is None else cache.get(key)
        if kept is None:
            began = time.perf_counter()
            findings, has_failed = found_by(asked.family, look)
            kept = Kept(findings, time.perf_counter() - began)
            computed += 1
            if has_failed:
                key = None  # what went wrong may be mended, so it is tried again
            elif key is not None:
                cache.put(key, kept)
        families.append((asked, kept))
        keys.append(key)
    return Outcome(task.subject.name, tuple(families), tuple(keys), computed)


def _key(asked: Asked, look: Look) -> str:
    """Name in the cache: it changes with everything that the numbers depend on."""
    recorded = look.recorded if asked.name == "run" else None
    return digest(FORMAT, __version__, asked.name, asked.function, look.content, look.options, recorded)

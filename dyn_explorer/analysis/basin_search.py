"""What sample and weight basins share: checked options, streams of noise, and where on the grid to look."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from dyn_explorer.analysis.basin import Basin, checked_threshold
from dyn_explorer.analysis.classifier import Classifier
from dyn_explorer.analysis.classifier_inputs import checked_inputs, checked_labels
from dyn_explorer.analysis.dmd_options import is_integer
from dyn_explorer.errors import Cancelled, DynExplorerError

SEARCHES = ("grid", "bisection")
TARGETS = ("label", "prediction")
MEMORY_BUDGET = 512 * 1024**2
# Right or wrong, (S, T, P) of bool, at these amplitudes in these draws.
Evaluate = Callable[[np.ndarray, range, "Reports"], np.ndarray]
_PILOT = 128  # noisy samples that tell roughly where the basin ends


@dataclass(frozen=True, eq=False)
class Reports:
    """How work looks out for a wish to stop, and says how far it is.

    Parameters
    ----------
    cancel : threading.Event or None
    progress : callable or None
        ``progress(done, text)``, `done` in 0..1.
    start, share : float
        Part of the whole that this work is.
    """

    cancel: threading.Event | None = None
    progress: Callable[[float, str], None] | None = None
    start: float = 0.0
    share: float = 1.0

    def part(self, start: float, share: float) -> Reports:
        """The reports of a part of this work."""
        return Reports(self.cancel, self.progress, self.start + start * self.share, share * self.share)

    def __call__(self, done: float) -> None:
        """Say that this part is so far done; raises `Cancelled` where that is wished."""
        if self.cancel is not None and self.cancel.is_set():
            raise Cancelled("the basin was cancelled; the model is as it was")
        if self.progress is not None:
            self.progress(self.start + self.share * done, "adding noise")


@dataclass(frozen=True, eq=False)
class Task:
    """A checked question about one model.

    Parameters
    ----------
    classifier : Classifier
    inputs : Tensor (P, ...)
    labels : Tensor (P,), int64, on the inputs' device
    sigmas : ndarray (S,)
    draws, seed : int
    threshold : float
    search, target : str
    notes : tuple of str
    """

    classifier: Classifier
    inputs: torch.Tensor
    labels: torch.Tensor
    sigmas: np.ndarray
    draws: int
    seed: int
    threshold: float
    search: str
    target: str
    notes: tuple[str, ...]


def checked_task(
    model: nn.Module,
    inputs: object,
    labels: object,
    *,
    floating: bool,
    sigmas: object,
    draws: int,
    seed: int,
    threshold: float | None,
    search: str,
    target: str,
    memory_budget: int,
) -> Task:
    """The options checked and the model met; raises `DynExplorerError` for what cannot be done."""
    for name, value, menu in (("search", search, SEARCHES), ("target", target, TARGETS)):
        if value not in menu:
            raise DynExplorerError(f"`{name}` (={value!r}) is unknown; choose one of {', '.join(menu)}")
    for name, value, least in (("draws", draws, 1), ("seed", seed, 0), ("memory_budget", memory_budget, 1)):
        if not is_integer(value) or value < least:
            raise DynExplorerError(f"`{name}` (={value!r}) must be a whole number of at least {least}")
    amplitudes = _checked_sigmas(sigmas)
    given = checked_inputs(inputs, model, floating=floating)
    if target == "label" and labels is None:
        checked_labels(None, len(given), 0)
    classifier = Classifier(model, given, memory_budget)
    known = classifier.predictions
    if target == "label":
        known = checked_labels(labels, len(given), classifier.n_classes)
    level, notes = checked_threshold(threshold, classifier.n_classes)
    return Task(
        classifier, given, known.to(given.device), amplitudes, int(draws), int(seed), level, search, target, notes
    )


def _checked_sigmas(sigmas: object) -> np.ndarray:
    if sigmas is None:
        return np.geomspace(1e-2, 16, 33)
    try:
        made = np.asarray(torch.as_tensor(sigmas).detach().cpu().double())
    except (TypeError, ValueError, RuntimeError):
        made = np.empty(0)
    if made.ndim != 1 or not made.size or not np.isfinite(made).all() or made[0] < 0 or (np.diff(made) <= 0).any():
        raise DynExplorerError(
            f"`sigmas` (={sigmas!r}) must be amplitudes of at least 0 in ascending order, as np.geomspace(1e-2, 16, 33)"
        )
    return made


def measure(task: Task, evaluate: Evaluate, reports: Reports, *, space: str, layers=(), scale=None, notes=()) -> Basin:
    """Run `evaluate` where the search wants to look, and put what it finds together."""
    clean = (task.classifier.predictions == task.labels.cpu()).numpy()
    looked, right = _look(task, evaluate, float(clean.mean()), reports)
    return Basin(
        space=space,
        sigmas=task.sigmas[looked],
        right=right,
        clean=clean,
        labels=task.labels.cpu().numpy(),
        n_classes=task.classifier.n_classes,
        threshold=task.threshold,
        draws=task.draws,
        seed=task.seed,
        search=task.search,
        target=task.target,
        layers=tuple(layers),
        scale=scale,
        notes=(*task.notes, *notes),
    )


def _look(task: Task, evaluate: Evaluate, clean: float, reports: Reports) -> tuple[list[int], np.ndarray]:
    if task.search == "grid":
        return list(range(len(task.sigmas))), evaluate(task.sigmas, range(task.draws), reports)
    if clean < task.threshold:
        return [], np.empty((0, task.draws, len(task.inputs)), dtype=bool)
    return _Bisection(task, evaluate, reports).look()


class _Bisection:
    """Finds neighbouring amplitudes of the grid between which the accuracy falls below the threshold.

    A few draws tell roughly where, all draws then decide: where the curve falls once the answer is the grid's own.
    """

    def __init__(self, task: Task, evaluate: Evaluate, reports: Reports) -> None:
        self._task, self._evaluate, self._reports = task, evaluate, reports
        self._few = min(task.draws, -(-_PILOT // len(task.inputs)))
        self._pilot: dict[int, np.ndarray] = {}
        self._full: dict[int, np.ndarray] = {}
        self._steps = 2 + int(np.ceil(np.log2(len(task.sigmas) + 1)))

    def look(self) -> tuple[list[int], np.ndarray]:
        """Amplitudes that were looked at with all draws, and what was found there."""
        last = len(self._task.sigmas) - 1
        below = last + 1 if self._is_above(last, self._few_draws) else last
        above = -1
        while below <= last and below - above > 1:
            middle = (below + above) // 2
            if self._is_above(middle, self._few_draws):
                above = middle
            else:
                below = middle
        while below <= last and self._is_above(below, self._all_draws):
            below += 1
        while below > 0 and not self._is_above(below - 1, self._all_draws):
            below -= 1
        looked = sorted(self._full)
        return looked, np.stack([self._full[index] for index in looked])

    def _is_above(self, index: int, look: Callable[[int], np.ndarray]) -> bool:
        return look(index).mean() >= self._task.threshold

    def _few_draws(self, index: int) -> np.ndarray:
        if index not in self._pilot:
            self._pilot[index] = self._run(index, range(self._few))
        return self._pilot[index]

    def _all_draws(self, index: int) -> np.ndarray:
        if index not in self._full:
            parts = [self._few_draws(index)]
            if self._few < self._task.draws:
                parts.append(self._run(index, range(self._few, self._task.draws)))
            self._full[index] = np.concatenate(parts)
        return self._full[index]

    def _run(self, index: int, draws: range) -> np.ndarray:
        done = min((len(self._pilot) + len(self._full)) / self._steps, 1.0)
        sigmas = self._task.sigmas[index : index + 1]
        return self._evaluate(sigmas, draws, self._reports.part(done, 0.0))[0]


def stream(*key: int) -> np.random.Generator:
    """Standard normal numbers that depend on the key only, in an order that no chunk changes."""
    return np.random.default_rng(key)


def name_key(name: str) -> int:
    """A number for a name, the same in every process."""
    return zlib.crc32(name.encode())


def normal(generator: np.random.Generator, shape: tuple[int, ...], like: torch.Tensor) -> torch.Tensor:
    """The next numbers of a stream, in single precision, as a tensor of another's type on its device."""
    return torch.from_numpy(generator.standard_normal(shape, dtype=np.float32)).to(like.device, like.dtype)

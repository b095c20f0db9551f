"""Runs of one model: kept while they last, made when a panel needs them."""

from __future__ import annotations

import traceback
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dyn_explorer import capture
from dyn_explorer.errors import DynExplorerError

from .jobs import Job

KEPT_BYTES = 1 << 30
KEPT_COURSES = 4
SEED = 0  # dropout masks of a model in train mode stay the same from one recording to the next


@dataclass(frozen=True)
class Layout:
    """How activations become snapshots; the fields are the options of `dyn_explorer.snapshots`.

    Attributes
    ----------
    axis, sample, normalise, centre, order, seed, max_columns
        As in `dyn_explorer.snapshots`.
    preset : str
        "none", or a key of `dyn_explorer.capture.PRESETS`, which then decides all the rest but the sample.
    path, steps
        Kind and number of steps of the path for axis "path".
    """

    axis: str = "channel"
    sample: int = 0
    normalise: str = "none"
    centre: bool = False
    order: str = "natural"
    seed: int = 0
    max_columns: int | None = None
    preset: str = "none"
    path: str = "rotate"
    steps: int = 32

    @property
    def options(self) -> dict:
        """Keyword arguments of `dyn_explorer.snapshots` beside axis and sample, where they differ from its own."""
        chosen = {name: getattr(self, name) for name in ("normalise", "centre", "order", "max_columns")}
        plain = Layout()
        changed = {name: value for name, value in chosen.items() if value != getattr(plain, name)}
        return {**changed, "seed": self.seed} if self.order == "random" else changed


class Memo:
    """The last few values, by key; the oldest goes first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict = OrderedDict()

    def get(self, key, make: Callable):
        """The value of `key`, made now if it is not there."""
        if key in self._values:
            self._values.move_to_end(key)
        else:
            self._values[key] = make()
            while len(self._values) > self._most:
                self._values.popitem(last=False)
        return self._values[key]

    def put(self, key, value) -> None:
        """Keep this value of `key` from now on."""
        self._values.pop(key, None)
        self.get(key, lambda: value)

    def __contains__(self, key) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator:
        return iter(list(self._values.values()))

    def clear(self) -> None:
        """Forget everything."""
        self._values.clear()


class Replay:
    """Batches of a generator that can be read again: what was read once is kept, and no more is read than is asked for.

    Examples
    --------
    >>> replay = Replay(iter([1, 2, 3]))
    >>> next(iter(replay)), list(replay)
    (1, [1, 2, 3])
    """

    def __init__(self, batches: Iterator) -> None:
        self._rest = batches
        self._read: list = []

    def __iter__(self) -> Iterator:
        yield from self._read
        for batch in self._rest:
            self._read.append(batch)
            yield batch


class Recorder:
    """Borrows one model and keeps what it has seen of it.

    Parameters
    ----------
    model : torch.nn.Module
        Never changed.
    inputs, labels, device
        As `dyn_explorer.capture.record` takes them.
    most_inputs : int
        Inputs that are looked at.
    checkpoints : mapping or None
        As `dyn_explorer.capture.record_epochs` takes them, for axis "epoch".

    Attributes
    ----------
    held : bool
        Whether nothing may be run now, because a training loop is running in another thread.
    """

    def __init__(self, model, inputs, labels, *, device, most_inputs: int, checkpoints=None) -> None:
        self.model = model
        self.inputs = inputs
        self.labels = labels
        self.checkpoints = checkpoints
        self.recording: capture.Recording | None = None
        self.failure: capture.RecordingError | None = None
        self.held = False
        self._options = {"device": device, "max_samples": most_inputs, "seed": SEED}
        self._courses = Memo(KEPT_COURSES)

    def forget(self) -> None:
        """Drop what was recorded."""
        self.recording = None
        self._courses.clear()

    def record(self, names: tuple[str, ...], job: Job) -> capture.Recording:
        """A recording that holds at least `names`.

        Where the model's forward fails after these layers have run, what they put out is still good: it is returned,
        and `failure` says what went wrong.
        """
        have = self.recording
        if have is not None and all(name in have.activations for name in names):
            return have
        self.check_free()
        # What was looked at before is recorded along, so that going back costs no forward pass, while it fits.
        kept = tuple(have.activations) if have is not None and _bytes(have) < KEPT_BYTES else ()
        wanted = list(dict.fromkeys((*kept, *names)))
        self.failure = None
        try:
            self.recording = capture.record(
                self.model, self.inputs, layers=wanted, labels=self.labels, **self._options, **_reports(job)
            )
        except capture.RecordingError as error:
            if not error.recording.activations or any(name not in error.recording.activations for name in names):
                raise
            self.recording, self.failure = error.recording, without_frames(error)
        return self.recording

    def reduced(self, names: tuple[str, ...], reduce: Callable, job: Job) -> capture.Recording:
        """A recording of what `reduce` leaves of the outputs of `names`, batch by batch; see `capture.record`."""
        self.check_free()
        return capture.record(
            self.model,
            self.inputs,
            layers=list(names),
            labels=self.labels,
            reduce=reduce,
            **self._options,
            **_reports(job),
        )

    def along(self, layout: Layout, names: tuple[str, ...], job: Job):
        """The recording that an axis reads: of the inputs, of one input on its way, or of a course of checkpoints."""
        recording = self.record(names, job)
        if layout.axis == "path":
            key = (names, layout.sample, layout.path, layout.steps)
            return self._courses.get(key, lambda: self._path(recording, layout, names, job))
        if layout.axis == "epoch":
            return self._courses.get(names, lambda: self._epochs(names, job))
        return recording

    def check_free(self) -> None:
        """Refuse to run anything while a training loop is running."""
        if self.held:
            raise DynExplorerError(
                "this is not recorded yet, and no forward pass runs beside a training loop: it comes with the next "
                "step(); once training is over, Refresh shows it."
            )

    def _path(self, recording, layout: Layout, names: tuple[str, ...], job: Job) -> capture.Recording:
        self.check_free()
        count = len(recording.inputs)
        image = recording.inputs[layout.sample]
        to = recording.inputs[(layout.sample + 1) % count] if layout.path == "morph" else None
        return capture.record_path(
            self.model,
            image,
            list(names),
            kind=layout.path,
            steps=layout.steps,
            to=to,
            device=self._options["device"],
            seed=SEED,
            **_reports(job),
        )

    def _epochs(self, names: tuple[str, ...], job: Job) -> capture.EpochRecording:
        self.check_free()
        if not self.checkpoints:
            raise DynExplorerError(
                "there are no checkpoints to go along; open the model with "
                "explore(model, inputs, checkpoints={epoch: state_dict or file, ...})."
            )
        return capture.record_epochs(
            self.model, self.checkpoints, self.inputs, list(names), self.labels, **self._options, **_reports(job)
        )


def _reports(job: Job) -> dict:
    return {"cancel": job.cancel, "progress": job.progress}


def _bytes(recording: capture.Recording) -> int:
    return sum(value.numel() * value.element_size() for value in recording.activations.values())


def without_frames(error: DynExplorerError) -> DynExplorerError:
    """The error without what its frames hold: the tensors of a failed forward pass must not stay in memory."""
    link: BaseException | None = error
    while link is not None:
        if link.__traceback__ is not None:
            traceback.clear_frames(link.__traceback__)
        link = link.__cause__
    return error

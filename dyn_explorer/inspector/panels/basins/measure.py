"""The computations behind the Basins panel, each made once per model, inputs and options."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import torch

from dyn_explorer import analysis, capture
from dyn_explorer.inspector.jobs import Job
from dyn_explorer.inspector.recorder import SEED, Memo
from dyn_explorer.inspector.source import Source, to_picture

from ..base import Settings
from .options import sigmas
from .result import Chosen, EpochBasins, NoisyPicture

KEPT = 512
OWN_DRAWS = 32
PICTURES = 5
REACH = 1.6  # of the plane, in radii
RUN = {"sample": analysis.sample_basin, "weight": analysis.weight_basin}


@dataclass(frozen=True, eq=False)
class Question:
    """What is asked about one model.

    Attributes
    ----------
    model : torch.nn.Module
    inputs : Tensor (n_inputs, ...)
        All that are looked at.
    labels : Tensor (n_inputs,) or None
    key : tuple
        Changes with the weights (its first entry) and the inputs (its second), and with nothing else.
    """

    model: torch.nn.Module
    inputs: torch.Tensor
    labels: torch.Tensor | None
    key: tuple

    @property
    def has_sample_space(self) -> bool:
        """Whether noise can be added to the inputs."""
        return self.inputs.is_floating_point()


class NotYet(Exception):
    """This was not measured yet, and was only asked for from memory."""


class Measure:
    """Basins of a source's models, from memory where they were measured before.

    Where `job` is None nothing is measured: what is not in memory raises `NotYet`.
    """

    def __init__(self) -> None:
        self._kept = Memo(KEPT)
        self._content = Memo(8)
        self._untrained = Memo(1)

    def question(self, source: Source, layers: tuple[str, ...], job: Job) -> Question:
        """The model that is looked at and its inputs."""
        recording = source.record(layers, job)
        key = self._content.get(recording.revision, lambda: _content(source.model, recording.inputs))
        return Question(source.model, recording.inputs, recording.labels, key)

    def untrained(self, source: Source, asked: Question, job: Job | None) -> Question:
        """The same about an untrained copy."""

        def make() -> torch.nn.Module:
            _ready(source, job)
            return capture.untrained_copy(source.live_model, seed=SEED)

        model = self._untrained.get(asked.key, make)
        return Question(model, asked.inputs, asked.labels, ("untrained", *asked.key))

    def basin(
        self,
        source: Source,
        asked: Question,
        space: str,
        settings: Settings,
        job: Job | None,
        *,
        search: str = "bisection",
        **options,
    ) -> analysis.Basin:
        """A basin, cut at the chosen threshold; where the whole curve is known it needs no bisection."""
        chosen = {"draws": settings.draws, "seed": settings.seed, "target": settings.target, **options}
        common = (asked.key, space, settings.images, settings.points, *sorted(chosen.items()))
        threshold = settings.threshold
        if (*common, "grid") in self._kept:
            search = "grid"
        key = (*common, "grid") if search == "grid" else (*common, threshold)

        def make() -> analysis.Basin:
            _ready(source, job)
            labels = None if asked.labels is None else asked.labels[: settings.images]
            return RUN[space](
                asked.model,
                asked.inputs[: settings.images],
                labels,
                sigmas=sigmas(settings.points),
                threshold=None if search == "grid" else threshold,
                search=search,
                cancel=job.cancel,
                progress=job.progress,
                **chosen,
            )

        found = self._kept.get(key, make)
        return found.at_threshold(threshold) if search == "grid" and threshold is not None else found

    def chosen(self, source: Source, asked: Question, settings: Settings, job: Job) -> Chosen:
        """What is shown of the chosen sample."""
        sample = min(settings.sample, len(asked.inputs) - 1)
        label = None if asked.labels is None else asked.labels[sample : sample + 1]
        key = (asked.key, "sample", sample, settings.points, settings.target, settings.seed)

        def make() -> tuple[analysis.Basin, analysis.BasinPlane]:
            source.check_free()
            basin = analysis.sample_basin(
                asked.model,
                asked.inputs[sample : sample + 1],
                label,
                sigmas=sigmas(settings.points),
                draws=OWN_DRAWS,
                seed=settings.seed,
                target=settings.target,
                cancel=job.cancel,
            )
            image = asked.inputs[sample]
            plane = analysis.basin_plane(asked.model, image, extent=extent(basin.half_width), seed=settings.seed)
            return basin, plane

        basin, plane = self._kept.get(key, make)
        if settings.threshold is not None:
            basin = basin.at_threshold(settings.threshold)
        key = (asked.key, "pictures", sample, settings.sigma, settings.seed, settings.target)
        pictures = self._kept.get(key, lambda: _pictures(source, asked, sample, basin, settings))
        return Chosen(sample, basin, plane, pictures)

    def epoch(self, source: Source, asked: Question, epoch: int, settings: Settings, job: Job | None) -> EpochBasins:
        """Both basins of the weights of an epoch, on the same inputs and under the same noise."""
        history = source.history
        options = (settings.images, settings.draws, settings.seed, settings.target, settings.points, settings.threshold)
        key = ("epoch", id(history), epoch, asked.key[1], *options)

        def make() -> EpochBasins:
            _ready(source, job)
            model = capture.copy_with(source.live_model, history.state(epoch), f"epoch {epoch}")
            then = Question(model, asked.inputs, asked.labels, key)
            spaces = ("sample", "weight") if asked.has_sample_space else ("weight",)
            found = {space: self.basin(source, then, space, settings, job) for space in spaces}
            sample = found["sample"].half_width if "sample" in found else float("nan")
            return EpochBasins(epoch, sample, found["weight"].half_width, found["weight"].clean_accuracy)

        return self._kept.get(key, make)


def extent(half_width: float) -> float:
    """Half the side of the plane: a little more than the circle's radius, or 1 where there is none."""
    return REACH * half_width if 0 < half_width < np.inf else 1.0


def _ready(source: Source, job: Job | None) -> None:
    if job is None:
        raise NotYet
    source.check_free()


def _pictures(source: Source, asked: Question, sample: int, basin, settings: Settings) -> tuple[NoisyPicture, ...]:
    clean = asked.inputs[sample]
    if to_picture(clean.cpu().float().numpy()) is None:
        return ()
    source.check_free()
    # The noise of this sample in the curve: it stands behind that of the samples before it.
    noisy = analysis.noisy_inputs(asked.inputs[: sample + 1], sigma=settings.sigma, draws=PICTURES, seed=settings.seed)
    shown = torch.cat([clean[None], noisy[:, -1]])
    answers = analysis.predicted_classes(asked.model, shown)
    captions = ["no noise", *(f"draw {draw + 1}" for draw in range(PICTURES))]
    return tuple(
        NoisyPicture(f"{caption}: {answer}", to_picture(image), bool(answer == basin.labels[0]))
        for caption, answer, image in zip(captions, answers, shown.cpu().float().numpy(), strict=True)
    )


def _content(model: torch.nn.Module, inputs: torch.Tensor) -> tuple[int, int]:
    """What basins depend on; recording another layer changes the revision of a recording, but not this."""
    return _crc(model.state_dict().values()), _crc([inputs])


def _crc(tensors) -> int:
    total = 0
    for tensor in tensors:
        if isinstance(tensor, torch.Tensor):
            plain = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
            total = zlib.crc32(plain.numpy(), total)
    return total

"""The controls of the Training panel."""

from __future__ import annotations

from dyn_explorer import demo
from dyn_explorer.inspector.controls import grouped, menu, slider, stops, toggle

from ..base import Settings
from .drawing import NUMBERS
from .options import FOLLOW, METRIC_MENU, NULLS, OF_THE_LOOP, OPTIMISERS, RUNS, SCALAR_MENU
from .result import TrainingResult


def controls(settings: Settings, result: TrainingResult | None) -> list[dict]:
    """Descriptions of the controls, in two groups."""
    return grouped("Training", _training(settings, result)) + grouped("Synchrony", _synchrony(settings))


def _training(settings: Settings, result: TrainingResult | None) -> list[dict]:
    bundled = settings.runs == "bundled"
    made = [menu("training.runs", "Runs", settings.runs, list(RUNS))]
    if bundled:
        made.append(menu("training.optimiser", "Optimiser", settings.optimiser, list(OPTIMISERS)))
    made += [
        menu("training.metric", "Metric", settings.metric, list(METRIC_MENU)),
        menu("training.scalar", "Another measure", settings.scalar, _scalars(settings, result)),
        slider("training.images", "Images", settings.images, 2, 64, 1, "Images that each mean is over.", digits=0),
    ]
    if result is not None and len(result.runs) > 1:
        names = [(place, run.name, "Its phases and volatility.") for place, run in enumerate(result.runs)]
        made.append(menu("training.detail", "In detail", result.detail, names, "Run whose phases are shown."))
    if bundled:
        hint = "Of the phases and the marks; the bundled runs are of another model."
        made.append(slider("training.at", "Epoch", settings.at, 0, demo.RUN_LENGTH, 1, hint, digits=0))
    elif settings.limits.epochs:
        places = [*((epoch, str(epoch)) for epoch in settings.limits.epochs), (None, "now")]
        hint = "Every panel shows the weights of this epoch, where they were kept."
        made.append(stops("epoch", "Epoch", settings.epoch, places, hint))
    return made


def _scalars(settings: Settings, result: TrainingResult | None) -> list[tuple[str, str, str]]:
    """The measures of other panels, and the further numbers of the loops."""
    runs = () if result is None else result.runs
    numbers = dict.fromkeys(name for run in runs for name in run.histories[0].metrics if name not in NUMBERS)
    chosen = settings.scalar.removeprefix(OF_THE_LOOP)
    if chosen != settings.scalar:
        numbers[chosen] = None  # stays in the menu where these runs do not have it
    loop = [(OF_THE_LOOP + name, f"Loop: {name}", "As the training loop gave it.") for name in numbers]
    return [*SCALAR_MENU, *loop]


def _synchrony(settings: Settings) -> list[dict]:
    made = [
        menu("training.follow", "Follow", settings.follow, list(FOLLOW)),
        menu("training.null", "Null", settings.null, list(NULLS)),
    ]
    if settings.follow == "epoch":
        hint = "Epochs that each value looks back on."
        made.append(slider("training.window_epochs", "Window", settings.window_epochs, 6, 500, 1, hint, digits=0))
    hint = "Below 50 steps integration does not tell long memory from a trend; this shows it all the same."
    return [*made, toggle("training.force", "Show below 50 steps", settings.force, hint)]

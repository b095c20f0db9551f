"""What can be chosen in the Training panel, with a sentence on each."""

from __future__ import annotations

from traitlets import CInt, Enum, HasTraits

from ..dynamics.tables import METRICS

RUNS = (
    ("own", "This model", "What explore(model, inputs, history=history) was given."),
    (
        "bundled",
        "Bundled (digits)",
        "The demo network trained on the digits and, as the null of learning, on shuffled labels; three seeds each.",
    ),
)
METRIC_MENU = tuple((name, label, hint) for name, label, hint in METRICS)
SHUFFLES = 4
SHUFFLED_IMAGES = 3
NO_HISTORY = (
    "There is no history of a training run here. Record one in the training loop: "
    "history = dx.History(model, probe_inputs, checkpoints=True); history.record(epoch=epoch, loss=loss) at the end of "
    "each epoch; then dx.explore(model, inputs, history=history). Or choose the bundled runs at the left."
)


class TrainingOptions(HasTraits):
    """Which runs are shown, and which metric of their dynamics."""

    runs = Enum([key for key, _, _ in RUNS], "own")
    metric = Enum([key for key, _, _ in METRIC_MENU], "entropy_share")
    images = CInt(8, min=2, max=64)

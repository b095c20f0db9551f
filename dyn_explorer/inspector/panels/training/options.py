"""What can be chosen in the Training panel, with a sentence on each."""

from __future__ import annotations

from traitlets import Bool, CInt, Enum, HasTraits, TraitError, Unicode, validate

from dyn_explorer import demo
from dyn_explorer.inspector.histories import MOST
from dyn_explorer.sweeps.measures import FOLLOWED

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
OPTIMISERS = (("adam", "Adam", "Bundled runs that Adam trained."), ("sgd", "SGD", "With momentum 0.9."))
FOLLOW = (
    (
        "epoch",
        "Layers over epochs",
        "Each layer, the mean over the probe inputs, is an oscillator; the last epochs of the window are the steps.",
    ),
    (
        "depth",
        "Inputs over depth",
        "Each probe input is an oscillator, and the layers are the steps, epoch by epoch; this takes 50 layers.",
    ),
)
NULLS = (
    ("shuffle", "Steps shuffled", "Keeps every value and takes the order away."),
    ("phase_randomised", "Phases randomised", "Keeps the power spectrum and takes everything else away."),
    ("circular_shift", "Rows shifted", "Keeps each oscillator and takes away what happens at the same step."),
)
NO_SCALAR = "none"
OF_THE_LOOP = "run_"
SCALAR_MENU = (
    (NO_SCALAR, "None", "A further line over the epochs: any measure of another panel, or number of the loop."),
    *(
        (measure, f"{family.title}: {family.words[measure].label}", family.words[measure].help)
        for measure, family in FOLLOWED.items()
    ),
)
DRAWS = 20
VOLATILITY_WINDOW = 5
SHUFFLES = 4
SHUFFLED_IMAGES = 3
NO_HISTORY = (
    "There is no history of a training run here. Record one in the training loop: "
    "history = dx.History(model, probe_inputs, checkpoints=True); history.record(epoch=epoch, loss=loss) at the end of "
    "each epoch; then dx.explore(model, inputs, history=history). Or choose the bundled runs at the left."
)


class TrainingOptions(HasTraits):
    """Which runs are shown, which metric of their dynamics, and along what synchrony is measured."""

    runs = Enum([key for key, _, _ in RUNS], "own")
    metric = Enum([key for key, _, _ in METRIC_MENU], "entropy_share")
    images = CInt(8, min=2, max=64)
    optimiser = Enum([key for key, _, _ in OPTIMISERS], "adam")
    at = CInt(demo.RUN_LENGTH, min=0, max=demo.RUN_LENGTH)
    follow = Enum([key for key, _, _ in FOLLOW], "epoch")
    window_epochs = CInt(58, min=6, max=1000)
    null = Enum([key for key, _, _ in NULLS], "shuffle")
    force = Bool(False)
    scalar = Unicode(NO_SCALAR)
    detail = CInt(0, min=0, max=MOST - 1)

    @validate("scalar")
    def _check_scalar(self, proposal: dict) -> str:
        name = proposal["value"]
        if name != NO_SCALAR and name not in FOLLOWED and not name.startswith(OF_THE_LOOP):
            known = f"{NO_SCALAR}, {', '.join(FOLLOWED)}, or {OF_THE_LOOP} and the name of a number of the loop"
            raise TraitError(f"it is none of {known}")
        return name

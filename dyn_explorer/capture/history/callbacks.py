"""A history in other people's training loops: PyTorch Lightning and the Hugging Face Trainer."""

from __future__ import annotations

import numbers
from typing import TYPE_CHECKING

from dyn_explorer.errors import DynExplorerError

if TYPE_CHECKING:
    from pytorch_lightning import Callback
    from transformers import TrainerCallback

    from .history import History


def lightning_callback(history: History) -> Callback:
    """A callback that records at the end of every training epoch, with every metric that was logged.

    The classes are made when they are asked for, because both packages are slow to import and neither is needed here.
    """
    base = _lightning_base()

    class RecordHistory(base):
        def on_train_epoch_end(self, trainer: object, pl_module: object) -> None:  # noqa: ARG002 - Lightning's names
            logged = {name: float(value) for name, value in trainer.callback_metrics.items()}
            history.record(epoch=trainer.current_epoch, **_named(logged))

    return RecordHistory()


def trainer_callback(history: History) -> TrainerCallback:
    """A callback that records once an epoch and its evaluation are over, with every number that was logged for it."""
    try:
        from transformers import TrainerCallback
    except ImportError as error:
        raise _missing("transformers", "transformers") from error

    class RecordHistory(TrainerCallback):
        # The Trainer logs and evaluates after `on_epoch_end`; the next epoch's beginning is when the numbers are there,
        # and the weights are still those of the epoch's end.
        def on_epoch_begin(self, args: object, state: object, control: object, **_others: object) -> None:  # noqa: ARG002
            if state.global_step:
                self._record(state)

        def on_train_end(self, args: object, state: object, control: object, **_others: object) -> None:  # noqa: ARG002
            self._record(state)

        def _record(self, state: object) -> None:
            epoch = round(state.epoch)
            logged: dict[str, float] = {}
            for line in state.log_history:
                if epoch - 1 < line.get("epoch", -1) <= epoch:
                    logged |= {name: value for name, value in line.items() if isinstance(value, numbers.Real)}
            history.record(epoch=epoch, **_named(logged))

    return RecordHistory()


def _lightning_base() -> type:
    try:
        from lightning.pytorch import Callback
    except ImportError:
        try:
            from pytorch_lightning import Callback
        except ImportError as error:
            raise _missing("PyTorch Lightning", "lightning") from error
    return Callback


def _named(logged: dict[str, float]) -> dict[str, float]:
    """The numbers under names of a history: the epoch goes apart, and a lone training loss or accuracy is that."""
    numbers_ = {name: value for name, value in logged.items() if name != "epoch"}
    for name in ("loss", "accuracy"):
        if name not in numbers_ and f"train_{name}" in numbers_:
            numbers_[name] = numbers_.pop(f"train_{name}")
    return numbers_


def _missing(package: str, name: str) -> DynExplorerError:
    return DynExplorerError(
        f"{package} is not installed, so there is no loop to follow; install it: pip install {name}"
    )

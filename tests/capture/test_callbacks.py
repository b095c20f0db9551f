"""Histories recorded by PyTorch Lightning and by the Hugging Face Trainer."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

from dyn_explorer import DynExplorerError, History

torch.manual_seed(0)
INPUTS = torch.randn(24, 6)
LABELS = (INPUTS[:, 0] > 0).long()


# Lightning's own: it asks torch's pytree in an older way, and advises about workers and logs.
@pytest.mark.filterwarnings("ignore")
def test_lightning_records_every_epoch_with_what_it_logs(tmp_path):
    import pytorch_lightning as lightning

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 2))
            self.weights_at_end = []

        def forward(self, x):
            return self.net(x)

        def training_step(self, batch, _index):
            loss = nn.functional.cross_entropy(self(batch[0]), batch[1])
            self.log("train_loss", loss, on_epoch=True, on_step=False)
            return loss

        def validation_step(self, batch, _index):
            self.log("val_loss", nn.functional.cross_entropy(self(batch[0]), batch[1]))

        def on_train_epoch_end(self):
            self.weights_at_end.append(self.net[0].weight.detach().clone())

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    module = Module()
    history = History(module, INPUTS[:5], layers=["net.0", "net.2"], checkpoints=True)
    trainer = lightning.Trainer(
        max_epochs=3,
        callbacks=[history.lightning_callback()],
        default_root_dir=tmp_path,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    loader = DataLoader(TensorDataset(INPUTS, LABELS), batch_size=24)
    trainer.fit(module, loader, loader)
    assert history.epochs == (0, 1, 2)
    assert set(history.metrics) == {"loss", "val_loss"}
    assert (np.diff(history.metrics["loss"]) < 0).all()
    for epoch, weight in enumerate(module.weights_at_end):
        assert torch.equal(history.state(epoch)["net.0.weight"], weight)


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 2))

    def forward(self, x, labels=None):
        scores = self.net(x)
        loss = None if labels is None else nn.functional.cross_entropy(scores, labels)
        return {"loss": loss, "logits": scores} if loss is not None else {"logits": scores}


class Rows(Dataset):
    def __len__(self) -> int:
        return len(INPUTS)

    def __getitem__(self, index):
        return {"x": INPUTS[index], "labels": LABELS[index]}


def test_the_trainer_records_every_epoch_with_its_evaluation(tmp_path):
    from transformers import Trainer, TrainingArguments

    model = Net()
    history = History(model, INPUTS[:5], layers=["net.0"], checkpoints=True)
    arguments = TrainingArguments(
        output_dir=str(tmp_path),
        num_train_epochs=3,
        per_device_train_batch_size=8,
        learning_rate=0.05,
        eval_strategy="epoch",
        logging_strategy="epoch",
        save_strategy="no",
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
        dataloader_pin_memory=False,
    )
    trainer = Trainer(
        model, arguments, train_dataset=Rows(), eval_dataset=Rows(), callbacks=[history.trainer_callback()]
    )
    trainer.train()
    assert history.epochs == (1, 2, 3)
    losses = [line["loss"] for line in trainer.state.log_history if "loss" in line]
    evaluations = [line["eval_loss"] for line in trainer.state.log_history if "eval_loss" in line]
    assert history.metrics["loss"].tolist() == losses
    assert history.metrics["eval_loss"].tolist() == evaluations
    # The evaluation was of the weights that were kept.
    kept = Net()
    kept.load_state_dict(history.state(2))
    assert kept(INPUTS, LABELS)["loss"].item() == pytest.approx(evaluations[1], rel=1e-4)


def test_a_missing_package_is_named_with_the_way_to_get_it(monkeypatch):
    history = History(Net(), INPUTS[:5])
    for name in ("lightning.pytorch", "pytorch_lightning", "transformers"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(DynExplorerError, match=r"PyTorch Lightning is not installed.*pip install lightning"):
        history.lightning_callback()
    with pytest.raises(DynExplorerError, match=r"transformers is not installed.*pip install transformers"):
        history.trainer_callback()

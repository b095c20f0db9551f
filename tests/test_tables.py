"""The table says what the steps say, one by one."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch
from torch import nn

import dyn_explorer as dx
from dyn_explorer.errors import Cancelled

METRICS = list(dx.analysis.DynamicsMetrics.__dataclass_fields__)


@pytest.fixture
def model() -> nn.Sequential:
    net = nn.Sequential(nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 12, 3), nn.Flatten())
    return net.append(nn.Linear(12 * 8 * 8, 3)).eval()


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randn(5, 1, 12, 12)


@pytest.mark.parametrize("axis", ["channel", "position"])
@pytest.mark.parametrize("batch_size", [2, 16])
def test_every_number_is_that_of_the_steps_one_by_one(model, images, axis, batch_size):
    options = {"normalise": "l2", "max_columns": 9}
    table = dx.metrics_table(
        model, images, ["3", "0"], axis=axis, rank=4, snapshot_options=options, batch_size=batch_size
    )
    assert list(zip(table["sample"], table["layer"], strict=True)) == [(s, n) for s in range(5) for n in ("0", "3")]
    recording = dx.record(model, images)
    for row in table.itertuples():
        made = dx.snapshots(recording, row.layer, axis, row.sample, **options)
        metrics = dx.analysis.dynamics_metrics(dx.analysis.dmd(made.matrix, rank=4))
        assert (row.n_snapshots, row.dropped) == (made.matrix.shape[1], len(made.dropped))
        np.testing.assert_allclose([getattr(row, name) for name in METRICS], [*metrics.as_dict().values()], rtol=1e-3)
        assert row.error is None


def test_labels_and_samples_find_their_rows(model, images):
    seen = []
    table = dx.metrics_table(
        model,
        images,
        "0",
        labels=[7, 8, 9, 6, 5],
        samples=[4, 1],
        batch_size=2,
        progress=lambda done, text: seen.append(done),
    )
    assert table["sample"].tolist() == [1, 4]
    assert table["label"].tolist() == [8, 5]
    assert seen == [0.5, 1.0]


def test_an_iterable_of_batches_is_read_to_its_end(model, images):
    table = dx.metrics_table(model, iter([images[:3], images[3:]]), "0")
    expected = dx.metrics_table(model, images, "0")
    np.testing.assert_allclose(table[METRICS], expected[METRICS], rtol=1e-3)
    with pytest.raises(dx.DynExplorerError, match="the inputs end before it"):
        dx.metrics_table(model, iter([images]), "0", samples=[9])


def test_what_cannot_be_decomposed_is_a_row_with_the_reason(model, images):
    images[1] = 0.0
    with torch.no_grad():
        model[0].bias.zero_()
    table = dx.metrics_table(model, images[:2], rank=4).set_index(["sample", "layer"])
    assert "one value per channel" in table.loc[(0, "5"), "error"]
    assert "dead units" in table.loc[(1, "0"), "error"]
    assert table.loc[(0, "0"), "error"] is None
    assert table.loc[(1, "0"), METRICS].isna().all()
    assert table["label"].isna().all()


def test_a_rank_too_high_for_one_layer_leaves_the_others(model, images):
    table = dx.metrics_table(model, images, ["0", "3"], rank=10).set_index("layer")
    assert table.loc["0", "error"].str.contains("must lie in 1..7").all()
    assert table.loc["0", "n_snapshots"].eq(8).all()
    assert table.loc["3", "rank"].eq(10).all()


def test_cancel_stops_between_images(model, images):
    cancel, seen = threading.Event(), []

    def progress(done: float, text: str) -> None:
        seen.append(done)
        cancel.set()

    with pytest.raises(Cancelled):
        dx.metrics_table(model, images, "0", cancel=cancel, progress=progress)
    assert seen == [0.2]


def test_the_model_is_given_back_as_it_was(model, images):
    model.train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    dx.metrics_table(model, images, batch_size=2, samples=range(4))
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert model.training
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"axis": "sample"}, "`axis` .='sample'. is unknown; choose one of: channel, position"),
        ({"method": "exakt"}, "`method` .='exakt'. is unknown"),
        ({"snapshot_options": {"normalize": "l2"}}, "unknown 'normalize'; the nearest names are: normalise"),
        ({"snapshot_options": {"order": "up"}}, "`order` .='up'. is unknown"),
        ({"stable_tol": -1}, "`tol` .=-1. must be"),
        ({"samples": []}, "`samples` is empty"),
        ({"samples": [5]}, "`samples` holds 5; each must be a whole number in 0..4"),
        ({"layers": "conv"}, "unknown layer 'conv'"),
    ],
)
def test_what_would_fail_in_every_row_is_refused_at_once(model, images, options, message):
    with pytest.raises(dx.DynExplorerError, match=message):
        dx.metrics_table(model, images, **options)

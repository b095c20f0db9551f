"""Several runs of one's own, compared in the Training panel."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from dyn_explorer import DynExplorerError, History
from dyn_explorer.inspector.histories import named_histories


def make_run(model, probe, epochs, *, slope=1.0, layers=("0", "1", "2"), **options):
    history = History(model, probe, layers=list(layers), **options)
    for epoch in epochs:
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.05 * torch.randn_like(parameter))
        history.record(epoch=epoch, loss=slope / (epoch + 1), accuracy=epoch / 10)
    return history


@pytest.fixture
def runs(model, digits):
    first = make_run(model, digits[0][:8], range(8), checkpoints=4)
    return first, make_run(model, digits[0][:6], range(0, 14, 2), slope=3.0, checkpoints=3)


def test_two_runs_are_drawn_with_their_names_on_one_axis_of_epochs(open_inspector, model, digits, runs):
    history = {"plain": runs[0], "other": runs[1]}
    inspector = open_inspector(model, history=history).wait(60)
    inspector.options("training", images=2)
    inspector.panel = "training"
    result = inspector.wait(60).results["training"]
    assert [run.name for run in result.runs] == ["plain", "other"]
    assert result.epochs.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12]
    views = inspector._panels["training"].views
    assert views["loss"].summary == ("loss against epoch: plain goes from 1 to 0.125; other goes from 3 to 0.231.")
    rows = views["loss"].rows.data
    drawn = {
        name: [epoch for epoch, who, y in zip(rows["epoch"], rows["name"], rows["y"], strict=True)
               if who == name and np.isfinite(y)]
        for name in history
    }  # fmt: skip
    assert drawn == {name: list(run.epochs) for name, run in history.items()}
    for name in ("accuracy", "integration", "index", "scalar"):
        assert views[name].figure.x_range is views["loss"].figure.x_range
    assert set(views["plane"].rows.data["name"]) == {"plain", "other"}
    assert set(result.portraits) == {"plain", "other"}
    legend = inspector._outbox.sections["panels"]["cards"][0]["legend"]
    assert [(mark, name) for mark, _, name in legend] == [("●", "plain"), ("▲", "other")]

    names = {"model": model, "inputs": digits[0], "history": history}
    exec(inspector.code(), names)
    table = inspector.table().set_index(["run", "epoch"])
    for name in history:
        means = names["trends"][name].groupby("epoch")["entropy_share"].mean()
        assert table.loc[name, "entropy_share"].dropna().tolist() == pytest.approx(means.tolist(), rel=1e-10)
    assert inspector.table()["epoch"].tolist() == [*runs[0].epochs, *runs[1].epochs]


def test_phases_are_those_of_the_run_that_is_chosen_in_detail(open_inspector, model, runs):
    inspector = open_inspector(model, history=list(runs)).wait(60)
    inspector.options("training", images=2)
    inspector.panel = "training"
    inspector.wait(60)
    views = inspector._panels["training"].views
    assert views["wheel"].summary.startswith("run 1, epoch 7: ")
    inspector.options("training", detail=1)
    result = inspector.wait(60).results["training"]
    assert views["wheel"].summary.startswith("run 2, epoch 12: ")
    assert all(name.startswith("run 2: ") for name in views["volatility"].rows.data["name"])
    assert result.detailed.name == "run 2"
    inspector.options("training", detail=3)  # as many as there can be; there are two
    assert inspector.wait(60).results["training"].detailed.name == "run 2"


def test_a_mark_chooses_the_epoch_that_it_stands_for(open_inspector, model, runs):
    from fake_browser import FakeBrowser

    inspector = open_inspector(model, history=list(runs)).wait(60)
    inspector.panel = "training"
    inspector.wait(60)
    browser = FakeBrowser(inspector)
    browser.settle()
    rows = inspector._panels["training"].views["loss"].rows
    (place,) = [
        k for k, (name, epoch) in enumerate(zip(rows.data["name"], rows.data["epoch"], strict=True))
        if (name, epoch) == ("run 2", 4)
    ]  # fmt: skip
    browser.touch(rows.selected, indices=[place])
    browser.settle()
    assert inspector.epoch == 4
    (place,) = [
        k for k, (name, epoch) in enumerate(zip(rows.data["name"], rows.data["epoch"], strict=True))
        if (name, epoch) == ("run 2", 12)
    ]  # fmt: skip
    browser.touch(rows.selected, indices=[place])
    browser.settle()
    assert inspector.epoch == 4
    assert "`epoch` (=12) must be None or an epoch of the history" in browser.sections["status"]["text"]


def test_step_records_into_the_first(open_inspector, model, runs):
    inspector = open_inspector(model, history=list(runs)).wait(60)
    inspector.panel = "training"
    inspector.wait(60)
    inspector.step(epoch=8, loss=0.1)
    result = inspector.wait(60).results["training"]
    assert runs[0].epochs[-1] == 8
    assert runs[1].epochs[-1] == 12
    assert [len(run.number("loss")[0]) for run in result.runs] == [9, 7]


def test_weights_of_another_model_are_said_and_the_curves_are_there(open_inspector, model, digits, runs):
    torch.manual_seed(0)
    other = nn.Sequential(nn.Conv2d(1, 5, 3), nn.ReLU(), nn.Flatten(), nn.Linear(5 * 36, 10))
    wide = make_run(other, digits[0][:4], range(3), layers=["0", "3"], checkpoints=True)
    inspector = open_inspector(model, history={"mine": runs[0], "wide": wide}).wait(60)
    inspector.options("training", images=2, scalar="stable_rank")
    inspector.panel = "training"
    result = inspector.wait(60).results["training"]
    mine, its = result.runs
    assert mine.trends
    assert not its.trends
    assert result.reason.startswith("wide: 3 epochs from 0 to 2 could not be measured: ")
    views = inspector._panels["training"].views
    assert "wide goes from 1 to 0.333" in views["loss"].summary
    assert "mine goes from" in views["trend"].summary
    assert "could not be measured" in views["trend"].summary
    assert np.isfinite(result.scalars[0].values).all()
    assert result.scalars[1].reason
    assert "wide: " in views["scalar"].summary


def test_the_epoch_of_the_first_run_is_in_the_code_of_the_other_panels(open_inspector, model, digits, runs):
    inspector = open_inspector(model, labels=digits[1], history={"a": runs[0], "b": runs[1]}).wait(60)
    inspector.epoch = 4
    inspector.panel = "filters"
    inspector.wait(60)
    assert "history['a'].state(4)" in inspector.code()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], r"holds 0 runs; give 1 to 4"),
        ({}, r"holds 0 runs; give 1 to 4"),
        ([None, None], r"holds None as 'run 1', which must be a History"),
        ({"a": 3}, r"holds 3 as 'a', which must be a History"),
        ("folder", r"`history` \(='folder'\) must be a History: .* dx.History.load"),
    ],
)
def test_what_is_no_run_is_refused(given, message):
    with pytest.raises(DynExplorerError, match=message):
        named_histories(given)


def test_the_same_run_twice_and_too_many_are_refused(model, digits):
    made = [History(model, digits[0][:2]) for _ in range(5)]
    with pytest.raises(DynExplorerError, match="same run as 'run 1' and as 'run 2'; give two different"):
        named_histories([made[0], made[0]])
    with pytest.raises(DynExplorerError, match="holds 5 runs; give 1 to 4"):
        named_histories(made)

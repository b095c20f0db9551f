"""A sweep says what the measures say one by one, computes nothing twice, and goes on where one fails."""

from __future__ import annotations

import threading

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import dyn_explorer as dx
from dyn_explorer import DynExplorerError, analysis
from dyn_explorer.errors import Cancelled
from dyn_explorer.sweeps.content import digest

COLUMNS = ["model", "layer", "measure", "value", "null", "n", "seconds", "error"]


def numbers(table: pd.DataFrame) -> pd.DataFrame:
    return table.drop(columns="seconds")


def one(table: pd.DataFrame, model: str, measure: str, layer: str = "") -> pd.Series:
    (row,) = table[(table.model == model) & (table.measure == measure) & (table.layer == layer)].itertuples()
    return row


def test_every_number_is_that_of_the_measure_itself(models, images, labels):
    table = dx.sweep(models, images, labels, samples=3)
    assert list(table.columns) == COLUMNS
    assert table.model.drop_duplicates().tolist() == list(models)
    assert table.error.isna().all()
    for name, model in models.items():
        with torch.no_grad():
            right = (model(images).argmax(1) == labels).double().mean().item()
        assert one(table, name, "accuracy").value == right
        assert one(table, name, "parameters").value == sum(p.numel() for p in model.parameters())
        assert (one(table, name, "depth").value, one(table, name, "width").value) == (3, 5)
        expected = (
            dx.metrics_table(model, images, ["0", "2"], samples=range(3)).groupby("layer")["entropy_share"].mean()
        )
        for layer in ("0", "2"):
            found = one(table, name, "entropy_share", layer)
            assert found.value == pytest.approx(expected[layer], rel=1e-6)
            assert found.n == 3
        links = analysis.link_weights(model[2].weight, model[2].bias)
        assert one(table, name, "link_std", "2").value == links.std
        values = np.linalg.svd(model[2].weight.detach().numpy().reshape(6, -1), compute_uv=False)
        found = one(table, name, "stable_rank", "2")
        assert found.value == pytest.approx((values**2).sum() / values[0] ** 2, rel=1e-5)
        assert 1 <= found.null <= 6
        layer = analysis.AffineLayer(model[0].weight, model[0].bias, (1, 8, 8), padding=1)
        strengths = analysis.node_strength([layer], boundary_links=False)
        assert one(table, name, "in_strength_fluctuation", "0").value == analysis.layer_fluctuation(strengths)[1]


def test_the_null_of_accuracy_is_the_mean_over_orders_of_the_labels(models, images, labels):
    found = dx.sweep(models, images, labels, "accuracy")
    generator = np.random.default_rng(0)
    for name, model in models.items():
        guesses = model(images).argmax(1).numpy()
        drawn = [(guesses == generator.permutation(labels.numpy())).mean() for _ in range(4000)]
        assert one(found, name, "accuracy").null == pytest.approx(np.mean(drawn), abs=0.01)


def test_nulls_depend_on_content_and_nothing_else(images):
    from nets import small

    first = dx.sweep({"a": small(0), "b": small(1)}, images, measures="dynamics", samples=2)
    again = dx.sweep({"b": small(1)}, images, measures=["link_std", "entropy_share"], samples=2)
    alone = again[again.measure == "entropy_share"].null.tolist()
    assert alone == first[(first.model == "b") & (first.measure == "entropy_share")].null.tolist()
    other = dx.sweep({"b": small(1)}, images, measures="entropy_share", samples=2, seed=1)
    assert alone != other.null.tolist()


def test_models_are_given_back_as_they_were(models, images, labels):
    model = models["net 0"].train()
    before = {name: value.clone() for name, value in model.state_dict().items()}

    def meddle(model, inputs, labels):
        model[0].weight.data.zero_()
        assert not model.training
        return 1

    dx.sweep(models, images, labels, ["accuracy", "dynamics", meddle], samples=2)
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


# ---------------------------------------------------------------- kinds of models


def test_a_checkpoint_and_its_builder(tmp_path, images):
    from nets import small
    from safetensors.torch import save_file

    model = small(5)
    save_file(model.state_dict(), tmp_path / "a.safetensors")
    torch.save(model.state_dict(), tmp_path / "b.pt")
    given = {
        "module": model,
        "safetensors": (tmp_path / "a.safetensors", small),
        "torch": (small, str(tmp_path / "b.pt")),
        "architecture": (tmp_path / "a.safetensors", small(0)),
    }
    table = dx.sweep(given, images, measures="dynamics", samples=2)
    parts = [numbers(part).drop(columns="model").reset_index(drop=True) for _, part in table.groupby("model")]
    assert len(parts) == 4
    for part in parts[1:]:
        pd.testing.assert_frame_equal(part, parts[0], check_exact=True)


class Dangerous:
    """What a pickle may do when it is loaded."""

    def __reduce__(self):
        return (exec, ("raise SystemError('this code was run')",))


def test_a_pickle_is_refused_with_the_reason(tmp_path, images):
    from nets import small

    torch.save({"weight": Dangerous()}, tmp_path / "bad.pt")
    table = dx.sweep({"bad": (tmp_path / "bad.pt", small), "good": small()}, images, measures=["depth"])
    assert "is refused: it holds a pickle" in one(table, "bad", "depth").error
    assert "safetensors" in one(table, "bad", "depth").error
    assert one(table, "good", "depth").value == 3


def test_a_history_is_one_model_per_epoch_with_weights(images, labels):
    history = dx.demo.history("true", 1)
    table = dx.sweep({"run": (history, dx.demo.small_cnn)}, images, labels, "run")
    assert table.model.drop_duplicates().tolist() == [f"run, epoch {epoch}" for epoch in history.checkpoint_epochs]
    recorded = table[table.measure == "run_test_accuracy"].value.tolist()
    assert recorded == history.table().query("checkpoint").test_accuracy.tolist()
    test_images, test_labels = dx.demo.digits("test")
    measured = dx.sweep({"run": (history, dx.demo.small_cnn)}, test_images, test_labels, "accuracy").value
    assert measured.tolist() == pytest.approx(recorded, abs=0.01)


def test_a_history_without_a_builder_says_what_it_needs(images, labels):
    table = dx.sweep({"run": dx.demo.history()}, images, labels)
    assert one(table, "run, epoch 8", "run_accuracy").value > 0.9
    assert "give (history, builder)" in one(table, "run, epoch 8", "accuracy").error


def test_a_history_in_the_making_needs_no_builder(images, labels, models):
    model = models["net 0"]
    history = dx.History(model, images, checkpoints=True)
    history.record(epoch=0, loss=1.5)
    table = dx.sweep({"run": history}, images, labels, ["accuracy", "run"])
    assert one(table, "run, epoch 0", "run_loss").value == 1.5
    assert one(table, "run, epoch 0", "accuracy").error is None


def test_inputs_that_can_be_read_once_serve_all_models(models, images, labels):
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(images, labels), batch_size=5)
    expected = dx.sweep(models, images, labels, samples=2)
    pd.testing.assert_frame_equal(numbers(dx.sweep(models, loader, samples=2)), numbers(expected), check_exact=True)


# ---------------------------------------------------------------- measures


def test_own_measures_and_single_ones(models, images, labels):
    def by_layer(model, inputs, labels):
        return {"first": torch.tensor(1.5), "second": np.float32(2)}

    own = {
        "samples": lambda model, inputs: len(inputs),
        "modules": lambda model, more=0: len(model) + more,
        "all": lambda *a: len(a),
    }
    given = ["accuracy", "link_std", "link_mean", by_layer, own]
    table = dx.sweep(models, images, labels, given)
    assert set(table.measure) == {"accuracy", "link_std", "link_mean", "by_layer", *own}
    assert one(table, "net 1", "by_layer", "second").value == 2
    assert [one(table, "net 1", name).value for name in own] == [12, 5, 3]


def test_what_fails_is_a_row_with_the_reason_and_the_sweep_goes_on(models, images, labels):
    def broken(model, inputs, labels):
        raise RuntimeError("no luck")

    def text(model, inputs, labels):
        return "good"

    given = {
        "no model": lambda: None,
        "raises": lambda: 1 / 0,
        "other inputs": nn.Sequential(nn.Linear(3, 2)),
        **models,
    }
    table = dx.sweep(given, images, labels, ["accuracy", broken, text], samples=2)
    assert "must be a torch.nn.Module, got NoneType" in one(table, "no model", "accuracy").error
    assert "ZeroDivisionError: division by zero" in one(table, "raises", "broken").error
    assert one(table, "other inputs", "accuracy").error
    assert one(table, "net 0", "broken").error == "RuntimeError: no luck"
    assert "'text' returned a str" in one(table, "net 0", "text").error
    assert table[(table.measure == "accuracy") & table.model.isin(models)].error.isna().all()
    assert table[table.error.notna()].value.isna().all()


def test_without_labels_or_maps_there_is_a_reason(images):
    flat = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    table = dx.sweep({"flat": flat}, images)
    assert "accuracy" not in set(table.measure)
    assert "no layer with weights puts out maps" in one(table, "flat", "rank").error
    assert one(table, "flat", "link_std", "1").error is None
    assert "needs `labels`" in dx.sweep({"flat": flat}, images, measures="accuracy").error[0]


def test_an_undefined_number_is_nan_with_the_reason(images):
    dead = nn.Sequential(nn.Conv2d(1, 4, 3))
    nn.init.zeros_(dead[0].weight)
    table = dx.sweep({"dead": dead}, images, measures="rank")
    assert np.isnan(table.value[0])
    assert "dead units" in table.error[0]


# ---------------------------------------------------------------- the cache


class Counted:
    """A measure that counts its calls and may stop the sweep."""

    def __init__(self, stop_at: int = -1) -> None:
        self.calls, self.stop_at = [], stop_at

    def __call__(self, model, inputs, labels):
        if len(self.calls) == self.stop_at:
            raise KeyboardInterrupt
        self.calls.append(digest(model))
        return float(model[0].weight.sum())


@pytest.mark.parametrize("stop_at", [0, 1, 5, 11, 23])
def test_an_interrupted_sweep_computes_nothing_twice(tmp_path, images, stop_at):
    from nets import small

    models = {f"net {seed}": (lambda seed=seed: small(seed)) for seed in range(24)}
    counted = Counted(stop_at)
    with pytest.raises(KeyboardInterrupt):
        dx.sweep(models, images, measures={"total": _through(counted), "depth": "depth"}, cache=tmp_path)
    counted.stop_at = -1
    table = dx.sweep(models, images, measures={"total": _through(counted), "depth": "depth"}, cache=tmp_path)
    assert len(counted.calls) == len(set(counted.calls)) == 24
    assert table.value.notna().all()
    again = dx.sweep(models, images, measures={"total": _through(counted), "depth": "depth"}, cache=tmp_path)
    assert len(counted.calls) == 24
    pd.testing.assert_frame_equal(again, table, check_exact=True)


def _through(counted: Counted):
    """The same measure for the cache, whatever was counted."""
    global _COUNTED
    _COUNTED = counted
    return _count


def _count(model, inputs, labels):
    return _COUNTED(model, inputs, labels)


def test_the_cache_knows_weights_inputs_labels_and_options_apart(tmp_path, images, labels, models):
    counted = Counted()
    measure = {"total": _through(counted)}

    def calls(given, *args, **options):
        before = len(counted.calls)
        dx.sweep({"a": given}, *args, measures=measure, cache=tmp_path, **options)
        return len(counted.calls) - before

    model = models["net 0"]
    assert calls(model, images, labels) == 1
    assert calls(model, images, labels) == 0
    assert calls(model, images + 1e-7, labels) == 1
    assert calls(model, images, labels.flip(0)) == 1
    assert calls(model, images, labels, samples=3) == 1
    with torch.no_grad():
        model[4].bias[0] += 1e-6
    assert calls(model, images, labels) == 1
    assert calls(nn.Sequential(model[0], nn.Tanh(), *model[2:]), images, labels) == 1
    assert calls(model.train(), images, labels) == 0


def test_a_damaged_entry_is_computed_again(tmp_path, images, models):
    measure = {"total": _through(counted := Counted())}
    expected = dx.sweep(models, images, measures=measure, cache=tmp_path)
    damaged = sorted(tmp_path.rglob("*.json"))
    assert len(damaged) == 3
    damaged[0].write_text('{"format": 1, "find')
    damaged[1].write_text("[]")
    table = dx.sweep(models, images, measures=measure, cache=tmp_path)
    assert len(counted.calls) == 5
    pd.testing.assert_frame_equal(numbers(table), numbers(expected), check_exact=True)


def test_a_measure_that_is_undefined_has_not_failed(tmp_path, images, models):
    table = dx.sweep(models, images, measures={"nothing": _undefined}, cache=tmp_path)
    assert table.error.str.contains("undefined: the measure returned nan").all()
    assert len(list(tmp_path.rglob("*.json"))) == 3


def test_what_failed_is_tried_again(tmp_path, images, models):
    table = dx.sweep(models, images, measures={"total": _fails}, cache=tmp_path)
    assert table.error.str.contains("RuntimeError").all()
    assert not list(tmp_path.rglob("*.json"))


def _undefined(model, inputs, labels):
    return float("nan")


def _fails(model, inputs, labels):
    raise RuntimeError("not today")


def test_a_cache_that_cannot_be_used_is_said(tmp_path, images, models):
    (tmp_path / "file").write_text("")
    with pytest.raises(DynExplorerError, match=r"`cache` .* cannot be made .* name a folder that can be written"):
        dx.sweep(models, images, cache=tmp_path / "file")
    with pytest.raises(DynExplorerError, match=r"a _thread\.lock cannot be told from another"):
        digest(threading.Lock())


# ---------------------------------------------------------------- progress, cancel and bad calls


def test_progress_and_cancel(tmp_path, images, models, capsys):
    cancel, told = threading.Event(), []

    def progress(done: float, text: str) -> None:
        told.append((done, text))
        cancel.set()

    with pytest.raises(Cancelled, match=r"cancelled after 1 of 3 models; what was measured is kept in"):
        dx.sweep(models, images, measures="depth", cache=tmp_path, progress=progress, cancel=cancel)
    assert told == [(pytest.approx(1 / 3), "net 0 measured, 1 of 3 models")]
    dx.sweep(models, images, measures="depth", cache=tmp_path, progress=True)
    said = capsys.readouterr().err
    assert "33 %  net 0 from the cache, 1 of 3 models\n" in said
    assert "100 %  net 2 measured, 3 of 3 models\n" in said
    with pytest.raises(Cancelled, match="nothing is kept without a `cache`"):
        dx.sweep(models, images, measures="depth", cancel=cancel)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"models": {}}, "`models` is empty"),
        ({"models": nn.ReLU()}, "`models` is a ReLU; give a mapping"),
        ({"models": {"a": 3}}, "model 'a' is a int; give a torch.nn.Module, a function"),
        ({"models": {"a": "weights.pt"}}, r"model 'a' is a path \('weights.pt'\) without a builder"),
        ({"models": {1: nn.ReLU(), "1": nn.ReLU()}}, "gives 2 models the name '1'"),
        ({"measures": []}, "`measures` is empty; name some of accuracy"),
        ({"measures": "entropy"}, "there is no measure 'entropy'; the nearest"),
        ({"measures": {"accuracy": len}}, "'accuracy' is a family of measures"),
        ({"measures": {"mine": 3}}, "measure 'mine' is a int; give a function"),
        ({"measures": [len, len]}, "holds two under the name 'len'"),
        ({"measures": 3}, "`measures` holds a int"),
        ({"samples": 0}, r"`samples` \(=0\) must be a whole number of at least 1"),
        ({"shuffles": 1}, r"`shuffles` \(=1\) must be a whole number of at least 2"),
        ({"axis": "sample"}, r"`axis` \(='sample'\) is unknown"),
        ({"layers": []}, "`layers` is empty"),
        ({"executor": 4}, "`executor` is a int; give a concurrent.futures.Executor"),
    ],
)
def test_what_cannot_be_swept_is_refused_at_once(images, models, given, message):
    with pytest.raises(DynExplorerError, match=message):
        dx.sweep(**{"models": models, "inputs": images, **given})

"""The Filters panel: its code, taps and nulls, and layers of every kind."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from fake_browser import FakeBrowser
from torch import nn

from dyn_explorer import DynExplorerError, History
from dyn_explorer.capture import LayerWeight
from dyn_explorer.inspector.jobs import Job
from dyn_explorer.inspector.panels import Settings
from dyn_explorer.inspector.panels.filters import measure, tiles
from dyn_explorer.inspector.panels.filters.measure import Measures
from dyn_explorer.inspector.panels.filters.neighbours import neighbours_of


def open_filters(open_inspector, model, *arguments, layer=None, **options):
    inspector = open_inspector(model, *arguments, **options).wait(60)
    inspector.panel = "filters"
    if layer is not None:
        inspector.layer = layer
    return inspector.wait(60)


def test_the_code_rebuilds_the_numbers(open_inspector, model, digits):
    model.insert(1, nn.BatchNorm2d(12).eval())
    with torch.no_grad():
        model[1].running_var.uniform_(0.5, 2)
    inspector = open_filters(open_inspector, model, layer="0")
    for fold in (False, True):
        inspector.set_by_name("filters.fold_batchnorm", fold)
        inspector.set_by_name("filters.direction", 2)
        inspector.sample = 3
        result = inspector.wait(60).results["filters"]
        names = {"model": model, "inputs": digits[0]}
        exec(inspector.code(), names)
        directions = result.directions
        assert names["weight"].folded == directions.weight.folded == ("1" if fold else "")
        assert names["directions"].singular_values.ravel() == pytest.approx(directions.sigma, rel=1e-10)
        assert np.array_equal(names["pattern"], directions.pattern(2))
        assert np.array_equal(names["outward"], directions.outward(2))
        assert result.signals.shown == pytest.approx(names["signals"][3].numpy(), rel=1e-10)
        assert result.signals.most[0].value == pytest.approx(float(names["signals"].max()), rel=1e-10)
        for name in ("edge", "spikes", "stable_rank", "entropy"):
            assert getattr(result.fit, name) == pytest.approx(getattr(names["spectrum"].fit, name), rel=1e-10)
        drawn = [spectrum.fit.stable_rank for spectrum in result.comparison.shuffled]
        assert drawn == pytest.approx([spectrum.fit.stable_rank for spectrum in names["shuffled"]], rel=1e-10)
        table = names["table"].set_index("layer")
        shown = inspector.table().set_index("layer")
        assert shown["stable rank"].tolist() == pytest.approx(table.loc[shown.index, "stable_rank"].tolist(), rel=1e-10)


def test_nulls_links_and_gain_arrive(open_inspector, model):
    inspector = open_filters(open_inspector, model, layer="2")
    result = inspector.results["filters"]
    panel = inspector._panels["filters"]
    comparison = result.comparison
    assert comparison.neighbours.names == ("0", "2", "5")
    assert comparison.neighbours.chosen == 1
    assert comparison.neighbours.synapses[1].taps == 16  # the linear layer reads every position of the map
    sigma = result.directions.sigma[0]
    assert sigma <= comparison.gain <= 3 * sigma
    shown = {each["label"]: each["value"] for each in panel.numbers(result)}
    assert shown["gain"] == f"{comparison.gain:.3g} ≤ {3 * sigma:.3g}"
    assert {type(count) for count in inspector.table()["spikes"]} == {int}
    rows = {row["label"]: row["cells"] for row in panel.metrics(result)["rows"]}
    assert rows["exponent α"] == ["n/a", "n/a", "n/a"]
    assert "±" in rows["stable rank Σλ / λ₁"][1]
    assert float(rows["stable rank Σλ / λ₁"][2]) > 1
    assert "Verdict: untrained-like (our rule" in panel.metrics(result)["note"]
    assert "20 positive eigenvalues; a power law wants at least 50" in panel.metrics(result)["note"]
    for view in panel.views.values():
        assert view.summary.endswith(".")


def test_what_an_extreme_depends_on_is_framed_and_an_image_is_made(open_inspector, model):
    inspector = open_filters(open_inspector, model, layer="2")
    found = inspector.results["filters"].signals
    for each in (*found.most, *found.least):
        left, top, right, bottom = each.frame
        assert right - left <= 5 / 8  # the receptive field of two 3 x 3 kernels, on 8 pixels
        assert bottom - top <= 5 / 8
        row, column = divmod(each.index, 4)
        assert left >= column / 8
        assert bottom <= (row + 5) / 8
    assert len(inspector._panels["filters"].views["excite"]._frames.data["left"]) == 12
    browser = FakeBrowser(inspector)
    browser.set(**{"filters.make_image": True})
    browser.settle()
    result = inspector.results["filters"]
    assert result.made.value > result.signals.largest_mean
    view = inspector._panels["filters"].views["chosen"]
    assert view.rows.data["caption"][0] == "made to drive it"
    assert f"The made image has the mean signal {result.made.value:.3g}" in view.summary
    names = {"model": model, "inputs": inspector._source._inputs}
    exec(inspector.code(), names)
    assert torch.equal(names["made"].image, result.made.image)
    browser.set(**{"filters.fold_batchnorm": True})
    browser.settle()
    assert inspector.results["filters"].made is result.made  # nothing to fold, so nothing to search again


def test_the_receptive_field_is_cut_out_below_each_input(open_inspector, digits):
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 8, 3, stride=2, padding=2, dilation=2), nn.Flatten(),
        nn.Linear(8 * 16, 5),
    ).eval()  # fmt: skip
    images = torch.rand(14, 3, 8, 8)
    inspector = open_filters(open_inspector, model, images, layer="2")
    result = inspector.results["filters"]
    view = inspector._panels["filters"].views["excite"]
    every = (*result.signals.most, *result.signals.least)
    pictures = view._pictures.data
    assert len(pictures["image"]) == 24
    for k, each in enumerate(every):
        row, column = divmod(each.index, 4)
        top, left, bottom, right = each.box
        # By hand: 3 x 3 with padding 1, then taps 2 apart in steps of 2 with padding 2.
        assert each.box == (2 * row - 3, 2 * column - 3, 2 * row + 4, 2 * column + 4)
        drawn = pictures["image"][12 + k].view(np.uint8).reshape(7, 7, 4)[::-1]
        whole = result.pictures[each.sample]
        for y in range(7):
            for x in range(7):
                inside = 0 <= top + y < 8 and 0 <= left + x < 8
                assert drawn[y, x, 3] == (255 if inside else 0)
                assert not inside or drawn[y, x, :3].tolist() == whole[top + y, left + x].tolist()
        # Below its input, as wide as that one, and so enlarged.
        assert pictures["x"][12 + k] == pytest.approx(pictures["x"][k])
        assert pictures["dw"][12 + k] == pytest.approx(pictures["dw"][k])
        assert (bottom, right) == (top + 7, left + 7)
    assert len(view._holes.data["left"]) == 12
    assert view.rows.data["row"][12:] == view.rows.data["row"][:12]
    assert view.rows.data["caption"][12] == "7×7"
    assert "Cut out of the first: rows" in view.summary
    names = {"model": model, "inputs": images}
    exec(inspector.code(), names)
    assert (names["top"], names["left"], names["bottom"], names["right"]) == result.signals.most[0].box
    inspector.layer = "4"
    result = inspector.wait(60).results["filters"]
    assert view.rows.data["caption"][-1] == "whole"
    assert "Cut out of the first: it looks at the whole input. Framed is where the gradient" in view.summary
    exec(inspector.code(), {"model": model, "inputs": images})


class Picky(nn.Module):
    """Takes a dict only."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, batch: dict) -> torch.Tensor:
        return self.inner(batch["pixels"])


def test_a_model_that_takes_no_single_tensor_is_shown_without_frames(open_inspector, model, digits):
    inspector = open_filters(open_inspector, Picky(model), {"batch": {"pixels": digits[0]}}, layer="inner.2")
    found = inspector.results["filters"].signals
    assert found.most[0].frame is None
    assert "No patches: this model cannot be run with gradients" in found.boxes_note
    inspector.set_by_name("filters.make_image", True)
    reason = inspector.wait(60).results["filters"].made_reason
    assert "cannot be run with gradients on one tensor of inputs" in reason


def test_taps_choose_directions_inputs_and_layers(open_inspector, model):
    inspector = open_filters(open_inspector, model, layer="2")
    browser = FakeBrowser(inspector)
    browser.settle()
    views = inspector._panels["filters"].views
    assert browser.sections["table"]["chooses"] == "layer"
    assert browser.sections["table"]["values"] == ["0", "2", "5"]
    browser.touch(views["scree"].rows.selected, indices=[4])
    browser.settle()
    assert inspector._panels["filters"].options.direction == inspector.results["filters"].direction == 4
    assert views["scree"]._ring.data["index"] == [5]
    browser.touch(views["directions"].rows.selected, indices=[1])
    browser.settle()
    assert inspector.results["filters"].direction == 1
    browser.touch(views["links"].rows.selected, indices=[2])
    browser.settle()
    assert inspector.results["filters"].direction == 2
    fifth = inspector.results["filters"].signals.most[5].sample
    browser.touch(views["excite"].rows.selected, indices=[5])
    browser.settle()
    assert inspector.sample == fifth
    browser.set(layer="0")
    browser.settle()
    assert inspector.results["filters"].directions.weight.layer == "0"
    browser.set(**{"filters.direction": 99})
    browser.settle()
    assert inspector.results["filters"].direction == 8  # the last of nine
    names = {"model": model, "inputs": inspector._source._inputs}
    exec(inspector.code(), names)
    assert names["direction"] == 8


def test_the_table_is_sorted_and_taps_follow(open_inspector, model):
    inspector = open_filters(open_inspector, model)
    inspector.set_by_name("filters.order", "stable_rank")
    inspector.wait(60)
    table = inspector.table()
    assert table["stable rank"].is_monotonic_increasing
    panel, result = inspector._panels["filters"], inspector.results["filters"]
    assert panel.row_values(result, 3) == table["layer"].tolist() != ["0", "2", "5"]


def test_a_large_model_shows_its_layer_before_the_table(open_inspector, model, monkeypatch):
    monkeypatch.setattr(measure, "QUICK_TABLE", 0)
    inspector = open_filters(open_inspector, model)
    panel = inspector._panels["filters"]
    settings = Settings.of(panel, inspector)
    panel._measures._rows.clear()
    first = panel.compute(inspector._source, inspector.working_copy(), settings, Job(lambda _job: None))
    assert first.rows is None
    assert panel.table(first).iloc[0, 1] == "measuring all layers …"
    assert len(inspector.table()) == 3


class Attentive(nn.Module):
    """Tokens of a picture through an attention and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Conv2d(1, 8, 2, stride=2)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.mix = nn.Linear(8, 6)
        self.norm = nn.LayerNorm(6)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        tokens = self.embed(images).flatten(2).transpose(1, 2)
        return self.norm(self.mix(self.attention(tokens, tokens, tokens)[0]))


def test_tokens_have_maps_and_projections_are_chosen_apart(open_inspector):
    torch.manual_seed(0)
    inspector = open_filters(open_inspector, Attentive().eval(), layer="mix")
    assert inspector.results["filters"].signals.shown.shape == (4, 4)
    inspector.layer = "attention"
    result = inspector.wait(60).results["filters"]
    assert result.parts == ("q", "k", "v")
    assert result.directions.weight.part == "q"
    assert "what the 'q' weight of this layer puts out is not recorded by itself" in result.signals_reason
    inspector.set_by_name("filters.part", "v")
    result = inspector.wait(60).results["filters"]
    assert result.directions.weight.part == "v"
    names = {"model": inspector._source.model, "inputs": inspector._source._inputs}
    exec(inspector.code(), names)
    assert names["directions"].singular_values.ravel() == pytest.approx(result.directions.sigma, rel=1e-10)
    assert inspector.table()["part"].tolist().count("v") == 1
    inspector.layer = "mix"
    inspector.set_by_name("filters.make_image", True)
    made = inspector.wait(60).results["filters"].made
    exec(inspector.code(), names)
    assert torch.equal(names["made"].image, made.image)


def test_layers_without_filters_and_bad_weights_are_explained(open_inspector, model):
    inspector = open_filters(open_inspector, model)
    inspector.layer = "1"
    with pytest.raises(DynExplorerError, match=r"layer '1' has no filters to decompose.*Choose one of 0, 2, 5\."):
        inspector.wait(60)
    with torch.no_grad():
        model[0].weight.zero_()
        model[5].weight[0, 0] = math.nan
    inspector.refresh()
    inspector.layer = "0"
    result = inspector.wait(60).results["filters"]
    view = inspector._panels["filters"].views["spectrum"]
    assert view.summary == "No spectrum to compare with random matrices: all weights are zero."
    assert result.directions.sigma.tolist() == [0] * 9
    reasons = inspector.table().set_index("layer")["reason"]
    assert reasons["0"] == "all weights are zero"
    assert "1 NaN or infinite values" in reasons["5"]
    inspector.layer = "5"
    with pytest.raises(DynExplorerError, match="`weight` holds 1 NaN or infinite values of 3200"):
        inspector.wait(60)


def test_depthwise_and_one_dimensional_layers_are_drawn(open_inspector):
    model = nn.Sequential(
        nn.Conv2d(1, 6, 3), nn.Conv2d(6, 6, 3, groups=6), nn.Flatten(2), nn.Conv1d(6, 4, 3, dilation=2), nn.ReLU()
    )
    inspector = open_filters(open_inspector, model.eval(), layer="1")
    result = inspector.results["filters"]
    assert len(result.directions) == 6
    assert "its one direction is the filter itself" in inspector._panels["filters"].views["spectrum"].summary
    inspector.layer = "3"
    result = inspector.wait(60).results["filters"]
    assert not result.signals.is_map
    assert math.isnan(result.comparison.gain)
    assert "neither transposed nor dilated" in result.comparison.gain_reason


def test_an_epoch_of_the_history_is_decomposed(open_inspector, model, digits):
    history = History(model, digits[0][:8], layers=["0"], checkpoints=True)
    history.record(epoch=0)
    with torch.no_grad():
        model[2].weight.mul_(3)
    history.record(epoch=1)
    inspector = open_filters(open_inspector, model, history=history, layer="2")
    now = inspector.results["filters"].directions.sigma
    inspector.epoch = 0
    then = inspector.wait(60).results["filters"].directions.sigma
    assert now == pytest.approx(3 * then, rel=1e-5)
    names = {"model": model, "inputs": digits[0], "history": history}
    exec(inspector.code(), names)
    assert names["directions"].singular_values.ravel() == pytest.approx(then, rel=1e-10)


def test_weights_are_not_read_beside_a_training_loop(open_inspector, model):
    inspector = open_filters(open_inspector, model)
    inspector.step(loss=1.0)
    with pytest.raises(DynExplorerError, match=r"weights are not read beside a training loop.*press Refresh when"):
        inspector.wait(60)
    inspector.refresh()
    assert inspector.wait(60).results["filters"].directions.sigma[0] > 0


def test_patterns_are_laid_out_as_what_they_are():
    generator = np.random.default_rng(0)
    one = generator.normal(size=(1, 3, 3))
    assert np.array_equal(tiles.picture_of(one, (1, 8, 8), 16), one[0])
    colours = tiles.picture_of(np.stack([np.ones((3, 3)), np.zeros((3, 3)), -np.ones((3, 3))]), (3, 8, 8), 16)
    assert colours[0, 0].tolist() == [255, 128, 0]
    kernels = generator.normal(size=(20, 2, 2))
    kernels[7] = 100
    sheet = tiles.picture_of(kernels, (1, 8, 8), 16)
    assert sheet.shape == (11, 11)
    assert (sheet == 100).sum() == 4
    assert np.isnan(sheet[2]).all()
    pixels = generator.normal(size=64)
    assert np.array_equal(tiles.picture_of(pixels, (1, 8, 8), 16), pixels.reshape(8, 8))
    assert np.isnan(tiles.picture_of(np.ones(7), (1, 8, 8), 16)).sum() == 2
    assert tiles.picture_of(np.ones((5, 4)), (1, 8), 16).shape == (5, 4)


def test_projections_of_one_attention_do_not_feed_one_another():
    names = ("embed", "block.q_proj", "block.k_proj", "block.v_proj", "block.o_proj")
    weights = [LayerWeight(name, "Linear", values=torch.randn(9, 9)) for name in names]
    measures = Measures()
    found = neighbours_of(measures.directions(weights[2]), weights, measures)
    assert found.names == ("embed", "block.k_proj", "block.o_proj")


class ConvLikeNorm(nn.BatchNorm2d):
    """A normalisation whose name begins as that of a convolution."""


def test_the_first_layer_shown_is_a_convolution_by_its_weight_too(open_inspector):
    inspector = open_filters(open_inspector, nn.Sequential(nn.Conv2d(1, 4, 3), ConvLikeNorm(4)).eval())
    assert inspector.layer == "0"


class Idle(nn.Module):
    """Has a layer that it never runs."""

    def __init__(self) -> None:
        super().__init__()
        self.used, self.idle = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 5, 3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.used(images)


def test_a_layer_that_never_runs_still_has_a_spectrum(open_inspector):
    inspector = open_inspector(Idle().eval(), layers=["used"]).wait(60)
    inspector.panel = "filters"
    assert inspector.wait(60).table()["layer"].tolist() == ["used", "idle"]
    with pytest.raises(DynExplorerError, match="layer 'idle' cannot be shown: it was not executed"):
        inspector.layer = "idle"
    inspector = open_inspector(Idle().eval(), layers=["idle"])
    inspector.panel = "filters"
    result = inspector.wait(60).results["filters"]
    assert result.signals_reason == "this layer was not executed in this forward pass."
    assert result.comparison.gain_reason == "the layer has not run, so the size of its inputs is not known."


def test_the_page_is_exported(open_inspector, model, tmp_path):
    inspector = open_filters(open_inspector, model)
    inspector.to_html(tmp_path / "filters.html")
    text = (tmp_path / "filters.html").read_text(encoding="utf8")
    assert "Input patterns v, strongest first" in text

"""Basins: known truth, identities that hold for any model, and a slow and obvious version of both."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from scipy.stats import norm
from torch import nn

from dyn_explorer import DynExplorerError, analysis, demo
from dyn_explorer.analysis import basin_search
from dyn_explorer.analysis.basin import crossing
from dyn_explorer.errors import Cancelled

GRID = np.geomspace(1e-2, 16, 12)


@pytest.fixture(scope="module")
def digits():
    images, labels = demo.digits("train")
    return images[:200].flatten(1), labels[:200]


@pytest.fixture(scope="module")
def network(digits):
    """A small network with BatchNorm that knows 200 digits."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = nn.Sequential(
            nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 10)
        )
        demo.train(made, *digits, epochs=15, learning_rate=1e-2)
    return made


@pytest.fixture
def line():
    """Says 1 where a number is positive."""
    model = nn.Linear(1, 2, bias=False)
    model.weight.data = torch.tensor([[-1.0], [1.0]])
    return model


def test_a_line_between_two_classes_has_the_basin_of_the_normal_distribution(line):
    x = torch.tensor([[-1.0], [1.0]], dtype=torch.float64).repeat(2000, 1)
    basin = analysis.sample_basin(line.double(), x, (x[:, 0] > 0).long(), draws=16)
    assert basin.accuracy == pytest.approx(norm.cdf(1 / basin.sigmas), abs=4 * 0.5 / math.sqrt(4000 * 16))
    assert basin.threshold == 0.75
    assert basin.half_width == pytest.approx(1 / norm.ppf(0.75), rel=0.02)
    truth = np.trapezoid(norm.cdf(1 / basin.sigmas), np.log10(basin.sigmas))
    assert basin.area == pytest.approx(truth, abs=0.01)


@pytest.mark.parametrize("space", ["sample", "weight"])
def test_it_is_what_a_slow_loop_over_the_same_noise_counts(space, network, digits):
    images, labels = digits[0][:60], digits[1][:60]
    run = analysis.sample_basin if space == "sample" else analysis.weight_basin
    basin = run(network, images, labels, sigmas=GRID, draws=3, seed=5)
    slow = np.empty((len(GRID), 3, 60), dtype=bool)
    for s, sigma in enumerate(GRID):
        for draw in range(3):
            moved, noisy = copy.deepcopy(network).eval(), images
            if space == "sample":
                noisy = analysis.noisy_inputs(images, sigma=sigma, draws=3, seed=5)[draw]
            else:
                for name, parameter in moved.named_parameters():
                    if parameter.ndim > 1:
                        stream = basin_search.stream(5, draw, basin_search.name_key(name))
                        noise = basin_search.normal(stream, tuple(parameter.shape), parameter)
                        sd = parameter.detach().double().std(correction=0).item()
                        parameter.data = torch.add(parameter.data, sd * noise, alpha=sigma)
            with torch.no_grad():
                slow[s, draw] = [moved(noisy[i : i + 1]).argmax() == labels[i] for i in range(60)]
    assert (basin.right == slow).all()
    assert basin.accuracy.tolist() == slow.mean(axis=(1, 2)).tolist()


@pytest.mark.parametrize("run", [analysis.sample_basin, analysis.weight_basin])
def test_the_same_seed_gives_the_same_curve_whatever_the_budget(run, network, digits):
    some = digits[0][:50], digits[1][:50]
    whole = run(network, *some, sigmas=GRID, draws=4, seed=3)
    for budget in (1, 7_000, 50_000):
        assert (run(network, *some, sigmas=GRID, draws=4, seed=3, memory_budget=budget).right == whole.right).all()
    other = run(network, *some, sigmas=GRID, draws=4, seed=4)
    assert (other.right != whole.right).any()
    fewer = run(network, *some, sigmas=GRID, draws=2, seed=3)
    assert (fewer.right == whole.right[:, :2]).all()


@pytest.mark.parametrize("run", [analysis.sample_basin, analysis.weight_basin])
@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.9])
def test_bisection_finds_the_crossing_of_the_grid(run, threshold, network, digits):
    grid = run(network, *digits, threshold=threshold)
    live = run(network, *digits, threshold=threshold, search="bisection")
    assert live.half_width == pytest.approx(grid.half_width, rel=1e-12)
    assert len(live.sigmas) < 8
    assert math.isnan(live.area)
    assert grid.at_threshold(0.5).half_width == pytest.approx(crossing(grid.sigmas, grid.accuracy, 1.0, 0.5))
    with pytest.raises(DynExplorerError, match="bisection holds for its own threshold"):
        live.at_threshold(0.5)


@pytest.mark.parametrize("factor", [8.0, 3.0])
def test_a_compensated_rescaling_of_relu_layers_changes_nothing(factor, digits):
    torch.manual_seed(1)
    plain = nn.Sequential(nn.Linear(64, 24), nn.ReLU(), nn.Linear(24, 10))
    scaled = copy.deepcopy(plain)
    with torch.no_grad():
        scaled[0].weight *= factor
        scaled[0].bias *= factor
        scaled[2].weight /= factor
    for run in (analysis.sample_basin, analysis.weight_basin):
        first, second = (run(m, digits[0], None, target="prediction", draws=4) for m in (plain, scaled))
        if factor == 8.0:
            assert (first.right == second.right).all()
        assert first.half_width == pytest.approx(second.half_width, rel=1e-3)
        assert first.area == pytest.approx(second.area, rel=1e-3)


@pytest.mark.parametrize("run", [analysis.sample_basin, analysis.weight_basin])
def test_without_noise_it_is_the_accuracy_and_parts_average_to_the_whole(run, network, digits):
    basin = run(network, *digits, sigmas=[0.0, 1e-7, 0.5, 4.0], draws=4)
    with torch.no_grad():
        clean = (copy.deepcopy(network).eval()(digits[0]).argmax(1) == digits[1]).float().mean().item()
    assert basin.clean_accuracy == pytest.approx(clean)
    assert basin.accuracy[:2].tolist() == pytest.approx([clean, clean])
    counts = np.bincount(digits[1], minlength=10)
    assert basin.class_accuracy @ counts / counts.sum() == pytest.approx(basin.accuracy)
    assert basin.draw_accuracy.mean(axis=1) == pytest.approx(basin.accuracy)
    assert basin.sample_accuracy.mean(axis=1) == pytest.approx(basin.accuracy)
    assert basin.class_half_widths.shape == (10,)
    assert basin.sample_half_widths.shape == (200,)


def test_the_model_and_the_random_numbers_are_not_touched(network, digits):
    model = copy.deepcopy(network).train()
    model.append(nn.Dropout(0.5))
    model[0].weight.grad = torch.ones_like(model[0].weight)
    before = {name: (value.data_ptr(), value.clone()) for name, value in model.state_dict().items()}
    modes = [module.training for module in model.modules()]
    state = torch.get_rng_state()
    for run in (analysis.sample_basin, analysis.weight_basin):
        run(model, *digits, sigmas=GRID, draws=2)
    for name, value in model.state_dict().items():
        assert value.data_ptr() == before[name][0]
        assert torch.equal(value, before[name][1])
    assert [module.training for module in model.modules()] == modes
    assert (model[0].weight.grad == 1).all()
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("run", [analysis.sample_basin, analysis.weight_basin])
def test_a_first_layer_that_works_in_place_changes_no_input_and_no_number(run, digits):
    torch.manual_seed(0)
    images = digits[0] - 0.5
    head = nn.Linear(64, 10)
    before = images.clone()
    inplace, plain = (
        run(nn.Sequential(nn.ReLU(inplace=flag), head), images, None, target="prediction", draws=2)
        for flag in (True, False)
    )
    assert torch.equal(images, before)
    assert (inplace.right == plain.right).all()


def wrapped(kind: str, plain: nn.Module) -> nn.Module:
    if kind == "compiled":
        return torch.compile(plain, backend="eager")
    if kind == "both":
        return nn.DataParallel(torch.compile(plain, backend="eager"))
    return nn.DataParallel(plain) if kind == "parallel" else plain


@pytest.mark.parametrize("kind", ["compiled", "parallel", "both", "normalised"])
def test_wrapped_and_reparametrised_models_are_perturbed_too(kind, digits):
    torch.manual_seed(0)
    first = nn.Linear(64, 16)
    if kind == "normalised":
        first = nn.utils.parametrizations.weight_norm(first)
    model = wrapped(kind, nn.Sequential(first, nn.ReLU(), nn.Linear(16, 10)))
    model(digits[0])
    basin = analysis.weight_basin(model, digits[0], None, target="prediction", draws=2)
    assert len(basin.layers) == 2
    assert basin.accuracy[-1] < 0.5


def test_a_recurrent_network_is_perturbed_in_its_flat_weights():
    class Recurrent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.core, self.head = nn.GRU(8, 16, batch_first=True), nn.Linear(16, 5)

        def forward(self, x):
            return self.head(self.core(x)[0][:, -1])

    torch.manual_seed(0)
    basin = analysis.weight_basin(Recurrent(), torch.randn(60, 5, 8), None, target="prediction", layers="core")
    assert basin.layers == ("core",)
    assert basin.accuracy[-1] < 0.6 < basin.accuracy[0]


def test_below_the_threshold_it_is_undefined_and_beyond_the_grid_it_is_infinite(network, digits):
    wrong = (digits[1] + 1) % 10
    for search in ("grid", "bisection"):
        basin = analysis.sample_basin(network, digits[0], wrong, sigmas=GRID, draws=2, search=search)
        assert math.isnan(basin.half_width)
        assert "S50 is undefined: without noise the accuracy is 0" in basin.reason
        basin = analysis.weight_basin(network, *digits, sigmas=[0.01, 0.02], draws=2, search=search)
        assert math.isinf(basin.half_width)
        assert "W50 lies beyond the grid: up to 0.02" in basin.reason
        basin = analysis.sample_basin(network, *digits, sigmas=[8.0, 16.0], draws=2, search=search)
        assert 0 < basin.half_width < 8
        assert "below the grid's first amplitude 8" in basin.reason


def test_the_first_fall_counts_and_lies_linearly_in_accuracy_and_logarithmically_in_amplitude():
    sigmas = np.array([0.1, 1.0, 10.0, 100.0])
    curves = np.array([[1.0, 0.6, 0.2, 0.9], [0.7, 0.7, 0.7, 0.7], [0.4, 0.9, 0.1, 0.1], [0.5, 0.4, 0.3, 0.2]]).T
    found = crossing(sigmas, curves, np.array([1.0, 1.0, 1.0, 0.4]), 0.5)
    assert found[0] == pytest.approx(10**0.25)
    assert found[1] == math.inf
    assert found[2] == pytest.approx(0.1 * 0.5 / 0.6)
    assert math.isnan(found[3])


def test_two_and_three_classes_move_the_threshold_and_say_so(line):
    x = torch.tensor([[-1.0], [1.0]])
    basin = analysis.sample_basin(line, x, [0, 1], draws=2)
    assert basin.threshold == 0.75
    assert "with 2 classes 1/2 is chance, so the threshold is halfway between chance and 1: 0.75" in basin.notes
    three = analysis.sample_basin(nn.Linear(1, 3), x, None, target="prediction", draws=2)
    assert three.threshold == pytest.approx(2 / 3)
    assert analysis.sample_basin(line, x, [0, 1], draws=2, threshold=0.6).threshold == 0.6


def test_weights_are_perturbed_one_layer_at_a_time_or_all(network, digits):
    assert analysis.weight_layers(network) == {"0": ("0.weight",), "3": ("3.weight",), "5": ("5.weight",)}
    assert analysis.weight_layers(network, biases=True, norms=True)["1"] == ("1.weight", "1.bias")
    alone = {name: analysis.weight_basin(network, *digits, layers=name) for name in ("0", "3", "5")}
    together = analysis.weight_basin(network, *digits)
    assert together.layers == ("0", "3", "5")
    assert all(basin.half_width > together.half_width for basin in alone.values())
    assert alone["3"].scale == {"3.weight": pytest.approx(network[3].weight.std(correction=0).item())}
    with pytest.raises(DynExplorerError, match="names no layer with weights to perturb; there are 0, 3, 5"):
        analysis.weight_basin(network, *digits, layers="1")


def test_constant_weights_get_no_noise():
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    nn.init.constant_(model[0].weight, 0.5)
    basin = analysis.weight_basin(model, torch.randn(20, 4), None, target="prediction", sigmas=GRID, draws=2)
    assert basin.notes == ("constant parameters have no standard deviation and get no noise: 0.weight",)
    alone = analysis.weight_basin(model, torch.randn(20, 4), None, target="prediction", layers="0", draws=2)
    assert (alone.accuracy == 1).all()


def test_tied_weights_get_the_same_noise():
    torch.manual_seed(0)
    tied = nn.Sequential(nn.Linear(6, 6, bias=False), nn.Linear(6, 6, bias=False))
    tied[1].weight = tied[0].weight
    x = torch.randn(50, 6)
    basin = analysis.weight_basin(tied, x, None, target="prediction", sigmas=GRID, draws=1, seed=2)
    noise = basin_search.normal(basin_search.stream(2, 0, basin_search.name_key("0.weight")), (6, 6), x)
    for sigma, accuracy in zip(GRID, basin.accuracy, strict=True):
        with torch.no_grad():
            moved = tied[0].weight + sigma * tied[0].weight.std(correction=0) * noise
            assert accuracy == ((x @ moved.T @ moved.T).argmax(1) == tied(x).argmax(1)).double().mean()


@dataclass
class Output:
    loss: torch.Tensor
    logits: torch.Tensor


class Tokens(nn.Module):
    """Puts its scores out as libraries of language models do."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(20, 8)
        self.head = nn.Linear(8, 5)

    def forward(self, tokens):
        return Output(torch.tensor(0.0), self.head(self.embed(tokens).mean(1)))


def test_whole_numbers_have_a_basin_in_weight_space_only():
    tokens = torch.randint(0, 20, (30, 6))
    basin = analysis.weight_basin(Tokens(), tokens, None, target="prediction", sigmas=GRID)
    assert basin.clean_accuracy == 1
    assert basin.layers == ("embed", "head")
    with pytest.raises(DynExplorerError, match=r"whole numbers \(torch.int64\).*use weight_basin"):
        analysis.sample_basin(Tokens(), tokens, None, target="prediction")


class Restless(nn.Module):
    """Random in eval mode too."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        return self.head(nn.functional.dropout(x, 0.5, training=True))


@pytest.mark.parametrize("run", [analysis.sample_basin, analysis.weight_basin])
def test_what_is_no_classifier_or_no_question_is_refused_in_words(run, network, digits):
    images, labels = digits
    with pytest.raises(DynExplorerError, match="random in eval mode: two runs on the same inputs differ"):
        run(Restless(), images, labels)
    with pytest.raises(DynExplorerError, match=r'there are no labels.*target="prediction"'):
        run(network, images, None)
    with pytest.raises(DynExplorerError, match=r"shape \(4, 1\).*a regression has no classes"):
        run(nn.Linear(64, 1), images, labels)
    with pytest.raises(DynExplorerError, match="not whole numbers, as the targets of a regression are"):
        run(network, images, labels + 0.5)
    with pytest.raises(DynExplorerError, match=r"`labels` run from 0 to 9, and the model has 5 scores"):
        run(nn.Linear(64, 5), images, labels)
    with pytest.raises(DynExplorerError, match=r"`labels` of shape \(199,\)"):
        run(network, images, labels[1:])
    with pytest.raises(DynExplorerError, match="the model's forward failed on inputs of shape"):
        run(network, images[:, :5], labels)
    with pytest.raises(DynExplorerError, match="64 values of `inputs` are not finite"):
        run(network, torch.where(torch.arange(200)[:, None] == 3, torch.nan, images), labels)
    with pytest.raises(DynExplorerError, match="hold nothing"):
        run(network, images[:0], labels[:0])
    with pytest.raises(DynExplorerError, match=r"`inputs` \(a list\) must be one tensor or array"):
        run(network, [images], labels)
    with pytest.raises(DynExplorerError, match=r"`model` \(='net'\) must be a torch.nn.Module"):
        run("net", images, labels)
    for bad in ([], [0.1, 0.1], [-1.0, 1.0], [1.0, np.inf], "wide"):
        with pytest.raises(DynExplorerError, match=r"`sigmas` .* must be amplitudes"):
            run(network, images, labels, sigmas=bad)
    for options in ({"draws": 0}, {"seed": -1}, {"memory_budget": 0}, {"draws": 2.5}):
        with pytest.raises(DynExplorerError, match="must be a whole number of at least"):
            run(network, images, labels, **options)
    for options in ({"search": "random"}, {"target": "truth"}):
        with pytest.raises(DynExplorerError, match="is unknown; choose one of"):
            run(network, images, labels, **options)
    for bad in (0, 1, 1.5, True, "half"):
        with pytest.raises(DynExplorerError, match=r"`threshold` .* must be an accuracy between 0 and 1"):
            run(network, images, labels, threshold=bad)


def test_other_bad_questions(network, digits, line):
    with pytest.raises(DynExplorerError, match=r"`clip` .* must be a pair"):
        analysis.sample_basin(network, *digits, clip=(1, 0))
    with pytest.raises(DynExplorerError, match="no weights to perturb"):
        analysis.weight_basin(nn.Flatten(), *digits)
    cut = analysis.sample_basin(line, torch.ones(50, 1), [1] * 50, clip=(0.1, 1))
    assert "noisy inputs are cut to 0.1..1" in cut.notes
    assert (cut.accuracy == 1).all()


def test_equal_scores_are_decided_as_argmax_decides_them(digits):
    silent = nn.Linear(64, 10)
    nn.init.zeros_(silent.weight)
    nn.init.zeros_(silent.bias)
    for label, right in ((0, 1.0), (3, 0.0)):
        basin = analysis.sample_basin(silent, digits[0], [label] * 200, sigmas=GRID, draws=2)
        assert (basin.accuracy == right).all()


def test_scores_that_are_not_finite_are_wrong():
    class Overflows(nn.Module):
        def forward(self, x):
            return torch.cat([x, -x], 1) / (x.abs() < 1)

    x = torch.full((10, 1), 0.9)
    basin = analysis.sample_basin(Overflows(), x, torch.zeros(10), sigmas=[0.001, 100.0], draws=4)
    assert basin.accuracy[0] == 1
    assert basin.accuracy[1] < 0.1


def test_it_can_be_cancelled_and_says_how_far_it_is(network, digits):
    class Set:
        def is_set(self):
            return True

    with pytest.raises(Cancelled, match="the model is as it was"):
        analysis.weight_basin(network, *digits, cancel=Set())
    for search in ("grid", "bisection"):
        told = []
        analysis.sample_basin(
            network, *digits, search=search, progress=lambda done, _text, told=told: told.append(done)
        )
        assert told == sorted(told)
        assert 0 <= told[0] <= told[-1] <= 1


def test_a_plane_shows_the_class_of_each_point_and_its_circle_is_noise_of_that_amplitude(network, digits):
    image = digits[0][3]
    plane = analysis.basin_plane(network, image, extent=1.5, grid=7, seed=4)
    first, second = analysis.noisy_inputs(torch.zeros(64), sigma=1.0, draws=2, seed=4)
    for row in range(7):
        for column in range(7):
            point = image + plane.axis[column] * first + plane.axis[row] * second
            assert analysis.predicted_classes(network, point[None])[0] == plane.classes[row, column]
    assert plane.axis[3] == 0
    assert plane.classes[3, 3] == digits[1][3]
    for options, words in (({"extent": 0}, "`extent` .* positive"), ({"extent": 1, "grid": 1}, "`grid` .* at least 2")):
        with pytest.raises(DynExplorerError, match=words):
            analysis.basin_plane(network, image, **options)


def test_the_mismatch_is_the_distance_to_the_nearest_known_sample_of_the_class(digits):
    images, labels = digits
    new, old = images[:30], images[30:]
    slow = [
        min(
            float((image - other).square().mean().sqrt()) for other, c in zip(old, labels[30:], strict=True) if c == own
        )
        for image, own in zip(new, labels[:30], strict=True)
    ]
    for rows in (1, 7, 1024):
        found = analysis.input_mismatch(new, labels[:30], old, labels[30:], rows=rows)
        assert found == pytest.approx(np.mean(slow), rel=1e-6)
    assert analysis.input_mismatch(old, labels[30:], images, labels) == 0
    assert math.isnan(analysis.input_mismatch(new, labels[:30] + 10, old, labels[30:]))
    with pytest.raises(DynExplorerError, match="do not fit: give samples of the same shape"):
        analysis.input_mismatch(new, labels, old, labels[30:])
    with pytest.raises(DynExplorerError, match=r"`rows` \(=0\)"):
        analysis.input_mismatch(new, labels[:30], old, labels[30:], rows=0)

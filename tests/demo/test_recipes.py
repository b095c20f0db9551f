"""The training recipes: what they are made of, where they stop, and the outcomes that are quick to see."""

from __future__ import annotations

import re

import pytest
import torch

from dyn_explorer import DynExplorerError, analysis, demo


def test_the_digits_are_split_into_those_to_train_on_and_others():
    images, labels, test_images, test_labels = demo.flat_digits()
    assert (images.shape, test_images.shape) == ((1297, 64), (500, 64))
    assert (len(labels), len(test_labels)) == (1297, 500)
    everything = torch.cat([images, test_images])
    assert torch.equal(everything, torch.cat([demo.digits(part)[0] for part in ("train", "test")]).flatten(1))


@pytest.mark.parametrize("name", demo.RECIPES)
def test_a_recipe_says_what_it_is_and_what_came_out_and_starts_untrained(name):
    state = torch.get_rng_state()
    made, again = demo.recipe(name, seed=3), demo.recipe(name, seed=3)
    assert torch.equal(torch.get_rng_state(), state)
    assert made.name == name
    assert made.about.endswith(".")
    assert made.outcome.endswith(".")
    assert made.unit in ("step", "epoch")
    assert list(made.marks) == sorted(set(made.marks))
    same = [
        torch.equal(one, other) for one, other in zip(made.model.parameters(), again.model.parameters(), strict=True)
    ]
    assert all(same)
    scores = made.model(made.inputs)
    assert scores.shape == (len(made.inputs), 2 if name == "parity" else 10)
    assert made.labels.max() < scores.shape[1]
    assert made.test_labels.max() < scores.shape[1]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("baking", {}, "there is no recipe 'baking'; there are 'grokking', 'parity'"),
        ("grokking", {"size": 3}, r"the recipe 'grokking' has no size; leave out `size` \(=3\)"),
        ("width", {"size": 0}, r"`size` \(=0\) of the recipe 'width' must lie in 1..4096"),
        ("parity", {"size": 5000}, "must lie in 2..1297"),
    ],
)
def test_what_is_not_there_is_refused(name, options, message):
    with pytest.raises(DynExplorerError, match=message):
        demo.recipe(name, **options)


def test_sizes_are_layers_neurons_and_digits():
    def widths(name: str, size: int) -> list[int]:
        return [layer.out_features for layer in demo.recipe(name, size=size).model if hasattr(layer, "out_features")]

    assert widths("width", 5) == [5, 5, 10]
    assert widths("depth", 0) == [10]
    assert widths("depth", 3) == [64, 64, 64, 10]
    assert len(demo.recipe("parity", size=40).inputs) == 40


def test_running_statistics_lag_and_catch_up():
    made = demo.recipe("batch_norm_lag")
    scores = {}
    for step in made.run():
        scores[step] = [
            analysis.truncation(made.model, made.test_inputs, made.test_labels, bn_stats=stats).full_accuracy
            for stats in ("running", "batch")
        ]
        if step == 60:
            break
    assert scores[10][0] < 0.3 < scores[10][1]
    assert abs(scores[60][0] - scores[60][1]) < 0.05


def test_a_wider_network_bears_more_noise_in_its_weights():
    widths = []
    for size in (16, 128):
        made = demo.recipe("width", size=size)
        assert list(made.run()) == [0, 60]
        assert not made.model.training
        basin = analysis.weight_basin(made.model, made.inputs[:300], made.labels[:300], draws=4, search="bisection")
        widths.append(basin.half_width)
    assert widths[1] > 1.5 * widths[0]


def test_grokking_has_learned_its_digits_by_heart_and_not_the_others_when_it_begins():
    made = demo.recipe("grokking")
    early = {}
    for step in made.run():
        early[step] = demo.accuracy(made.model, made.inputs, made.labels)
        if step == 2000:
            break
    assert list(early) == [0, 100, 1000, 2000]
    assert early[2000] > 0.98
    assert demo.accuracy(made.model, made.test_inputs, made.test_labels) < 0.3


def test_the_gradient_of_parity_rises_from_chance():
    made = demo.recipe("parity")
    gradients = {}
    for step in made.run():
        readout = analysis.linear_map(made.model, "0", (64,), inputs=made.inputs)
        fields = analysis.layer_fields(made.model, made.inputs, ["0"])["0"][0]
        gradients[step] = analysis.rank_alignment(fields, readout, made.labels).layer_gradient
        if step == 100:
            break
    assert gradients[1] < 0.2
    assert gradients[100] > 0.4


def test_outcomes_name_what_did_not_come_out():
    assert re.search("did not come out", demo.recipe("depth").outcome)

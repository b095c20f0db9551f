"""The digits, the network and its three checkpoints are what the lessons say they are."""

from __future__ import annotations

import pytest
import torch

from dyn_explorer import DynExplorerError, demo
from dyn_explorer.demo import build
from dyn_explorer.demo.checkpoints import WEIGHTS


@pytest.fixture(scope="module")
def training_set():
    return demo.digits("train")


@pytest.fixture(scope="module")
def test_set():
    return demo.digits("test")


def test_the_splits_are_images_and_labels(training_set, test_set):
    for (images, labels), count in ((training_set, 1437), (test_set, 360)):
        assert images.shape == (count, 1, 8, 8)
        assert images.dtype == torch.float32
        assert labels.shape == (count,)
        assert labels.dtype == torch.int64
        assert images.min() == 0
        assert images.max() == 1
        assert labels.unique().tolist() == list(range(len(demo.CLASS_NAMES)))


def test_the_splits_are_the_same_at_every_call(training_set):
    images, labels = demo.digits("train")
    assert torch.equal(images, training_set[0])
    assert torch.equal(labels, training_set[1])


def test_the_splits_make_up_the_whole_set(training_set, test_set):
    from sklearn.datasets import load_digits

    pixels = torch.cat([training_set[0], test_set[0]]).reshape(-1, 64) * 16
    whole = torch.from_numpy(load_digits().data).float()
    assert sorted(map(tuple, pixels.tolist())) == sorted(map(tuple, whole.tolist()))


def test_the_callers_random_numbers_are_left_alone():
    before = torch.get_rng_state()
    demo.small_cnn()
    demo.load()
    demo.digits()
    assert torch.equal(torch.get_rng_state(), before)


def test_a_seed_decides_the_initial_weights():
    first, again, other = (demo.small_cnn(seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["conv1.weight"], other["conv1.weight"])


def test_maps_have_the_shapes_that_the_docstring_states(test_set):
    shapes = {}
    model = demo.small_cnn()
    for name in ("conv1", "conv2", "conv3"):
        getattr(model, name).register_forward_hook(
            lambda module, inputs, output, name=name: shapes.update({name: tuple(output.shape[1:])})
        )
    model(test_set[0][:2])
    assert shapes == {"conv1": (16, 24, 24), "conv2": (32, 24, 24), "conv3": (32, 12, 12)}
    assert sum(parameter.numel() for parameter in model.parameters()) == 25_578


@pytest.mark.slow
def test_training_takes_an_untrained_network_to_97_percent(training_set, test_set):
    model = demo.small_cnn(seed=3)
    with build.one_thread():
        losses = demo.train(model, *training_set, seed=3)
    assert losses[-1] < 0.1 * losses[0]
    assert not model.training
    assert demo.accuracy(model, *test_set) >= 0.97


def test_training_twice_gives_the_same_weights(training_set):
    images, labels = (part[:128] for part in training_set)
    weights = []
    for _ in range(2):
        model = demo.small_cnn()
        with build.one_thread():
            demo.train(model, images, labels, epochs=2)
        weights.append(model.state_dict())
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_training_reports_every_epoch(training_set):
    seen = []
    images, labels = (part[:64] for part in training_set)
    losses = demo.train(
        demo.small_cnn(), images, labels, epochs=3, after_epoch=lambda epoch, loss: seen.append((epoch, loss))
    )
    assert seen == list(enumerate(losses, start=1))


def test_shuffled_labels_are_the_same_labels_on_other_images(training_set):
    labels = training_set[1]
    shuffled = demo.shuffled(labels)
    assert torch.equal(shuffled.bincount(), labels.bincount())
    assert (shuffled == labels).double().mean() < 0.15
    assert torch.equal(shuffled, demo.shuffled(labels))


def test_the_trained_checkpoint_knows_the_digits(training_set, test_set):
    model = demo.load("trained")
    assert demo.accuracy(model, *training_set) >= 0.99
    assert demo.accuracy(model, *test_set) >= 0.97


def test_the_shuffled_checkpoint_knows_its_labels_by_heart_and_nothing_else(training_set, test_set):
    model = demo.load("shuffled")
    images, labels = training_set
    assert demo.accuracy(model, images, demo.shuffled(labels)) >= 0.97
    assert demo.accuracy(model, *test_set) <= 0.2


# PyTorch draws normal numbers in another order on processors without these instructions.
DRAWS_AS_BUNDLED = torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")


def is_untrained(state):
    """Whether the convolutions look as they are drawn: He's normal weights, no biases."""
    biases = [state[f"conv{k}.bias"] for k in (1, 2, 3)]
    weights = [state[f"conv{k}.weight"].float() for k in (1, 2, 3)]
    drawn = [weight.std() / (2 / weight[0].numel()) ** 0.5 for weight in weights]
    return not any(map(torch.any, biases)) and all(0.8 < ratio < 1.2 for ratio in drawn)


def test_the_untrained_checkpoint_guesses(test_set):
    model = demo.load("untrained")
    assert demo.accuracy(model, *test_set) <= 0.2
    assert is_untrained(model.state_dict())
    fresh = demo.small_cnn().state_dict()
    assert is_untrained(fresh)
    assert not is_untrained(demo.load("trained").state_dict())
    if DRAWS_AS_BUNDLED:
        assert all(torch.allclose(fresh[name], value) for name, value in model.state_dict().items())


def test_epoch_0_of_a_run_is_an_untrained_network():
    states = [demo.history(run, seed).state(0) for run in ("true", "shuffled") for seed in demo.RUN_SEEDS]
    assert all(map(is_untrained, states))
    assert torch.equal(states[0]["conv1.weight"], states[len(demo.RUN_SEEDS)]["conv1.weight"])
    assert len({state["conv1.weight"].sum().item() for state in states}) == len(demo.RUN_SEEDS)
    assert not is_untrained(demo.history("shuffled", demo.RUN_SEEDS[0]).state(1))
    for seed, state in zip([*demo.RUN_SEEDS] * 2, states, strict=True) if DRAWS_AS_BUNDLED else ():
        fresh = demo.small_cnn(seed).state_dict()
        assert all(torch.equal(fresh[name].half(), state[name]) for name in fresh)


@pytest.mark.parametrize("name", demo.CHECKPOINTS)
def test_checkpoints_are_small_and_come_in_eval_mode(name):
    assert (WEIGHTS / f"{name}.safetensors").stat().st_size < 200_000
    assert not demo.load(name).training


def test_every_load_is_a_new_model():
    first = demo.load()
    with torch.no_grad():
        first.head.weight.zero_()
    assert demo.load().head.weight.abs().sum() > 0


def test_unknown_names_are_answered_with_the_known_ones():
    with pytest.raises(DynExplorerError, match=r"`name` \(='trian'\) .*'trained', 'shuffled', 'untrained'"):
        demo.load("trian")
    with pytest.raises(DynExplorerError, match=r"`split` \(='all'\) .*'train', 'test'"):
        demo.digits("all")


def test_build_writes_every_checkpoint(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(build, "RECIPES", dict.fromkeys(demo.CHECKPOINTS, build.untrained))
    build.build(tmp_path)
    assert sorted(path.stem for path in tmp_path.iterdir()) == sorted(demo.CHECKPOINTS)
    assert str(tmp_path) in capsys.readouterr().out

"""Profiles: the prefix rule point by point, scores by their definitions, and identities of classes and similarity."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from dyn_explorer import DynExplorerError
from dyn_explorer.analysis import class_profiles, filter_svd, prefix_weights, profile_similarity, profiles


def slow_prefix(scores: np.ndarray, tau: float) -> np.ndarray:
    """One score after the other, as the rule says."""
    weights = np.zeros(len(scores))
    total, running, accepted = sum(max(score, 0) for score in scores), 0.0, []
    for k in sorted(range(len(scores)), key=lambda k: (-max(scores[k], 0), k)):
        accepted.append(k)
        running += max(scores[k], 0)
        if running > tau * total:
            break
    for k in accepted:
        weights[k] = max(scores[k], 0) / (sum(max(scores[j], 0) for j in accepted) or 1)
    return weights


@pytest.mark.parametrize("tau", [0.0, 0.1, 0.5, 0.93, 1.0])
def test_the_prefix_rule_is_that_of_the_slow_reference(tau):
    scores = np.random.default_rng(0).normal(size=(30, 12))
    scores[3] = 0
    scores[4] = 1
    found = prefix_weights(scores, tau=tau)
    assert np.allclose(found, [slow_prefix(row, tau) for row in scores], rtol=0, atol=1e-12)
    assert found.sum(axis=1) == pytest.approx((scores > 0).any(axis=1).astype(float))
    assert prefix_weights([[3, 2, 1, 1]], tau=0.5) == pytest.approx(np.array([[0.6, 0.4, 0, 0]]))


def test_scores_are_those_of_the_definitions():
    torch.manual_seed(0)
    conv = nn.Conv2d(3, 6, 3)
    outputs = conv(torch.randn(4, 3, 12, 12)).detach()
    found = filter_svd(conv.weight)
    signals = np.einsum("dk,ndhw->nkhw", found.left[0], (outputs - conv.bias.detach()[:, None, None]).numpy())
    by_hand = np.abs(signals.mean(axis=(2, 3)))
    svd = profiles(outputs, directions=found, bias=conv.bias, tau=0.4)
    assert svd.weights == pytest.approx(prefix_weights(by_hand, tau=0.4), abs=1e-6)
    channel = profiles(outputs, kind="channel", tau=0.4)
    assert channel.weights == pytest.approx(prefix_weights(outputs.amax(dim=(2, 3)), tau=0.4))
    element = profiles(outputs, kind="element", tau=0.4)
    assert element.weights.shape == (4, 6 * 100)
    # One element stands for each channel, so they have the channels' weights.
    assert element.weights.reshape(4, 6, 100).sum(axis=2) == pytest.approx(channel.weights)
    first = element.weights[0].reshape(6, 100)
    assert all(first[c].argmax() == outputs[0, c].argmax() for c in np.flatnonzero(first.any(axis=1)))
    spatial = profiles(outputs, kind="spatial", tau=1)
    assert spatial.counts.sum(axis=1).tolist() == [3] * 4  # the top 3 % of 100 positions
    strongest = outputs[1].norm(dim=0).flatten().topk(3).indices.tolist()
    assert np.flatnonzero(spatial.counts[1]).tolist() == sorted(strongest)


def test_at_most_a_hundred_positions_are_looked_at():
    outputs = torch.rand(1, 2, 80, 80)
    assert profiles(outputs, kind="spatial", tau=1).counts.sum() == 100


def test_tokens_and_vectors_have_profiles_too():
    linear = nn.Linear(5, 4)
    tokens = torch.randn(3, 7, 5)
    found = filter_svd(linear.weight)
    by_token = profiles(linear(tokens), directions=found, bias=linear.bias, channel_dim=2)
    assert by_token.weights.shape == (3, 4)
    assert profiles(linear(tokens[:, 0]), directions=found, bias=linear.bias).weights.shape == (3, 4)


def test_a_class_of_one_input_has_its_profile_and_counts_add_up():
    outputs = torch.randn(6, 8, 5)
    each = profiles(outputs, kind="channel", tau=0.5)
    alone = class_profiles(each, range(6))
    assert np.array_equal(alone.weights, each.weights)
    joined = class_profiles(each, [2, 2, 2, 5, 5, 5])
    assert joined.names == (2, 5)
    assert np.array_equal(joined.counts.sum(axis=0), each.counts.sum(axis=0))
    for neuron in np.flatnonzero(joined.counts[0]):
        weights = each.weights[:3, neuron]
        assert joined.weights[0, neuron] == pytest.approx(weights[weights > 0].mean())


def test_similarity_is_that_of_sets():
    one = profiles(torch.randn(5, 9, 4), kind="channel", tau=0.6)
    other = profiles(torch.randn(3, 9, 4), kind="channel", tau=0.3)
    found = profile_similarity(one, other)
    for i in range(5):
        for j in range(3):
            left, right = set(np.flatnonzero(one.counts[i])), set(np.flatnonzero(other.counts[j]))
            assert found[i, j] == pytest.approx(len(left & right) / len(left | right))
    assert np.diag(profile_similarity(one)) == pytest.approx(np.ones(5))
    nothing = profiles(torch.zeros(2, 9, 4), kind="channel")
    assert np.isnan(profile_similarity(nothing)).all()


def test_the_sign_of_a_direction_does_not_matter():
    outputs = torch.randn(4, 6, 3, 3)
    found = filter_svd(torch.randn(6, 4))
    flipped = filter_svd(torch.randn(6, 4))
    object.__setattr__(flipped, "left", -found.left)
    object.__setattr__(flipped, "singular_values", found.singular_values)
    assert profiles(outputs, directions=flipped).weights == pytest.approx(profiles(outputs, directions=found).weights)


def test_bad_input_is_answered_in_words():
    outputs = torch.randn(3, 4, 5)
    with pytest.raises(DynExplorerError, match=r"`kind` \(='edge'\) must be one of 'svd', 'channel', 'element'"):
        profiles(outputs, kind="edge")
    with pytest.raises(DynExplorerError, match='`directions` are needed for kind "svd"'):
        profiles(outputs)
    with pytest.raises(DynExplorerError, match='no positions, so there is no kind "spatial"; use "channel"'):
        profiles(outputs[:, :, 0], kind="spatial")
    with pytest.raises(DynExplorerError, match=r"`tau` \(=2\) must lie in 0\.\.1"):
        profiles(outputs, kind="channel", tau=2)
    with pytest.raises(DynExplorerError, match=r"`scores` of shape \(3,\) must be a matrix of finite numbers"):
        prefix_weights([1.0, 2.0, 3.0])
    found = profiles(outputs, kind="channel")
    with pytest.raises(DynExplorerError, match=r"`labels` of shape \(2,\) must hold one class for each of 3"):
        class_profiles(found, [1, 2])
    with pytest.raises(DynExplorerError, match="4 'channel' and 20 'element' neurons; compare profiles of one layer"):
        profile_similarity(found, profiles(outputs, kind="element"))

"""Entropies and gaps: closed forms, bounds and refusals."""

from __future__ import annotations

import math

import hypothesis
import numpy as np
import pytest
import torch
from hypothesis import strategies as st

from dyn_explorer.analysis import eigenvalue_entropy, spectral_gap
from dyn_explorer.errors import DynExplorerError

KINDS = ["share", "hist256", "histogram"]
moduli = st.lists(st.floats(0, 1e3), min_size=1, max_size=60)


def test_eigenvalues_outside_the_unit_circle_share_one_bin_of_hist256():
    assert eigenvalue_entropy(np.array([1.0, 1.5j, -7.0, 1e200]), kind="hist256") == 0.0


def test_256_distinct_bins_are_8_bits():
    values = np.sqrt(np.arange(256) / 255)
    assert eigenvalue_entropy(values, kind="hist256") == pytest.approx(8.0)


def test_hist256_rounds_halves_up_as_matlab_does():
    halfway, above, below = np.sqrt(np.array([2.5, 3.0, 2.0]) / 255)
    assert eigenvalue_entropy([halfway, above], kind="hist256") == 0.0
    assert eigenvalue_entropy([halfway, below], kind="hist256") == 1.0


def test_histogram_clips_at_two_and_has_32_bins():
    assert eigenvalue_entropy([2.0, 5.0, 1.99], kind="histogram") == 0.0
    centres = (np.arange(32) + 0.5) / 16
    assert eigenvalue_entropy(centres, kind="histogram") == pytest.approx(5.0)


def test_shares_have_their_closed_form():
    expected = -(0.8 * math.log2(0.8) + 0.2 * math.log2(0.2))
    assert eigenvalue_entropy([2j, -1.0]) == pytest.approx(expected)
    assert eigenvalue_entropy(torch.tensor([2.0, 1.0])) == pytest.approx(expected)
    assert eigenvalue_entropy([1e300, 1e300]) == pytest.approx(1.0)


@hypothesis.given(moduli=moduli, kind=st.sampled_from(KINDS), turn=st.floats(0, 6))
def test_entropies_are_bounded_and_blind_to_phase(moduli, kind, turn):
    entropy = eigenvalue_entropy(np.array(moduli), kind=kind)
    hypothesis.assume(not math.isnan(entropy))
    assert -1e-12 <= entropy <= math.log2(len(moduli)) + 1e-12
    if kind == "share":
        turned = eigenvalue_entropy(np.array(moduli) * np.exp(1j * turn), kind=kind)
        assert turned == pytest.approx(entropy, abs=1e-9)


def test_what_is_undefined_is_nan():
    assert all(math.isnan(eigenvalue_entropy([], kind=kind)) for kind in KINDS)
    assert math.isnan(eigenvalue_entropy([0.0, 0.0]))
    assert math.isnan(spectral_gap([]))
    assert math.isnan(spectral_gap([0.9]))
    assert math.isnan(spectral_gap([0.5 + 0.5j, 0.5 - 0.5j], kind="second_to_unit"))


def test_gaps_merge_pairs_and_nothing_else():
    values = np.array([0.6, 0.8j, -0.8j])
    assert spectral_gap(values) == pytest.approx(0.2)
    assert spectral_gap(values, kind="second_to_unit") == pytest.approx(0.4)
    assert spectral_gap([0.9, -0.9, 0.5]) == 0.0
    assert spectral_gap([0.9 + 0.1j, 0.9 + 0.1j]) == 0.0
    assert spectral_gap([1.2, 1.1], kind="second_to_unit") == pytest.approx(-0.1)


@pytest.mark.parametrize("function", [eigenvalue_entropy, spectral_gap])
def test_bad_input_is_refused(function):
    with pytest.raises(DynExplorerError, match=r"`kind` \(='matlab'\) is unknown; choose one of"):
        function([0.5], kind="matlab")
    with pytest.raises(DynExplorerError, match="2 of 3 `eigenvalues` are NaN or infinite"):
        function([np.nan, 0.5, np.inf])
    with pytest.raises(DynExplorerError, match=r"shape \(1, 2\) .* one dimension of numbers"):
        function([[0.5, 0.1]])
    with pytest.raises(DynExplorerError, match="one dimension of numbers"):
        function(["a"])

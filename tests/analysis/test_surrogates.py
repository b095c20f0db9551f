"""Each null keeps what it promises and destroys what it says."""

from __future__ import annotations

import numpy as np
import pytest

from dyn_explorer import DynExplorerError
from dyn_explorer.analysis import order_parameter, phases, surrogates

KINDS = ("shuffle", "phase_randomised", "circular_shift", "layer_permutation")


@pytest.fixture(params=[60, 61])
def walks(request):
    return np.cumsum(np.random.default_rng(0).standard_normal((5, request.param)), axis=1)


def test_a_shuffle_keeps_the_values_of_each_row_and_no_order(walks):
    copies = surrogates(walks, kind="shuffle", draws=10)
    for copy in copies:
        np.testing.assert_array_equal(np.sort(copy, axis=1), np.sort(walks, axis=1))
    roughness = np.abs(np.diff(copies, axis=2)).mean() / np.abs(np.diff(walks, axis=1)).mean()
    assert roughness > 2


def test_random_phases_keep_the_spectrum_and_the_mean(walks):
    copies = surrogates(walks, kind="phase_randomised", draws=10)
    expected = np.abs(np.fft.rfft(walks, axis=1))
    for copy in copies:
        np.testing.assert_allclose(np.abs(np.fft.rfft(copy, axis=1)), expected, atol=1e-9)
        assert not np.allclose(copy, walks)


def test_a_circular_shift_turns_each_row_by_itself(walks):
    copies = surrogates(walks, kind="circular_shift", draws=10)
    shifts = set()
    for copy in copies:
        for row, source in zip(copy, walks, strict=True):
            places = [shift for shift in range(len(source)) if np.array_equal(np.roll(source, shift), row)]
            assert len(places) == 1
            shifts.add(places[0])
    assert len(shifts) > 10


def test_a_permutation_of_layers_is_the_same_in_all_rows(walks):
    for copy in surrogates(walks, kind="layer_permutation", draws=10):
        order = [int(np.flatnonzero(walks[0] == value)[0]) for value in copy[0]]
        assert sorted(order) == list(range(walks.shape[1]))
        np.testing.assert_array_equal(copy, walks[:, order])


@pytest.mark.parametrize("kind", ["shuffle", "phase_randomised", "circular_shift"])
def test_timing_between_rows_is_lost(kind):
    together = np.tile(np.random.default_rng(0).standard_normal(300), (16, 1))
    copies = surrogates(together, kind=kind, draws=5)
    assert order_parameter(phases(together)).mean() == pytest.approx(1)
    assert max(order_parameter(phases(copy)).mean() for copy in copies) < 0.35


@pytest.mark.parametrize("kind", KINDS)
def test_a_draw_depends_on_its_seed_and_number_only(kind, walks):
    few, many = (surrogates(walks, kind=kind, draws=draws, seed=3) for draws in (2, 6))
    np.testing.assert_array_equal(few, many[:2])
    assert not np.array_equal(few, surrogates(walks, kind=kind, draws=2, seed=4))


def test_bad_input_is_refused(walks):
    with pytest.raises(DynExplorerError, match=r"`kind` \(='bootstrap'\) is unknown; choose one of shuffle, phase_ran"):
        surrogates(walks, kind="bootstrap")
    with pytest.raises(DynExplorerError, match=r"`draws` \(=0\) must be a whole number of at least 1"):
        surrogates(walks, kind="shuffle", draws=0)
    with pytest.raises(DynExplorerError, match=r"`seed` \(=-1\) must be a whole number of at least 0"):
        surrogates(walks, kind="shuffle", seed=-1)
    with pytest.raises(DynExplorerError, match=r"`signals` of shape \(3,\) .* 2 dimensions"):
        surrogates(np.zeros(3), kind="shuffle")

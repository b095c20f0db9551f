"""Splitting snapshots by modes, and the heat map to compare with."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dyn_explorer.analysis import background_foreground, compress, dmd, svd_heat_map
from dyn_explorer.errors import DynExplorerError


def test_the_parts_add_up_to_the_reconstruction(noise):
    result = dmd(noise(200, 20, mean=1.0), rank=9)
    split = background_foreground(result)
    np.testing.assert_allclose(split.background + split.foreground, result.reconstruct(), atol=1e-10)
    assert split.background.shape == (200, 20)
    assert 0 < split.share < 1


def test_what_does_not_change_is_the_background(noise):
    still = noise(300, 1)
    moving = noise(300, 2, seed=1) @ np.stack([np.cos(np.arange(30)), np.sin(np.arange(30))])
    split = background_foreground(dmd(still + moving), times=[0, 7])
    np.testing.assert_allclose(split.background, np.hstack([still, still]), atol=1e-9)
    np.testing.assert_allclose(split.foreground, moving[:, [0, 7]], atol=1e-9)
    assert split.distance < 1e-9


def test_a_pair_is_split_off_whole(planted):
    eigenvalues = np.array([0.98 * np.exp(0.05j), 0.98 * np.exp(-0.05j), 0.5])
    result = dmd(planted(eigenvalues))
    split = background_foreground(result, times=0)
    assert result.eigenvalues[split.mode].imag > 0
    pair = [split.mode, result.partners[split.mode]]
    np.testing.assert_allclose(split.background[:, 0], (result.modes(pair) @ result.amplitudes[pair]).real, atol=1e-10)


def test_a_single_mode_leaves_an_empty_foreground():
    split = background_foreground(dmd(np.full((50, 6), 3.0)))
    np.testing.assert_allclose(split.background, 3.0)
    np.testing.assert_array_equal(split.foreground, 0.0)
    assert split.share == 1.0


def test_nothing_to_split_is_said():
    matrix = np.zeros((5, 4))
    matrix[0, 1] = 1.0
    with pytest.raises(DynExplorerError, match=r"every mode of the exact decomposition has amplitude zero"):
        background_foreground(dmd(matrix))


def test_the_heat_map_is_the_first_principal_component(noise):
    matrix = np.abs(noise(60, 12))
    left, sigma, _ = np.linalg.svd(matrix[:, 2:9], full_matrices=False)
    heat = svd_heat_map(torch.from_numpy(matrix), window=(2, 9), map_shape=(6, 10))
    np.testing.assert_allclose(heat.values.ravel(), np.abs(left[:, 0] * sigma[0]), atol=1e-10)
    assert heat.share == pytest.approx(sigma[0] ** 2 / (sigma**2).sum())
    assert heat.values.shape == (6, 10)
    np.testing.assert_allclose(svd_heat_map(compress(-matrix), window=(2, 9)).values, heat.values.ravel(), atol=1e-10)


def test_bad_maps_are_refused(noise):
    with pytest.raises(DynExplorerError, match=r"`map_shape` \(=\(7, 7\)\) holds 49 values .* 60 features"):
        svd_heat_map(noise(60, 5), map_shape=(7, 7))
    with pytest.raises(DynExplorerError, match=r"every map in the window .* is zero"):
        svd_heat_map(np.zeros((6, 4)))

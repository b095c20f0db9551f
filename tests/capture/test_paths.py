"""One image on its way."""

import numpy as np
import pytest
import torch
from torch import nn

from dyn_explorer.capture import path_inputs, record, record_path, snapshots
from dyn_explorer.errors import DynExplorerError


@pytest.fixture
def image():
    return torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(0))


def test_a_turn_of_360_degrees_returns_the_image(image):
    turned = path_inputs(image, steps=5, amount=360)
    assert turned.shape == (5, 3, 8, 8)
    for quarters, step in enumerate(turned):
        torch.testing.assert_close(step, torch.rot90(image, quarters, dims=(1, 2)), atol=1e-5, rtol=0)


def test_a_full_turn_stops_before_it_repeats(image):
    turned = path_inputs(image, steps=4)
    torch.testing.assert_close(turned[3], torch.rot90(image, 3, dims=(1, 2)), atol=1e-5, rtol=0)
    backwards = path_inputs(image, steps=4, amount=-270)
    torch.testing.assert_close(backwards[1], turned[3], atol=1e-5, rtol=0)


def test_turning_keeps_shapes_in_pictures_that_are_not_square():
    rows, columns = torch.meshgrid(torch.arange(20.0) - 9.5, torch.arange(40.0) - 19.5, indexing="ij")
    disc = ((rows**2 + columns**2) < 36).float()
    for step in path_inputs(disc, steps=7, amount=80):
        assert (step - disc).abs().mean() < 0.02


def test_a_shift_by_whole_pixels_is_a_slice(image):
    moved = path_inputs(image, kind="shift", steps=3, amount=4, padding="zeros")
    torch.testing.assert_close(moved[1][..., 2:], image[..., :-2], atol=1e-5, rtol=0)
    assert moved[1][..., :2].abs().max() < 1e-5
    down = path_inputs(image, kind="shift", steps=3, amount=(2, -4))[2]
    torch.testing.assert_close(down[:, 2:, :-4], image[:, :-2, 4:], atol=1e-5, rtol=0)
    torch.testing.assert_close(down[:, 0, -1], image[:, 0, -1], atol=1e-5, rtol=0)


def test_a_morph_is_a_straight_line(image):
    steps = path_inputs(image, kind="morph", steps=6, to=1 - image)
    torch.testing.assert_close(steps[0], image)
    torch.testing.assert_close(steps[-1], 1 - image)
    gaps = steps.diff(dim=0)
    torch.testing.assert_close(gaps, gaps[:1].expand_as(gaps), atol=1e-6, rtol=0)
    half = path_inputs(image, kind="morph", steps=3, to=1 - image, amount=0.5)
    torch.testing.assert_close(half[-1], torch.full_like(image, 0.5))


def test_forms_of_an_image(image):
    expected = path_inputs(image, steps=4)
    assert torch.equal(path_inputs(image[None], steps=4), expected)
    assert torch.equal(path_inputs(image.numpy(), steps=4), expected)
    torch.testing.assert_close(path_inputs(image[0], steps=4), expected[:, 0])
    assert path_inputs((image * 255).byte(), steps=4).dtype == torch.float32
    assert path_inputs(image.double(), steps=4).dtype == torch.float64
    half = path_inputs(image.bfloat16(), steps=4)
    assert half.dtype == torch.bfloat16
    torch.testing.assert_close(half.float(), expected, atol=0.01, rtol=0.01)
    tokens = torch.rand(5, 16)
    assert path_inputs(tokens, kind="morph", steps=4, to=tokens.flip(0)).shape == (4, 5, 16)
    assert path_inputs(image, steps=4, kind="morph", to=image[None][0].numpy()).shape == (4, 3, 8, 8)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 3))


def test_a_path_is_a_true_time(model, image):
    recording = record_path(model, image, ["0"], steps=12, amount=110, batch_size=5)
    result = snapshots(recording, "0", axis="path")
    with torch.no_grad():
        torch.testing.assert_close(result.matrix.T, model[0](path_inputs(image, steps=12, amount=110)).flatten(1))
    assert result.feature_shape == (4, 6, 6)
    assert (result.dt, result.time_unit, result.times[3]) == (pytest.approx(10), "degrees", pytest.approx(30))
    assert result.labels[3] == "turned by 30°"
    assert "12 even steps of a path (rotate), in time order; its rows are all values of 0" in result.column_meaning
    assert "each step is 10 degrees" in result.column_meaning
    both = snapshots(recording_of_all := record_path(model, image, steps=4), ["0", "2"], axis="path")
    assert both.feature_shape == both.matrix.shape[:1] == (4 * 36 + 2 * 16,)
    assert snapshots(recording_of_all, "0", axis="channel", sample=3).matrix.shape == (36, 4)


def test_units_of_the_other_paths(model, image):
    shift = snapshots(record_path(model, image, kind="shift", steps=4, amount=(3, 4)), "0", axis="path")
    assert (shift.dt, shift.time_unit, shift.labels[3]) == (pytest.approx(5 / 3), "pixels", "shifted by 5 px")
    morph = snapshots(record_path(model, image, kind="morph", steps=5, to=1 - image), "0", axis="path")
    assert (morph.dt, morph.time_unit, morph.labels[1]) == (0.25, "of the way", "25% of the way")


def test_the_step_follows_the_columns_that_are_left(model, image):
    recording = record_path(model, image, steps=13, amount=120)
    every_third = snapshots(recording, "0", axis="path", max_columns=5)
    assert every_third.times == pytest.approx((0, 30, 60, 90, 120))
    assert every_third.dt == pytest.approx(30)
    mixed = snapshots(recording, "0", axis="path", order="random")
    assert mixed.dt == 1.0
    assert "not evenly spaced in time, so each step counts as 1" in mixed.column_meaning


def test_the_end_of_a_closed_path_is_left_out():
    recording = record_path(
        nn.Sequential(nn.Conv2d(1, 2, 3)), torch.rand(1, 8, 8).double().float(), steps=9, amount=360
    )
    result = snapshots(recording, "0", axis="path")
    assert len(result.labels) + len(result.dropped) == 9
    assert result.dt == pytest.approx(45)


@pytest.mark.parametrize(
    ("given", "options", "message"),
    [
        (torch.rand(3, 8, 8), {"kind": "melt"}, r"`kind` \(='melt'\) is unknown; choose one of: rotate, shift, morph"),
        (torch.rand(3, 8, 8), {"padding": "wrap"}, "`padding` .* border, zeros, reflection"),
        (torch.rand(3, 8, 8), {"steps": 2}, r"`steps` \(=2\) must be an integer of at least 3"),
        (torch.rand(3, 8, 8), {"amount": 0}, r"`amount` \(=0\) must be one finite number other than 0"),
        (torch.rand(3, 8, 8), {"amount": (1, 2)}, "`amount` .* one finite number .* kind='rotate'"),
        (torch.rand(3, 8, 8), {"kind": "shift", "amount": (0, 0)}, "pixels to the right, or .down, right."),
        (torch.rand(3, 8, 8), {"kind": "morph"}, "kind='morph' needs `to`, the image at the end"),
        (torch.rand(3, 8, 8), {"to": torch.rand(3, 8, 8)}, "`to` is where a morph ends, and kind='rotate' takes none"),
        (
            torch.rand(3, 8, 8),
            {"kind": "morph", "to": torch.rand(3, 9, 8)},
            r"`image` has shape \(3, 8, 8\) and `to` \(3, 9, 8\); .* resize or crop",
        ),
        (torch.rand(5, 3, 8, 8), {}, r"holds 5 images, and a path starts from one; give image\[0\]"),
        (torch.rand(5, 3, 8, 8), {"kind": "morph", "to": torch.rand(5, 3, 8, 8)}, r"holds 5 images.* to\[0\]"),
        (torch.rand(16), {}, r"`image` \(shape \(16,\)\) is no image.*or use kind='morph'"),
        (torch.rand(4, 1), {}, r"shape \(4, 1\)\) is no image"),
        (torch.ones(3, 8, dtype=torch.int64), {}, r"torch.int64 values.*token numbers.*floating or uint8"),
        (np.ones((3, 8, 8), dtype=bool), {}, "torch.bool values"),
        (torch.full((3, 8, 8), float("nan")), {}, "`image` holds NaN or infinite values"),
        (
            {"pixel_values": torch.rand(1, 3, 8, 8)},
            {},
            r"must be one image as a tensor or array, got dict.*images\[0\]",
        ),
        ([torch.rand(3, 8, 8)], {}, "got list"),
        (torch.rand(3, 8, 8), {"kind": "morph", "to": "cat"}, "`to` must be one image as a tensor or array, got str"),
    ],
    ids=range(19),
)
def test_impossible_paths_are_explained(given, options, message):
    with pytest.raises(DynExplorerError, match=message):
        path_inputs(given, **options)


def test_a_layer_that_does_not_answer(image):
    model = nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU())
    with torch.no_grad():
        model[0].bias.fill_(-100)
    with pytest.raises(DynExplorerError, match=r"axis='path' gives 0 columns.*dead units.*longer path or more `steps`"):
        snapshots(record_path(model, image), "1", axis="path")
    with pytest.raises(DynExplorerError, match=r"axis='path' needs a recording of one image on its way"):
        snapshots(record(model, image[None]), "1", axis="path")

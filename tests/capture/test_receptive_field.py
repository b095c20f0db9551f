"""The window of every place, against the pixels that a gradient reaches, found one place after the other."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from dyn_explorer import DynExplorerError
from dyn_explorer.capture import ReceptiveField, receptive_field, response_gradient


class Branches(nn.Module):
    """Two ways of different width, added, and a third put beside them."""

    def __init__(self) -> None:
        super().__init__()
        self.wide = nn.Conv2d(2, 3, 3, stride=2, padding=2, dilation=2)
        self.narrow = nn.Conv2d(2, 3, 1, stride=2)
        self.last = nn.Conv2d(6, 2, 3, padding=1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        narrow = self.narrow(images)
        summed = functional.relu(self.wide(images) + narrow)
        return self.last(torch.cat([summed, narrow], dim=1))


MIXED = nn.Sequential(
    nn.Conv2d(2, 4, (5, 3), stride=(2, 1), padding=(1, 2)),
    nn.BatchNorm2d(4),
    nn.ReLU(inplace=True),
    nn.Conv2d(4, 4, (3, 2), padding=(2, 1), dilation=(2, 3), groups=2),
    nn.Hardswish(),
    nn.AvgPool2d(2, stride=(1, 2), padding=(0, 1)),
    nn.ZeroPad2d((1, 0, 2, 0)),
    nn.Conv2d(4, 3, 3, stride=2, padding="valid"),
)
SAME = nn.Sequential(nn.Conv2d(2, 3, (3, 5), padding="same", dilation=(1, 3)), nn.MaxPool2d(3, 2, padding=1))
AWAY = 6
# With its layer, the size of its images, and how many of them it takes until each pixel was the largest of its pool.
AFTER = (nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(4, 2, 3, dilation=2))
ENLARGED = {mode: nn.Sequential(nn.Upsample(scale_factor=3, mode=mode), *AFTER) for mode in ("bilinear", "nearest")}
MODELS = {
    "bilinear": (ENLARGED["bilinear"], "4", (8, 9), 1),
    "nearest": (ENLARGED["nearest"], "4", (8, 9), 1),
    "mixed": (MIXED, "7", (31, 34), 1),
    "same": (SAME, "1", (9, 16), 40),
    "branches": (Branches(), "last", (19, 22), 1),
}


def opened(model: nn.Module) -> nn.Module:
    """With weights that let everything through, so that a gradient reaches all that it can."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.rand_like(parameter) + 0.1)
    return model.eval()


def reached(model: nn.Module, layer: str, size: tuple[int, int], places: list, draws: int) -> list[tuple]:
    """Of each place, the box around the pixels that it depends on in one of some images."""
    rows, columns = (torch.tensor(each).repeat_interleave(draws) for each in zip(*places, strict=True))
    images, every = torch.rand(len(rows), 2, *size), torch.arange(len(rows))
    found = response_gradient(model, images, layer, lambda maps: maps[every, :, rows, columns].sum(dim=1))
    masks = (found > 1e-5).reshape(len(places), draws * 2, *size).any(dim=1)
    boxes = []
    for mask in masks:
        touched = mask.nonzero()
        (top, left), (low, right) = touched.amin(dim=0).tolist(), touched.amax(dim=0).tolist()
        boxes.append((top, left, low + 1, right + 1))
    return boxes


def answer(model: nn.Module, layer: str, images: torch.Tensor) -> torch.Tensor:
    kept = []
    handle = dict(model.named_modules())[layer].register_forward_hook(lambda _m, _a, out: kept.append(out))
    model(images)
    handle.remove()
    return kept[0]


def opened_case(name: str):
    """A model, its layer, the windows to be tested, and the places of the layer's map."""
    torch.manual_seed(0)
    model, layer, size, _ = MODELS[name]
    model, image = opened(model), torch.rand(1, 2, *size)
    height, width = answer(model, layer, image).shape[2:]
    places = [(row, column) for row in range(height) for column in range(width)]
    return model, layer, receptive_field(model, image, layer), places


@pytest.mark.parametrize("name", MODELS)
def test_windows_are_what_gradients_reach_on_a_canvas_without_borders(name):
    model, layer, field, places = opened_case(name)
    _, _, size, draws = MODELS[name]
    assert field.image == size
    assert min(field.box(0, 0)) < 0  # into the padding
    # The image lies in a canvas so large that no window of its places reaches the border of the canvas.
    down, right = int(AWAY * field.step[0]), int(AWAY * field.step[1])
    canvas = size[0] + 2 * down, size[1] + 2 * right
    found = reached(model, layer, canvas, [(row + AWAY, column + AWAY) for row, column in places], draws)
    moved = [(box[0] - down, box[1] - right, box[2] - down, box[3] - right) for box in found]
    assert [field.box(*place) for place in places] == moved


@pytest.mark.parametrize("name", MODELS)
def test_within_the_image_a_window_is_what_gradients_reach_and_elsewhere_no_less(name):
    model, layer, field, places = opened_case(name)
    _, _, size, draws = MODELS[name]
    inside = 0
    for place, found in zip(places, reached(model, layer, size, places, draws), strict=True):
        top, left, low, right = box = field.box(*place)
        assert found[0] >= top
        assert found[1] >= left
        assert found[2] <= low
        assert found[3] <= right
        if top >= 0 and left >= 0 and low <= size[0] and right <= size[1]:
            inside += 1
            assert found == box
    assert inside > 0


def test_the_same_window_whatever_the_image_and_whether_units_are_closed():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Conv2d(2, 2, 3))
    nn.init.constant_(model[0].bias, -100.0)
    field = receptive_field(model, torch.zeros(1, 1, 9, 9), "2")
    assert field == ReceptiveField((0, 0), (1, 1), (5, 5), (9, 9))
    assert not response_gradient(model, torch.rand(1, 1, 9, 9), "2", lambda maps: maps[:, 0, 2, 2]).any()


def test_what_looks_at_the_whole_map_looks_at_the_whole_image():
    class Excited(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.gate = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 1)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            maps = self.conv(images)
            return nn.functional.conv2d(maps * self.gate(maps.mean((2, 3), keepdim=True)), torch.ones(1, 4, 1, 1))

    norm = nn.Sequential(nn.Conv2d(1, 4, 3), nn.GroupNorm(2, 4), nn.Conv2d(4, 4, 3, stride=2, padding=1))
    for model, layer in ((norm, "2"), (Excited(), "")):
        field = receptive_field(model, torch.rand(1, 1, 9, 11), layer)
        for place in ((0, 0), (2, 1)):
            top, left, low, right = field.box(*place)
            assert top <= 0
            assert left <= 0
            assert low >= 9
            assert right >= 11
    pooled = nn.Sequential(nn.Conv2d(1, 4, 2), nn.AdaptiveAvgPool2d(4))
    assert receptive_field(pooled, torch.rand(1, 1, 9, 9), "1") == ReceptiveField((0, 0), (2, 2), (3, 3), (9, 9))


class Resized(nn.Module):
    """Does to its maps what it is told."""

    def __init__(self, how) -> None:
        super().__init__()
        self.conv, self.how, self.after = nn.Conv2d(1, 4, 3), how, nn.Identity()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.after(self.how(self.conv(images)))


UNFOLLOWED = {
    "resizing of kind 'bicubic' from \\(7, 7\\) to \\(14, 14\\) places": lambda maps: functional.interpolate(
        maps, scale_factor=2, mode="bicubic"
    ),
    "maps are resized after strides": lambda maps: functional.interpolate(functional.max_pool2d(maps, 2), (6, 6)),
    "softmax on the way to it is not followed": lambda maps: maps.softmax(dim=1),
    "pooling 7 x 7 places to 3 x 3 is not followed": lambda maps: functional.adaptive_avg_pool2d(maps, 3),
    "the places of a map are taken apart": lambda maps: maps.flatten(2),
    "padding of kind 'reflect' repeats places": lambda maps: functional.pad(maps, (1, 1, 1, 1), mode="reflect"),
}


@pytest.mark.parametrize("reason", UNFOLLOWED)
def test_what_is_not_followed_is_said(reason):
    with pytest.raises(DynExplorerError, match=f"receptive field of layer 'after' is not known: .*{reason}"):
        receptive_field(Resized(UNFOLLOWED[reason]), torch.rand(1, 1, 9, 9), "after")


def test_bad_input_is_answered_in_words():
    model = nn.Sequential(nn.Conv2d(1, 2, 3))
    with pytest.raises(DynExplorerError, match=r"`image` has shape \(2, 1, 9, 9\); a receptive field wants one image"):
        receptive_field(model, torch.rand(2, 1, 9, 9), "0")
    with pytest.raises(DynExplorerError, match="there is no layer 'conv'"):
        receptive_field(model, torch.rand(1, 1, 9, 9), "conv")

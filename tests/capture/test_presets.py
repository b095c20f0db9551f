"""The published pipeline, and layers chosen by name and kind."""

import re

import pytest
import torch
from torch import nn
from torch.nn import functional

from dyn_explorer.capture import (
    PRESETS,
    EpochRecording,
    dmd_xai_snapshots,
    list_layers,
    record,
    select_layers,
    snapshots,
)
from dyn_explorer.errors import DynExplorerError


def published_columns(maps_by_layer):
    """The pipeline of the paper's code, map by map, with its colours from matplotlib."""
    from matplotlib import colormaps

    files = {}
    for layer, (name, maps) in enumerate(maps_by_layer.items()):
        for k, values in enumerate(maps):
            soft = torch.softmax(values.flatten(), 0).reshape(values.shape)
            large = functional.interpolate(soft[None, None], size=(128, 128), mode="bilinear", align_corners=False)[
                0, 0
            ]
            spread = large.max() - large.min()
            # Resizing leaves rounding in a constant map on some processors, and the paper's code makes a picture of it.
            constant = spread <= 4 * torch.finfo(large.dtype).eps * large.abs().max()
            stretched = torch.zeros_like(large) if constant else (large - large.min()) / spread
            picture = torch.from_numpy(colormaps["jet"](stretched.numpy(), bytes=True)[..., :3]).float()
            files[f"layer-{layer}-{name}-{k}.png"] = picture.movedim(-1, 0).flatten()
    return torch.stack([files[name] for name in sorted(files)], dim=1)


@pytest.fixture
def recording():
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 12, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(12, 5, 3), nn.Flatten(), nn.Linear(125, 2)
    )
    with torch.no_grad():
        model[0].weight[4] = 0
        model[0].weight[7] = model[0].weight[6]
        model[0].bias[7] = model[0].bias[6]
    return record(model, torch.rand(2, 1, 16, 16))


def test_it_is_the_published_pipeline(recording):
    result = dmd_xai_snapshots(recording, 1)
    assert result.matrix.shape == (49_152, 17)
    expected = published_columns({name: recording.activations[name][1] for name in ("0", "3")})
    # One entry of the colour table apart, where rounding moves a value over its edge.
    assert ((result.matrix - expected).abs() <= 5).all()
    assert ((result.matrix - expected).abs() <= 1).float().mean() > 0.999
    assert [int(label.split()[-1]) for label in result.labels] == [0, 1, 10, 11, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4]
    assert result.dropped == ()
    assert result.feature_shape == (3, 128, 128)
    blue = result.matrix[:, result.labels.index("0 · channel 4")].reshape(3, -1)
    assert blue.unique(dim=1).tolist() == [[0], [0], [127]]
    same = snapshots(recording, ["0", "3"], sample=1, **PRESETS["dmd_xai"])
    assert torch.equal(same.matrix, result.matrix)


def test_layers_without_maps_are_passed_over():
    class Squeeze(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.gate, self.line = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 1), nn.Conv1d(4, 4, 3)

        def forward(self, x):
            maps = self.conv(x)
            return self.line(maps.flatten(2)).mean() + maps * self.gate(maps.mean((2, 3), keepdim=True))

    result = dmd_xai_snapshots(record(Squeeze(), torch.rand(1, 1, 8, 8)), max_columns=3, subsample="random", seed=1)
    assert result.layers == ("conv",)
    assert result.matrix.shape == (49_152, 3)
    with pytest.raises(DynExplorerError, match="'dmd_xai' needs a recorded two-dimensional convolution"):
        dmd_xai_snapshots(record(nn.Sequential(nn.Linear(3, 4)), torch.rand(2, 3)))


@pytest.fixture
def model():
    block = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU())
    return nn.Sequential(block, nn.ConvTranspose2d(2, 3, 3), nn.Flatten(), nn.Linear(192, 2))


def test_layers_by_name_and_kind(model):
    assert select_layers(model) == ["0.0", "0.1", "0.2", "1", "2", "3"]
    assert select_layers(model, r"^0\.") == ["0.0", "0.1", "0.2"]
    assert select_layers(model, re.compile("[13]$")) == ["0.1", "1", "3"]
    assert select_layers(model, kinds="Sequential") == ["0"]
    assert select_layers(model, kinds=["Conv2d", "Linear"]) == ["0.0", "3"]
    assert select_layers(model, kinds="convolution") == ["0.0", "1"]
    assert select_layers(model, lambda layer: layer.n_parameters > 50, kinds=["convolution", "Linear"]) == ["1", "3"]


def test_layers_of_a_recording_are_those_recorded(model):
    recording = record(model, torch.rand(2, 1, 8, 8), layers=["1", "0.0", "0"])
    assert select_layers(recording) == ["0.0", "0", "1"]
    assert select_layers(EpochRecording.of([recording, recording]), kinds="convolution") == ["0.0", "1"]


def test_nothing_that_matches_is_explained(model):
    with pytest.raises(
        DynExplorerError, match=r"no layer matches pattern 'head' and kinds \['Conv3d'\]; the layers are: 0"
    ):
        select_layers(model, "head", kinds="Conv3d")
    with pytest.raises(DynExplorerError, match=r"`pattern` \(='\['\) must be a regular expression"):
        select_layers(model, "[")
    assert {layer.kind for layer in list_layers(model)} >= {"Conv2d", "Flatten"}

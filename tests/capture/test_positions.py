"""Pixels and tokens as columns."""

import pytest
import torch
from torch.nn import functional

from dyn_explorer.capture import LayerInfo, Recording, snapshots
from dyn_explorer.errors import DynExplorerError


def recording_of(channel_dim=1, **activations):
    layers = tuple(LayerInfo(name, "Conv2d") for name in activations)
    n_samples = len(next(iter(activations.values())))
    return Recording(
        activations, torch.zeros(n_samples, 1), None, None, layers, dict.fromkeys(activations, channel_dim)
    )


@pytest.mark.parametrize("grid", [(7,), (4, 5), (2, 3, 4)])
def test_positions_are_the_transpose_of_channels(grid):
    recording = recording_of(a=torch.randn(3, 6, *grid))
    positions = snapshots(recording, "a", axis="position", sample=2)
    assert torch.equal(positions.matrix, snapshots(recording, "a", sample=2).matrix.T)
    assert positions.feature_shape == (6,)
    assert positions.map_shape is None
    assert positions.sample == 2


def test_labels_say_where():
    recording = recording_of(a=torch.randn(1, 6, 2, 3), b=torch.randn(1, 6, 4))
    labels = snapshots(recording, "a", axis="position").labels
    assert labels[:4] == ("row 0, column 0", "row 0, column 1", "row 0, column 2", "row 1, column 0")
    assert snapshots(recording, "b", axis="position").labels[3] == "position 3"
    volume = recording_of(a=torch.randn(1, 6, 2, 2, 2))
    assert snapshots(volume, "a", axis="position").labels[7] == "slice 1, row 1, column 1"


def test_tokens_without_their_class_token():
    tokens = torch.randn(2, 10, 5)
    result = snapshots(recording_of(2, a=tokens), "a", axis="position", sample=1)
    assert torch.equal(result.matrix, tokens[1, 1:].T)
    assert "class token is left out" in result.column_meaning


def test_channels_of_several_layers_stand_below_each_other():
    a, b = torch.randn(1, 3, 6, 6), torch.randn(1, 4, 3, 3)
    result = snapshots(recording_of(a=a, b=b), ["a", "b"], axis="position")
    wide = functional.interpolate(b, size=(6, 6), mode="bilinear", align_corners=False)
    torch.testing.assert_close(result.matrix, torch.cat([a, wide], 1)[0].flatten(1))
    assert "one position of the 6 x 6 maps of a and b, row by row" in result.column_meaning
    assert "maps are resized to 6 x 6" in result.column_meaning


def test_background_is_one_column():
    a = torch.randn(1, 5, 60, 60)
    a[..., :50, :] = torch.arange(5.0)[:, None, None]
    result = snapshots(recording_of(a=a), "a", axis="position")
    assert result.matrix.shape == (5, 601)
    assert result.dropped[0] == ("row 0, column 1", "the same as row 0, column 0")


def test_too_few_positions():
    with pytest.raises(DynExplorerError, match=r"axis='position' gives 2 columns.*larger maps or another sample"):
        snapshots(recording_of(a=torch.randn(1, 5, 1, 2)), "a", axis="position")

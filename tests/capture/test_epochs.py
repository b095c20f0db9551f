"""Checkpoints as columns."""

import copy

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from dyn_explorer.capture import EpochRecording, record, record_epochs, snapshots
from dyn_explorer.errors import DynExplorerError


def small(seed):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 3))


@pytest.fixture
def probe():
    return torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def course():
    return {epoch: small(epoch).eval() for epoch in (0, 5, 10, 15)}


def states(course):
    return {epoch: model.state_dict() for epoch, model in course.items()}


def test_each_column_is_what_that_checkpoint_answers(course, probe):
    epochs = record_epochs(small(99).eval(), states(course), probe)
    result = snapshots(epochs, "4", axis="epoch")
    with torch.no_grad():
        expected = torch.stack([model(probe).flatten() for model in course.values()], dim=1)
    torch.testing.assert_close(result.matrix, expected)
    assert result.labels == ("epoch 0", "epoch 5", "epoch 10", "epoch 15")
    assert (result.dt, result.time_unit, result.feature_shape) == (5.0, "epochs", (5, 3))
    assert (
        "one of 4 checkpoints, in time order; its rows are all values of 4 for the same 5 samples"
        in result.column_meaning
    )
    both = snapshots(epochs, ["4", "0"], axis="epoch", normalise="l2", centre=True)
    assert both.matrix.shape == (5 * 3 + 5 * 144, 4)
    assert both.feature_shape == (735,)


def test_the_model_is_given_back(course, probe, fingerprint, changed):
    model = small(99)
    before = fingerprint(model)
    checkpoints = states(course)
    kept = copy.deepcopy(checkpoints)
    record_epochs(model, checkpoints, probe, training=True)
    assert changed(before, fingerprint(model)) == []
    for epoch, state in checkpoints.items():
        assert all(torch.equal(value, kept[epoch][name]) for name, value in state.items())
    with pytest.raises(DynExplorerError):
        record_epochs(model, [*checkpoints.values(), {"0.weight": torch.zeros(1)}], probe)
    assert changed(before, fingerprint(model)) == []


def test_forms_of_a_checkpoint(course, probe, tmp_path):
    by_state = record_epochs(small(99).eval(), states(course), probe)
    torch.save(course[0].state_dict(), tmp_path / "0.pt")
    save_file(course[5].state_dict(), tmp_path / "5.safetensors")
    wrapped = {f"module.{name}": value.double() for name, value in course[10].state_dict().items()}
    mixed = {15: course[15], 5: str(tmp_path / "5.safetensors"), 0: tmp_path / "0.pt", 10: wrapped}
    by_file = record_epochs(small(99).eval(), mixed, probe)
    assert by_file.labels == by_state.labels
    assert torch.equal(snapshots(by_file, "4", "epoch").matrix, snapshots(by_state, "4", "epoch").matrix)
    assert all(recording.inputs is by_file.recordings[0].inputs for recording in by_file.recordings)


def test_weights_that_are_shared_and_saved_once(probe):
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(8, 8, bias=False), nn.Linear(8, 8, bias=False)
            self.second.weight = self.first.weight

        def forward(self, x):
            return self.second(self.first(x))

    model, x = Tied(), torch.rand(4, 8)
    weights = [torch.randn(8, 8) for _ in range(3)]
    epochs = record_epochs(model, [{"first.weight": weight} for weight in weights], x)
    for weight, recording in zip(weights, epochs.recordings, strict=True):
        torch.testing.assert_close(recording.outputs, x @ weight.T @ weight.T)
    assert model.second.weight is model.first.weight


def test_recurrent_layers_run_with_the_checkpoint(fingerprint, changed):
    class Sequence(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(3, 4, batch_first=True)

        def forward(self, x):
            return self.lstm(x)[0]

    model, others, x = Sequence(), [Sequence() for _ in range(3)], torch.rand(2, 5, 3)
    before = fingerprint(model)
    epochs = record_epochs(model, others, x)
    assert changed(before, fingerprint(model)) == []
    for other, recording in zip(others, epochs.recordings, strict=True):
        with torch.no_grad():
            torch.testing.assert_close(recording.outputs, other(x))


def test_one_checkpoint_again_and_again_is_one_column(course, probe):
    same = [course[0].state_dict()] * 4
    epochs = record_epochs(small(99).eval(), same, probe)
    with pytest.raises(
        DynExplorerError, match=r"1 columns \(3 of 4 .* repeat another\).*more checkpoints, further apart"
    ):
        snapshots(epochs, "4", axis="epoch")
    kept = snapshots(epochs, "4", axis="epoch", drop=False).matrix
    assert torch.equal(kept, kept[:, :1].expand(-1, 4))
    partly = record_epochs(small(99).eval(), [*course.values(), course[5]], probe)
    assert snapshots(partly, "4", axis="epoch").dropped == (("epoch 4", "the same as epoch 1"),)


def test_uneven_and_named_epochs(course, probe):
    uneven = dict(zip([0, 1, 10, 100], states(course).values(), strict=True))
    result = snapshots(record_epochs(small(99).eval(), uneven, probe), "4", axis="epoch")
    assert result.times == (0.0, 1.0, 10.0, 100.0)
    assert result.dt == 1.0
    assert "not evenly spaced" in result.column_meaning
    named = dict(zip(["start", "warm", "late", "end"], states(course).values(), strict=True))
    result = snapshots(record_epochs(small(99).eval(), named, probe), "4", axis="epoch")
    assert result.labels == ("start", "warm", "late", "end")
    assert result.times is None


def test_recordings_that_were_made_one_by_one(course, probe):
    recordings = {epoch: record(model, probe) for epoch, model in course.items()}
    joined = snapshots(EpochRecording.of(recordings), "0", axis="epoch")
    assert torch.equal(
        joined.matrix, snapshots(record_epochs(small(9).eval(), states(course), probe), "0", axis="epoch").matrix
    )
    with pytest.raises(DynExplorerError, match="the inputs of epoch 1 differ from those of epoch 0"):
        EpochRecording.of([recordings[0], record(course[5], probe + 1)])
    with pytest.raises(DynExplorerError, match=r"1 of `recordings` is no Recording, got Tensor|single state dict"):
        EpochRecording.of([recordings[0], probe])
    with pytest.raises(DynExplorerError, match="needs the recording of one checkpoint, got 4 of them"):
        snapshots(EpochRecording.of(recordings), "0", axis="channel")


def test_layers_that_change_their_shape(probe):
    models = [nn.Sequential(nn.Conv2d(1, channels, 3), nn.ReLU()) for channels in (4, 4, 5)]
    epochs = EpochRecording.of([record(model, probe) for model in models])
    with pytest.raises(
        DynExplorerError, match=r"'0' changes shape: \(5, 4, 6, 6\) at epoch 0, \(5, 5, 6, 6\) at epoch 2"
    ):
        snapshots(epochs, "0", axis="epoch")
    partly = EpochRecording.of([record(models[0], probe), record(models[1], probe, "1"), record(models[0], probe)])
    with pytest.raises(DynExplorerError, match="layer '0' was not recorded at epoch 1; record the same layers"):
        snapshots(partly, "0", axis="epoch")


def test_progress_counts_all_checkpoints(course, probe):
    seen = []
    record_epochs(small(0), states(course), probe, batch_size=2, progress=lambda done, text: seen.append((done, text)))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (1.0, "checkpoint 4 of 4: recorded 5 of 5 samples")


@pytest.mark.parametrize(
    ("checkpoints", "message"),
    [
        ([], "`checkpoints` is empty"),
        (small(0), "must be a mapping of epochs or a list, got one Sequential"),
        ("run/model.pt", "must be a mapping of epochs or a list, got one str"),
        (small(0).state_dict(), "is a single state dict; give several, by epoch"),
        ([3], "epoch 0 must be a state dict, the path of one, or a model, got int"),
        (["no/such.pt"], "epoch 0: cannot read 'no/such.pt' as a state dict .FileNotFoundError"),
        ([{"0.weight": torch.zeros(4, 1, 3, 3)}], "epoch 0 does not fit the model: .*Missing key"),
        ([{**small(0).state_dict(), "0.bias": torch.zeros(7)}], "epoch 0 does not fit the model: .*size mismatch"),
        (
            [{"epoch": 3, "model": small(0).state_dict()}],
            r"holds other dictionaries \('model'\).*checkpoint\['model'\]",
        ),
    ],
    ids=range(9),
)
def test_what_is_no_checkpoint_is_explained(checkpoints, message, probe):
    with pytest.raises(DynExplorerError, match=f"(?s){message}"):
        record_epochs(small(1), checkpoints, probe)


def test_the_budget_counts_all_checkpoints(course, probe):
    needed = sum(tensor.nbytes for tensor in record(course[0], probe).activations.values())
    record_epochs(small(0), states(course), probe, host_budget=4 * needed)
    with pytest.raises(DynExplorerError, match="for 4 checkpoints, more than `host_budget`"):
        record_epochs(small(0), states(course), probe, host_budget=4 * needed - 1)

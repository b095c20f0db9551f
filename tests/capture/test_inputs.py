"""Everything a person may give as inputs."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from dyn_explorer.capture import record
from dyn_explorer.capture.inputs import count_samples
from dyn_explorer.errors import DynExplorerError

X = torch.rand(10, 3, generator=torch.Generator().manual_seed(0))
Y = torch.arange(10) % 4


class Stream(IterableDataset):
    def __iter__(self):
        yield from X


class Pairs(Dataset):
    def __len__(self):
        return 10

    def __getitem__(self, index):
        return X[index], int(Y[index])


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU())


@pytest.mark.parametrize(
    "inputs",
    [
        X,
        X.numpy(),
        X.double().numpy(),
        list(X),
        list(X.numpy()),
        X.tolist(),
        (X,),
        {"input": X},
        DataLoader(X, batch_size=4),
        DataLoader(TensorDataset(X, Y), batch_size=3),
        DataLoader(Stream(), batch_size=4),
        TensorDataset(X),
        Pairs(),
        [(x, int(y)) for x, y in zip(X, Y, strict=True)],
        iter([X[:4], X[4:]]),
        ({"input": part} for part in (X[:4], X[4:])),
        [{"input": X[:4]}, {"input": X[4:]}],
    ],
    ids=range(17),
)
def test_all_forms_give_the_same_activations(inputs, model):
    recording = record(model, inputs)
    with torch.no_grad():
        expected = model[0](X)
    torch.testing.assert_close(recording.activations["0"], expected)
    assert torch.equal(recording.inputs, X)
    torch.testing.assert_close(recording.outputs, model[1](expected))


@pytest.mark.parametrize(
    "inputs",
    [
        DataLoader(TensorDataset(X, Y), batch_size=3),
        Pairs(),
        [(x, int(y)) for x, y in zip(X, Y, strict=True)],
        iter([(X[:4], Y[:4]), (X[4:], Y[4:].numpy())]),
        (X, Y),
    ],
    ids=range(5),
)
def test_labels_come_with_the_batches(inputs, model):
    assert torch.equal(record(model, inputs).labels, Y)


@pytest.mark.parametrize("labels", [Y, Y.tolist(), Y.numpy(), Y.float(), Y[:, None], tuple(Y.tolist())], ids=range(6))
def test_labels_given_beside_the_inputs(labels, model):
    recorded = record(model, X, labels=labels, batch_size=3).labels
    assert torch.equal(recorded, Y)
    assert recorded.dtype == torch.int64


def test_rows_of_two_numbers_are_samples_and_no_pairs():
    rows = X[:, :2].tolist()
    recording = record(nn.Sequential(nn.Linear(2, 2)), rows)
    assert torch.equal(recording.inputs, X[:, :2])
    assert recording.labels is None


def test_labels_given_win_over_those_in_the_batches(model):
    loader = DataLoader(TensorDataset(X, Y), batch_size=3)
    assert torch.equal(record(model, loader, labels=Y + 1).labels, Y + 1)


def test_regression_targets_are_no_labels(model):
    loader = DataLoader(TensorDataset(X, torch.rand(10, 2)), batch_size=3)
    assert record(model, loader).labels is None


def test_max_samples_and_batch_size(model):
    sizes = []
    model[0].register_forward_hook(lambda _module, _args, output: sizes.append(len(output)))
    recording = record(model, X, labels=Y, max_samples=7, batch_size=3)
    assert sizes == [3, 3, 1]
    assert torch.equal(recording.inputs, X[:7])
    assert torch.equal(recording.labels, Y[:7])
    sizes.clear()
    assert record(model, DataLoader(X, batch_size=4), max_samples=6, batch_size=3).n_samples == 6
    assert sizes == [3, 1, 2]


class TwoInputs(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def forward(self, ids, scale, *, flag=None, names=()):
        assert flag == "yes" or not flag
        return self.layer(scale) * ids[:, None]


def test_tuples_and_dicts_are_split_along_the_samples():
    model, ids = TwoInputs(), torch.arange(10)
    first = record(model, (ids, X), batch_size=4)
    second = record(model, {"ids": ids, "scale": X, "flag": "yes", "names": ["a"]}, batch_size=3)
    third = record(model, DataLoader(TensorDataset(ids, X, Y), batch_size=4))
    for recording in (first, second, third):
        assert torch.equal(recording.inputs, X)
        torch.testing.assert_close(recording.outputs, first.outputs)
    assert torch.equal(third.labels, Y)


def test_integer_arrays_stay_integers_for_embeddings_only():
    tokens = np.arange(6).reshape(2, 3)
    words = nn.Sequential(nn.Embedding(6, 4), nn.Flatten())
    assert record(words, tokens).activations["0"].shape == (2, 3, 4)
    pixels = record(nn.Sequential(nn.Linear(3, 1)), tokens.astype(np.uint8))
    assert pixels.inputs.dtype == torch.float32


def test_arrays_take_the_precision_of_the_model():
    model = nn.Sequential(nn.Linear(3, 2)).double()
    assert record(model, X.numpy()).activations["0"].dtype == torch.float64


def test_a_model_working_in_place_cannot_change_the_inputs():
    inputs = X - 0.5
    before = inputs.clone()
    recording = record(nn.Sequential(nn.ReLU(inplace=True), nn.Linear(3, 1)), inputs)
    assert torch.equal(inputs, before)
    assert torch.equal(recording.inputs, before)
    inputs.zero_()
    assert torch.equal(recording.inputs, before)


def test_counting_samples_reads_nothing():
    class Unreadable(Dataset):
        def __len__(self):
            return 12

        def __getitem__(self, index):
            pytest.fail("a sample was read")

    assert count_samples(Unreadable()) == 12
    assert count_samples(DataLoader(Unreadable(), batch_size=5, shuffle=True)) == 12
    assert count_samples(DataLoader(Unreadable(), batch_size=5, drop_last=True)) == 10
    assert count_samples(DataLoader(Stream(), batch_size=5)) is None
    assert count_samples((X, Y)) == count_samples({"a": "text", "x": X}) == count_samples(list(X)) == 10
    assert count_samples(iter([X])) is None
    assert count_samples("text") is None


def bad(array, value):
    array = array.clone()
    array[1, 2] = value
    return array


@pytest.mark.parametrize(
    ("inputs", "options", "message"),
    [
        (X[:0], {}, r"`inputs` \(Tensor\) holds no samples"),
        ([], {}, r"`inputs` \(list\) holds no samples"),
        (iter([]), {}, "holds no samples"),
        (torch.tensor(1.0), {}, "a single number"),
        (None, {}, "`inputs` is a NoneType; give a tensor"),
        ("cat.png", {}, "`inputs` is a str; give a tensor"),
        (({"a": 1},), {}, "holds no tensor or array, only dict"),
        ([torch.zeros(3), torch.zeros(4)], {}, r"sample 1 has shape \(4,\) but sample 0 has \(3,\)"),
        (np.array([["a", "b", "c"]]), {}, "array of dtype <U1; give numbers"),
        (X.double(), {}, r"are torch.float64 but .* are torch.float32; use inputs.to\(torch.float32\)"),
        (X.half(), {}, "are torch.float16 but"),
        (bad(X, float("nan")), {}, "hold 1 NaN and 0 infinite values in samples 0 to 9"),
        (bad(X, float("-inf")), {"batch_size": 4}, "hold 0 NaN and 1 infinite values in samples 0 to 3"),
        (X.to("meta"), {}, r'are on meta but the model is on cpu; use inputs.to\("cpu"\)'),
        (X, {"labels": Y[:8]}, "holds 8 labels for 10 samples"),
        (X, {"labels": torch.eye(10)}, r"shape \(10, 10\).*argmax"),
        (X, {"labels": ["cat"] * 10}, "no array of numbers.*class_names"),
        (X, {"labels": X[:, 0]}, "must be integers, got torch.float32 with fractions"),
        (iter([X]), {"labels": Y[:8]}, "holds 8 labels but there are at least 10 samples"),
        (iter([X]), {"labels": [*Y.tolist(), 1]}, "holds 11 labels for 10 samples"),
        (iter([(X, Y[:3])]), {}, "holds 10 samples but 3 labels"),
        (X, {"batch_size": 0}, r"`batch_size` \(=0\) must be at least 1"),
        (X, {"max_samples": -1}, r"`max_samples` \(=-1\) must be at least 1"),
    ],
)
def test_bad_inputs_are_explained(inputs, options, message, model):
    with pytest.raises(DynExplorerError, match=message):
        record(model, inputs, **options)


def test_a_named_device_moves_the_inputs(model):
    assert record(model, X, device="cpu").complete
    with pytest.raises(DynExplorerError, match="are on meta but the model is on cpu"):
        record(model, X, device="meta")

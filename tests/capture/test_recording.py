"""What a recording holds, and what it says when something goes wrong."""

import threading
from collections import OrderedDict
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from dyn_explorer.capture import Recording, RecordingError, record, snapshots
from dyn_explorer.capture.memory import is_out_of_memory
from dyn_explorer.errors import Cancelled, DynExplorerError


class Shared(nn.Module):
    """One activation used twice, one layer never, one holder."""

    def __init__(self):
        super().__init__()
        self.later = nn.Linear(4, 2)
        self.first = nn.Linear(3, 4)
        self.act = nn.ReLU(inplace=True)
        self.unused = nn.Linear(1, 1)
        self.holder = nn.ModuleList([nn.Tanh()])

    def forward(self, x):
        return self.holder[0](self.act(self.later(self.act(self.first(x)))))


def reasons(recording):
    return {layer.name: layer.disabled_because for layer in recording.layers}


def test_activations_are_the_real_ones_before_any_inplace_layer(small_cnn, images):
    recording = record(small_cnn.eval(), images, batch_size=4)
    expected = images
    with torch.no_grad():
        for index, layer in enumerate(small_cnn):
            # Out of place, so that what the recording keeps is compared with the value before the next layer.
            expected = torch.relu(expected) if isinstance(layer, nn.ReLU) else layer(expected)
            torch.testing.assert_close(recording.activations[str(index)], expected)
    torch.testing.assert_close(recording.outputs, expected)
    assert bool((recording.activations["1"] < 0).any())
    assert list(recording.activations) == [str(index) for index in range(8)]


def test_shared_unused_and_holding_layers():
    recording = record(Shared(), torch.rand(5, 3))
    assert list(recording.activations) == ["first", "act", "later", "act#2", "holder.0"]
    assert [layer.name for layer in recording.layers[:5]] == list(recording.activations)
    assert torch.equal(recording.activations["act#2"], recording.activations["later"].relu())
    assert reasons(recording)["unused"] == "it was not executed in this forward"
    assert "only holds other layers" in reasons(recording)["holder"]
    assert recording.shapes["act"] == (4,)
    assert recording.shapes["act#2"] == (2,)


def test_only_the_layers_asked_for_are_kept():
    recording = record(Shared(), torch.rand(5, 3), layers=["act#2", "first"])
    assert list(recording.activations) == ["first", "act#2"]
    assert reasons(recording)["act"] is None
    assert list(record(Shared(), torch.rand(5, 3), layers="act").activations) == ["act"]


def test_reduced_outputs_are_kept_instead_of_maps(small_cnn, images):
    def reduce(name, output, channel_dim):
        others = tuple(dim for dim in range(1, output.ndim) if dim != channel_dim)
        return output.mean(dim=others) if others else output

    model = small_cnn.eval()
    whole = record(model, images, layers=["0", "1"])
    reduced = record(model, images, layers=["0", "1"], batch_size=3, reduce=reduce)
    for name in ("0", "1"):
        torch.testing.assert_close(reduced.activations[name], whole.activations[name].mean(dim=(2, 3)))
        assert reduced.shapes[name] == whole.shapes[name]


def test_reducing_leaves_what_the_model_computes_alone(small_cnn, images):
    expected = small_cnn.eval()(images).detach()
    found = record(small_cnn, images, layers=["0"], reduce=lambda name, output, dim: output[:, :1, 0, 0])
    torch.testing.assert_close(found.outputs, expected)


def test_containers_can_be_recorded():
    model = nn.Sequential(nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU()), nn.Flatten())
    recording = record(model, torch.rand(2, 1, 5, 5), layers=["0", "0.1"])
    assert torch.equal(recording.activations["0"], recording.activations["0.1"])
    assert recording.channel_dims["0"] == 1


def test_a_layer_whose_hooks_are_taken_away_was_not_executed():
    class Cleans(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(3, 3), nn.ReLU()

        def forward(self, x):
            self.b._forward_hooks.clear()
            return self.b(self.a(x))

    recording = record(Cleans(), torch.rand(2, 3))
    assert list(recording.activations) == ["a"]
    assert "not executed" in reasons(recording)["b"]


def test_the_persons_own_hooks_run_and_stay():
    calls = []
    model = nn.Sequential(nn.Linear(3, 3))
    model[0].register_forward_hook(lambda _module, _args, output: calls.append(1) or output + 1)
    recording = record(model, torch.zeros(2, 3))
    assert calls == [1]
    assert torch.equal(recording.activations["0"], model[0].bias.detach().expand(2, 3) + 1)
    assert len(model[0]._forward_hooks) == 1


@dataclass
class Wrapped:
    text: str
    value: torch.Tensor


class Returns(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


@pytest.mark.parametrize(
    "pack",
    [
        lambda x: (x, x + 1),
        lambda x: [None, x],
        lambda x: {"n": 3, "x": x},
        lambda x: OrderedDict(loss=x.sum(), logits=x),
        lambda x: Wrapped("text", x),
        lambda x: (x.long(), (x,)),
    ],
    ids=range(6),
)
def test_the_first_floating_tensor_of_any_output_is_kept(pack):
    inputs = torch.rand(4, 3)
    recording = record(nn.Sequential(Returns(pack)), inputs)
    assert torch.equal(recording.activations["0"], inputs)
    assert torch.equal(recording.outputs, inputs)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda x: x.long(), "its output has no floating tensor"),
        (lambda x: x.to_sparse(), "its output has no floating tensor"),
        (lambda x: x.sum(), "its output is a single number"),
        (lambda x: x.reshape(12), "its output's first dimension is 12, not the batch's 4"),
    ],
)
def test_outputs_that_cannot_be_recorded_say_why(function, reason):
    recording = record(nn.Sequential(Returns(function), Returns(lambda _: torch.zeros(4, 2))), torch.rand(4, 3))
    assert list(recording.activations) == ["1"]
    assert reason in reasons(recording)["0"]
    with pytest.raises(DynExplorerError, match="layer '0' was not recorded: its output"):
        snapshots(recording, "0")


def test_changing_shapes_and_skipped_batches_say_why():
    class Varies(nn.Module):
        def __init__(self):
            super().__init__()
            self.grows, self.sometimes = nn.Identity(), nn.Identity()

        def forward(self, x):
            if x[0, 0] > 0:
                self.sometimes(x)
                return self.grows(x)
            return self.grows(x[:, :2])

    recording = record(Varies(), iter([torch.ones(2, 3), torch.zeros(2, 3)]))
    assert dict(recording.activations) == {}
    assert "changes between batches: (3,), then (2,)" in reasons(recording)["grows"]
    assert "1 of 2 batches" in reasons(recording)["sometimes"]
    assert recording.outputs is None


def test_revisions_grow(small_cnn, images):
    first, second = record(small_cnn, images), record(small_cnn, images)
    assert second.revision > first.revision


def test_activations_cannot_be_assigned(small_cnn, images):
    recording = record(small_cnn, images)
    with pytest.raises(TypeError):
        recording.activations["0"] = torch.zeros(1)
    with pytest.raises(AttributeError):
        recording.inputs = torch.zeros(1)


@pytest.mark.parametrize(
    ("layer", "shape", "dim"),
    [
        (nn.Conv1d(2, 4, 1), (2, 5), 1),
        (nn.Conv2d(2, 4, 1), (2, 5, 5), 1),
        (nn.Conv3d(2, 4, 1), (2, 3, 3, 3), 1),
        (nn.BatchNorm1d(2), (2, 5), 1),
        (nn.GroupNorm(1, 2), (2, 5), 1),
        (nn.AdaptiveAvgPool1d(2), (2, 5), 1),
        (nn.Linear(5, 4), (3, 3, 5), 3),
        (nn.LayerNorm(5), (7, 5), 2),
        (nn.LayerNorm((2, 5, 5)), (2, 5, 5), 1),
        (nn.GRU(5, 4, batch_first=True), (7, 5), 2),
        (nn.Flatten(), (2, 5), 1),
        (nn.Identity(), (2, 5), 2),
        (nn.Identity(), (2, 5, 5), 1),
    ],
    ids=repr,
)
def test_channel_dimension_by_kind(layer, shape, dim):
    assert record(nn.Sequential(layer), torch.rand(4, *shape)).channel_dims["0"] == dim


def test_channel_dimension_is_inherited_from_the_same_shape():
    channels_last = nn.Sequential(nn.Linear(5, 6), nn.GELU(), nn.Dropout())
    assert set(record(channels_last, torch.rand(2, 4, 4, 5)).channel_dims.values()) == {3}
    sequence = nn.Sequential(nn.Conv1d(5, 6, 1), nn.GELU())
    assert set(record(sequence, torch.rand(2, 5, 9)).channel_dims.values()) == {1}


def test_layer_norm_over_maps_knows_its_channels():
    class LayerNorm2d(nn.LayerNorm):
        def forward(self, x):
            return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

    assert record(nn.Sequential(LayerNorm2d(3)), torch.rand(2, 3, 4, 5)).channel_dims["0"] == 1


def test_progress_and_streaming(small_cnn, images):
    said = []
    record(small_cnn, images, batch_size=4, progress=lambda *call: said.append(call))
    assert said == [(4 / 6, "recorded 4 of 6 samples"), (1.0, "recorded 6 of 6 samples")]
    said.clear()
    record(small_cnn, iter([images]), progress=lambda *call: said.append(call))
    assert said[0][0] != said[0][0]
    assert said[0][1] == "recorded 6 samples"


def test_cancel_stops_between_batches_and_layers(small_cnn, images):
    cancel = threading.Event()
    done = []
    with pytest.raises(Cancelled):
        record(small_cnn, images, batch_size=2, cancel=cancel, progress=lambda *_: (done.append(1), cancel.set()))
    assert done == [1]
    ran = []
    with pytest.raises(Cancelled):
        record(nn.Sequential(Returns(lambda _: ran.append(1))), images, cancel=cancel)
    assert ran == []


def test_cancel_is_heard_through_a_model_that_swallows_errors():
    cancel = threading.Event()

    class Swallows(nn.Module):
        def __init__(self, again):
            super().__init__()
            self.layer, self.again = nn.ReLU(), again

        def forward(self, x):
            cancel.set()
            try:
                return self.layer(x)
            except DynExplorerError as error:
                if self.again:
                    raise RuntimeError from error
                return x

    for again in (True, False):
        cancel.clear()
        with pytest.raises(Cancelled):
            record(Swallows(again), torch.zeros(1), cancel=cancel)


@pytest.mark.parametrize(
    ("model", "inputs", "message"),
    [
        (nn.Sequential(nn.Conv2d(3, 4, 3)), torch.rand(8, 1, 8, 8), r"'0' takes \(n, 3, h, w\) .* got \(8, 1, 8, 8\)"),
        (
            nn.Sequential(nn.ReLU(), nn.Flatten(), nn.Linear(5, 2)),
            torch.rand(2, 3, 4),
            r"stopped in layer '2' \(Linear\).*last layer that ran is '1' \(Flatten\) with output of shape \(2, 12\)"
            r".*takes \(n, ..., 5\) of torch.float32, got \(2, 12\)",
        ),
        (nn.Sequential(nn.Linear(3, 2)), torch.ones(2, 3, dtype=torch.long), "of torch.float32, got .* of torch.int64"),
        (nn.Sequential(nn.Embedding(4, 2)), torch.tensor([[9]]), "takes integers from 0 to 3"),
        (nn.Sequential(nn.BatchNorm1d(3)).train(), torch.rand(1, 3), "more than one sample: give more, or training=F"),
        (nn.Sequential(nn.GroupNorm(1, 3)), torch.rand(2, 4, 5), r"takes \(n, 3, ...\)"),
        (nn.Sequential(nn.LayerNorm(3)), torch.rand(2, 4), r"takes \(n, ..., 3\)"),
        (nn.Sequential(nn.GRU(3, 2, batch_first=True)), torch.rand(2, 4, 5), r"takes \(n, t, 3\)"),
        (nn.Sequential(nn.Conv1d(3, 2, 1)), torch.rand(2, 4, 5), r"takes \(n, 3, l\)"),
        (nn.Sequential(Returns(lambda _: 1 / 0)), torch.rand(2, 4), "ZeroDivisionError.*no layer ran before it"),
    ],
    ids=range(10),
)
def test_a_failing_forward_says_where_and_what_was_expected(model, inputs, message):
    with pytest.raises(RecordingError, match=message) as caught:
        record(model, inputs)
    assert caught.value.__cause__ is not None
    assert not caught.value.recording.complete


def test_a_failure_between_layers_names_the_first_layer():
    class Joins(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 3)

        def forward(self, x):
            return self.layer(x) @ torch.zeros(7, 7)

    with pytest.raises(RecordingError, match=r"Joins's own forward, between its layers.*first layer 'layer'") as info:
        record(Joins(), torch.rand(5, 4))
    recording = info.value.recording
    assert isinstance(recording, Recording)
    assert recording.activations["layer"].shape == (5, 3)
    assert recording.outputs is None
    assert snapshots(recording, "layer", axis="sample").matrix.shape == (3, 5)


def test_a_failure_in_a_later_batch_keeps_the_complete_ones():
    model = nn.Sequential(nn.ReLU(), Returns(lambda x: x if x.sum() < 5 else 1 / 0))
    with pytest.raises(RecordingError) as caught:
        record(model, torch.tensor([[1.0], [1.0], [9.0], [1.0]]), batch_size=1, labels=[0, 1, 2, 3])
    recording = caught.value.recording
    assert recording.n_samples == 2
    assert {name: len(tensor) for name, tensor in recording.activations.items()} == {"0": 2, "1": 2}
    assert recording.labels.tolist() == [0, 1]
    assert len(recording.outputs) == 2


def test_nonfinite_activations_are_kept_and_counted():
    model = nn.Sequential(nn.ReLU(), Returns(lambda x: 1 / x))
    recording = record(model, torch.tensor([[0.0, 1.0], [2.0, 0.0], [1.0, 1.0]]))
    assert dict(recording.nonfinite) == {"1": 2}
    with pytest.raises(DynExplorerError, match="layer '1' holds 2 NaN or infinite values of 6 in 3 samples"):
        snapshots(recording, "1", axis="sample")


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ("frist", "unknown layer 'frist'; the nearest names are: first"),
        (["zzz"], "unknown layer 'zzz'; the layers are: later, first, act"),
        (["holder"], "layer 'holder' cannot be recorded: a ModuleList only holds"),
        ([], "`layers` is empty"),
        ("zzz#2", "unknown layer 'zzz#2'"),
    ],
)
def test_unknown_layers_are_explained(layers, message):
    with pytest.raises(DynExplorerError, match=message):
        record(Shared(), torch.rand(2, 3), layers=layers)


def test_the_batch_is_halved_until_it_fits(small_cnn, images):
    sizes = []

    def small_only(x):
        sizes.append(len(x))
        return x if len(x) <= 2 else torch.empty(2**50, dtype=torch.float64)

    model = nn.Sequential(small_cnn.eval(), Returns(small_only))
    recording = record(model, images, labels=range(6))
    assert sizes == [6, 3, 1, 2, 3, 1, 2]
    torch.testing.assert_close(recording.outputs, small_cnn(images).detach())
    assert torch.equal(recording.inputs, images)
    assert recording.labels.tolist() == list(range(6))
    assert {len(tensor) for tensor in recording.activations.values()} == {6}
    # What failed attempts had kept does not count.
    n_bytes = sum(tensor.nbytes for tensor in [*recording.activations.values(), recording.outputs])
    assert record(model, images, host_budget=n_bytes).complete
    with pytest.raises(DynExplorerError, match="host_budget"):
        record(model, images, host_budget=n_bytes - 1)


def test_running_out_of_memory_lets_go_of_the_tensors(images):
    class Held(torch.Tensor):
        alive = 0

        def __del__(self):
            Held.alive -= 1

    alive, errors = [], []

    def hold(x):
        alive.append(Held.alive)
        held = torch.zeros(1).as_subclass(Held)
        Held.alive += 1
        if len(x) > 1:
            # Somebody, such as a debugger, keeps the error and with it the frames it passed through.
            errors.append(torch.OutOfMemoryError("CUDA out of memory"))
            raise errors[-1]
        return x + held.item()

    record(nn.Sequential(Returns(hold)), images[:2])
    assert alive == [0, 0, 0]


def test_too_little_host_memory_is_said_after_the_first_batch(small_cnn, images):
    ran = []
    small_cnn[0].register_forward_hook(lambda *_: ran.append(1))
    with pytest.raises(DynExplorerError, match=r"GiB for 6 samples, more than `host_budget` .* fewer `layers`"):
        record(small_cnn, images, batch_size=2, host_budget=10_000)
    assert ran == [1]
    assert record(small_cnn, images, layers="7", batch_size=2, host_budget=10_000).complete


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("CUDA"), True),
        (MemoryError(), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("shape"), False),
        (KeyboardInterrupt(), False),
    ],
)
def test_out_of_memory_is_recognised(error, expected):
    assert is_out_of_memory(error) is expected


BLOCKS = {
    "conv": lambda c: nn.Conv2d(c, c, 3, padding=1),
    "grouped": lambda c: nn.Conv2d(c, c, 3, padding=1, groups=c),
    "norm": nn.BatchNorm2d,
    "group norm": lambda c: nn.GroupNorm(1, c),
    "relu": lambda _: nn.ReLU(inplace=True),
    "dropout": lambda _: nn.Dropout2d(0.3),
    "pool": lambda _: nn.MaxPool2d(2, stride=1, padding=1),
    "block": lambda c: nn.Sequential(nn.Conv2d(c, c, 1), nn.Hardtanh(inplace=True)),
}


@settings(max_examples=25, deadline=None)
@given(
    blocks=st.lists(st.sampled_from(sorted(BLOCKS)), min_size=1, max_size=6),
    n_channels=st.integers(1, 4),
    n_samples=st.integers(2, 5),
    batch_size=st.integers(1, 5),
    training=st.booleans(),
    double=st.booleans(),
)
def test_any_architecture_is_recorded_and_given_back(blocks, n_channels, n_samples, batch_size, training, double):
    from_first = [BLOCKS[name](n_channels) for name in blocks]
    model = nn.Sequential(*from_first, nn.AdaptiveAvgPool2d(1)).train(training)
    inputs = torch.rand(n_samples, n_channels, 5, 5)
    if double:
        model, inputs = model.double(), inputs.double()
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    rng = torch.get_rng_state()
    recording = record(model, inputs, batch_size=batch_size)
    assert torch.equal(torch.get_rng_state(), rng)
    assert all(torch.equal(tensor, state[name]) for name, tensor in model.state_dict().items())
    leaves = [name for name, module in model.named_modules() if not list(module.children())]
    assert sorted(recording.activations) == sorted(leaves)
    assert all(tensor.shape[0] == n_samples for tensor in recording.activations.values())
    assert set(recording.channel_dims.values()) == {1}
    assert recording.training is training
    if not training:
        with torch.no_grad():
            torch.testing.assert_close(recording.outputs, model(inputs))

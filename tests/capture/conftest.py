"""What the capture tests share: a model that misbehaves in every way, and a fingerprint that notices."""

import random
import signal
from collections import deque

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm


def bits(tensor):
    """The values of a tensor as bytes, with what else makes it the same tensor."""
    values = tensor.detach().cpu().contiguous().reshape(-1)
    payload = values.numpy().tobytes() if values.dtype != torch.bfloat16 else values.view(torch.int16).numpy().tobytes()
    return (tensor.data_ptr(), tuple(tensor.shape), tensor.stride(), str(tensor.dtype), str(tensor.device), payload)


def describe(value, depth=0):
    """One value as something that compares unequal after any change that the guard promises to undo."""
    if isinstance(value, torch.Tensor):
        gradient = describe(value.grad, depth + 1) if value.is_leaf and value.grad is not None else None
        return ("tensor", id(value), bits(value), value.requires_grad, value._version, gradient)
    if isinstance(value, nn.Module):
        return ("module", id(value))
    if isinstance(value, dict):
        return ("dict", id(value), [(key, describe(item, depth + 1)) for key, item in value.items()])
    if isinstance(value, (list, tuple, deque)):
        return (type(value).__name__, id(value), [describe(item, depth + 1) for item in value])
    if isinstance(value, set):
        return ("set", id(value), sorted(map(repr, value)))
    if isinstance(value, torch.Generator):
        return ("generator", id(value), bytes(value.get_state().tolist()))
    if isinstance(value, random.Random):
        return ("random", id(value), value.getstate())
    if isinstance(value, np.random.Generator):
        return ("numpy generator", id(value), repr(value.bit_generator.state))
    if isinstance(value, np.ndarray):
        return ("array", id(value), value.shape, str(value.dtype), value.tobytes())
    if isinstance(value, (int, float, str, bool, bytearray, type(None))):
        return (type(value).__name__, repr(value))
    return ("object", id(value))


def take_fingerprint(model):
    """Everything in the guard's contract, as a flat dictionary that a failing test can show the difference of."""
    marks = {}
    for name, module in model.named_modules(remove_duplicate=False):
        for key, value in vars(module).items():
            marks[f"{name}.{key}"] = describe(value)
        marks[f"{name}|order"] = list(vars(module))
    marks["rng.torch"] = bytes(torch.get_rng_state().tolist())
    marks["rng.python"] = random.getstate()
    marks["rng.numpy"] = repr(np.random.get_state(legacy=False))  # noqa: NPY002 - models draw from it
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        marks["rng.cuda"] = [bytes(state.tolist()) for state in torch.cuda.get_rng_state_all()]
    marks["sigint"] = signal.getsignal(signal.SIGINT)
    marks["grad mode"] = torch.is_grad_enabled()
    marks["inference mode"] = torch.is_inference_mode_enabled()
    marks["torch functions"] = {name: id(getattr(torch, name)) for name in dir(torch) if not name.startswith("_")}
    return marks


def differences(before, after):
    """The keys under which two fingerprints differ."""
    return sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))


class Bomb(nn.Module):
    """Does whatever the test wants at one place in the forward."""

    def forward(self, x):
        for action in ACTIONS:
            action(x)
        return x


# Outside the module, because the guard would put back what is inside.
ACTIONS = []


class Nasty(nn.Module):
    """A small CNN whose forward changes everything it can reach."""

    def __init__(self):
        super().__init__()
        self.conv = spectral_norm(nn.Conv2d(1, 4, 3, padding=1))
        self.bn = nn.BatchNorm2d(4)
        self.relu = nn.ReLU(inplace=True)
        self.second = nn.Conv2d(4, 4, 3, padding=1)
        self.bomb = Bomb()
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(4, 3)
        self.unused = nn.Linear(2, 2)
        self.tied = nn.Linear(4, 3)
        self.tied.weight = self.head.weight
        self.frozen = nn.Parameter(torch.ones(2), requires_grad=False)
        self.written = nn.Parameter(torch.ones(3))
        self.register_buffer("moved", torch.zeros(3))
        self.register_buffer("strided", torch.arange(12.0).reshape(3, 4).t())
        self.register_buffer("empty", torch.zeros(0, 3))
        self.register_buffer("expanded", torch.zeros(1).expand(4))
        self.register_buffer("view", self.strided[0])
        self.register_buffer("nan", torch.tensor([float("nan"), -0.0]))
        self.register_buffer("flags", torch.tensor([True, False]))
        self.register_buffer("low", torch.ones(3, dtype=torch.bfloat16))
        self.register_buffer("waves", torch.ones(2, dtype=torch.complex64))
        self.counter = 0
        self.seen = []
        self.table = {"first": [1], "tensor": torch.zeros(2)}
        self.names = {"a"}
        self.last = deque([1, 2], maxlen=2)
        self.array = np.zeros(3)
        self.loose = torch.zeros(2)
        self.torch_generator = torch.Generator().manual_seed(1)
        self.python_generator = random.Random(1)
        self.numpy_generator = np.random.default_rng(1)
        self.unregistered = [nn.BatchNorm2d(4)]
        self.doomed = "to be deleted"

    def forward(self, x):
        self.mutate()
        x = self.relu(self.bn(self.conv(x)))
        x = self.unregistered[0](x)
        x = self.bomb(x)
        x = self.relu(self.second(x))
        return self.head(self.drop(x.mean((2, 3))))

    def mutate(self):
        self.counter += 1
        self.seen.append(self.counter)
        self.table["first"].append(2)
        self.table["tensor"] += 1
        self.table["second"] = 3
        self.names.add("b")
        self.last.append(3)
        self.array += 1
        self.loose += 1
        self.added = torch.zeros(1)
        if hasattr(self, "doomed"):
            del self.doomed
        self.moved = self.moved + 1
        self.strided.mul_(2)
        self.flags.logical_not_()
        self.low.add_(1)
        self.waves.mul_(1j)
        self.nan.fill_(0.0)
        with torch.no_grad():
            self.written.add_(1)
        self.frozen.data.mul_(3)
        self.head.bias.data = self.head.bias.data + 1
        self.second.weight.requires_grad_(False)
        self.second.bias.grad = None
        if self.head.weight.grad is not None:
            self.head.weight.grad.zero_()
        self.bn.train(not self.bn.training)
        self.bn.train(not self.bn.training)
        self.drop.training = not self.drop.training
        self.tied.register_forward_hook(lambda *_: None)
        self._modules.pop("unused", None)
        self.late = nn.Linear(1, 1)
        self._parameters["written"] = nn.Parameter(torch.zeros(3))
        torch.rand(2, generator=self.torch_generator)
        self.python_generator.random()
        self.numpy_generator.random()
        torch.rand(2)
        random.random()
        np.random.rand()  # noqa: NPY002 - as old models do


@pytest.fixture
def nasty():
    """The nasty model with gradients, one of them shared, and no action planned."""
    torch.manual_seed(0)
    model = Nasty()
    model.head.weight.grad = torch.ones_like(model.head.weight)
    model.second.bias.grad = torch.full_like(model.second.bias, 2.0)
    ACTIONS.clear()
    yield model
    ACTIONS.clear()


@pytest.fixture
def actions():
    """What the nasty model's bomb does: a list of functions of its input."""
    ACTIONS.clear()
    yield ACTIONS
    ACTIONS.clear()


@pytest.fixture
def fingerprint():
    return take_fingerprint


@pytest.fixture
def changed():
    return differences


@pytest.fixture
def small_cnn():
    """A well-behaved CNN for 8 x 8 images of one channel."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 6, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Flatten(),
        nn.Linear(96, 5),
    )


@pytest.fixture
def images():
    return torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(3))

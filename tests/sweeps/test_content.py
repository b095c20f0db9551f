"""The same content has the same name in any process, and everything that changes numbers changes it."""

from __future__ import annotations

import functools
import gc
import io
import os
import subprocess
import sys
import weakref
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from nets import small
from torch import nn

import dyn_explorer as dx
from dyn_explorer import DynExplorerError
from dyn_explorer.sweeps import progress
from dyn_explorer.sweeps.content import digest
from dyn_explorer.sweeps.progress import ProgressLine


class Scaled(nn.Module):
    """A layer of one's own, with a plain value and code."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = scale
        self.register_buffer("mean", torch.zeros(2), persistent=False)

    def forward(self, inputs):
        return self.scale * inputs


class Shifted(Scaled):
    """The same values, other code."""

    def forward(self, inputs):
        return self.scale + inputs


@dataclass
class Plain:
    """Two values."""

    first: object
    second: object = None


def _adder(amount: object):
    return lambda value, more=1: value + amount + more


ALL_DIFFERENT = [
    None,
    True,
    1,
    1.0,
    -0.0,
    0.0,
    "1",
    b"1",
    (1,),
    [1],
    [[1], []],
    [[], [1]],
    {1: 2},
    {2: 1},
    {1},
    torch.zeros(2),
    torch.zeros(2, 1),
    torch.zeros(2, dtype=torch.float16),
    torch.zeros(()),
    torch.zeros(0),
    np.zeros(2, np.float32),
    np.array(["ab"]),
    torch.float32,
    torch.device("cpu"),
    slice(1, 2),
    range(3),
    Plain(1),
    Plain(1, 2),
    Scaled,
    Shifted,
    Scaled(1.0),
    Scaled(2.0),
    Shifted(1.0),
    nn.ReLU(),
    nn.Sequential(nn.ReLU()),
    nn.Conv2d(1, 1, 1, stride=2),
    len,
    _adder(1),
    _adder(2),
    _adder(torch.ones(1)),
    functools.partial(_adder, 1),
    functools.partial(_adder, 2),
    lambda value: value,
    lambda value: value + 1,
    lambda value: value + 2,
]


def test_different_things_have_different_names():
    names = [digest(thing) for thing in ALL_DIFFERENT]
    assert len(set(names)) == len(names)
    assert [digest(thing) for thing in ALL_DIFFERENT] == names


def test_what_changes_no_number_changes_no_name():
    grid = torch.arange(6.0).reshape(2, 3)
    assert digest(grid.T) == digest(grid.T.contiguous())
    assert digest(np.asfortranarray(grid)) == digest(grid.numpy())
    assert digest(small(3).train()) == digest(small(3).eval())
    assert digest({3, 1, 2}) == digest({2, 3, 1})
    model = Scaled(1.0)
    before = digest(model)
    model.mean += 1
    assert digest(model) != before


def test_another_process_gives_the_same_name():
    script = (
        "from dyn_explorer.sweeps.content import digest; from nets import small; print(digest(small(3), {'b', 'a'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == digest(small(3), {"a", "b"})


def test_what_has_no_plain_content_is_refused():
    with pytest.raises(DynExplorerError, match=r"a builtins\.object cannot be told from another one by its content"):
        digest([object()])
    with pytest.raises(DynExplorerError, match=r"torch\.sparse_coo tensor on cpu has no plain content"):
        digest(torch.eye(2).to_sparse())


def test_no_more_models_are_alive_at_once_than_are_measured(images):
    alive, most = weakref.WeakSet(), []

    def build(seed):
        model = small(seed)
        alive.add(model)
        most.append(len(alive))
        return model

    gc.collect()
    gc.disable()
    try:
        models = {str(seed): functools.partial(build, seed) for seed in range(20)}
        dx.sweep(models, images, measures=["size", "dynamics", "network"], samples=2)
    finally:
        gc.enable()
    assert max(most) <= 2


# ---------------------------------------------------------------- the line that says how far it is


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_has_one_line_that_is_written_again(monkeypatch):
    clock = iter([0.0, 0.05, 0.05, 1.0, 1.0, 1.01, 1.01])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    stream = Terminal()
    line = ProgressLine(stream)
    for done, text in ((0.25, "first model"), (0.5, "too soon"), (0.75, "third"), (1.0, "last")):
        line(done, text)
    assert stream.getvalue() == "\r 25 %  first model\r 75 %  third      \r100 %  last \n"


def test_a_notebook_has_one_output_that_is_written_again(monkeypatch):
    said = []
    handle = SimpleNamespace(update=lambda data, raw: said.append(data["text/plain"]))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=1)))
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=lambda *args, **options: handle))
    ProgressLine()(1.0, "measured 3 of 3 models")
    assert said == ["100 %  measured 3 of 3 models"]

"""Whatever is given, the answer is a result or a sentence that says what to do; never a traceback of ours."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import dyn_explorer as dx
from dyn_explorer import DynExplorerError

IMAGES = torch.rand(12, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def small() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3))


class Raising(nn.Module):
    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3)
        self.error = error

    def forward(self, images):
        raise self.error


def filled(value: float) -> nn.Module:
    model = small()
    nn.init.constant_(model[2].weight, value)
    return model


AT_ONCE = {
    "no model": (lambda: dx.explore(None, IMAGES), "must be a torch.nn.Module, got NoneType"),
    "a class": (lambda: dx.explore(nn.Linear, IMAGES), "is the class Linear; make one first"),
    "no layers": (lambda: dx.explore(nn.Sequential(), IMAGES), "no layer that can be recorded"),
    "meta device": (lambda: dx.explore(small().to("meta"), IMAGES), "meta device.*to_empty"),
    "unknown layer": (lambda: dx.explore(small(), IMAGES, layers=["5"]), "no layer '5'; the nearest names are"),
    "layers of a wrong type": (lambda: dx.explore(small(), IMAGES, layers=5), "sequence of layer names"),
    "class names": (lambda: dx.explore(small(), IMAGES, class_names=5), "list with the name of class 0"),
    "one class name": (lambda: dx.explore(small(), IMAGES, class_names="cat"), "list with the name of class 0"),
    "class names by number": (lambda: dx.explore(small(), IMAGES, class_names={0: "cat"}), "list with the name"),
    "device": (lambda: dx.explore(small(), IMAGES, device="nowhere"), "is no device; give 'cpu'"),
    "device of a wrong type": (lambda: dx.explore(small(), IMAGES, device=1.5), "is no device; give 'cpu'"),
}


@pytest.mark.parametrize("name", AT_ONCE)
def test_what_can_be_seen_at_once_is_said_at_once(name):
    call, message = AT_ONCE[name]
    with pytest.raises(DynExplorerError, match=message):
        call()


WHEN_RUN = {
    "no inputs": (small, None, "is a NoneType; give a tensor"),
    "text": (small, "abc", "is a str; give a tensor"),
    "a number": (small, 5, "is a int; give a tensor"),
    "no samples": (small, IMAGES[:0], "holds no samples; give at least one"),
    "an empty list": (small, [], "holds no samples; give at least one"),
    "an empty generator": (small, iter([]), "holds no samples; give at least one"),
    "a wrong shape": (small, torch.zeros(4, 3, 8, 8), r"stopped in layer '0'.*takes \(n, 1, h, w\)"),
    "a wrong dtype": (small, IMAGES.double(), r"use inputs\.to\(torch\.float32\)"),
    "not a number": (small, IMAGES * float("nan"), r"768 NaN.*torch\.nan_to_num"),
    "another device": (small, IMAGES.to("meta"), r"are on meta but the model is on cpu; use inputs\.to"),
    "wrong keywords": (small, {"pictures": IMAGES}, "unexpected keyword argument 'pictures'"),
    "objects": (small, np.array([object()] * 4), "array of dtype object; give numbers"),
    "a raising forward": (lambda: Raising(KeyError("lost")), IMAGES, "Raising's own forward.*KeyError: 'lost'"),
    "an exit": (lambda: Raising(SystemExit(3)), IMAGES, "SystemExit.*3"),
    "weights that are not numbers": (lambda: filled(float("nan")), IMAGES, "layer '2' holds 128 NaN.*earlier layer"),
    "dead maps": (lambda: filled(0.0), IMAGES, "8 of 8 are constant or repeat another.*axis='sample'"),
    "two channels": (lambda: nn.Sequential(nn.Conv2d(1, 2, 3)), IMAGES, "2 columns; at least 3.*axis='sample'"),
    "one pixel": (lambda: nn.Sequential(nn.Conv2d(1, 9, 8)), IMAGES, "channel is no map; use axis='sample'"),
    "index out of range": (lambda: nn.Sequential(nn.Embedding(9, 4)), torch.tensor([[99] * 5]), "integers from 0 to 8"),
}


@pytest.mark.parametrize("name", WHEN_RUN)
def test_what_only_a_run_shows_is_said_by_wait_and_in_the_header(open_inspector, name):
    make, inputs, message = WHEN_RUN[name]
    inspector = open_inspector(make(), inputs) if inputs is not None else open_with_nothing(make())
    try:
        with pytest.raises(DynExplorerError, match=message) as caught:
            inspector.wait(60)
        status = inspector._outbox._sections["status"]
        said = str(caught.value)
        for argument, on_the_page in (("sample", "Inputs"), ("channel", "Channels")):
            said = said.replace(f"axis='{argument}'", f"“Snapshots are: {on_the_page}”")
        assert status == {"kind": "error", "text": said, "fraction": None}
        assert dict(inspector.results) == {}
        assert all(
            len(view.rows.data["row"]) == 0 for view in inspector._panels["dynamics"].views.values() if view.rows
        )
    finally:
        inspector.close()


def open_with_nothing(model):
    return dx.explore(model, None)


LABELS = {
    "too few": ([0, 1], "2 labels for 12 samples; give one per sample"),
    "too many": (list(range(13)), "13 labels for 12 samples; give one per sample"),
    "names": (["cat"] * 12, "one integer per sample.*names in `class_names`"),
    "fractions": ([0.5] * 12, "must be integers"),
    "one number": (5, r"shape \(\); expected \(n_samples,\)"),
    "one-hot": (np.eye(12), r"labels\.argmax\(1\)"),
}


@pytest.mark.parametrize("name", LABELS)
def test_labels_that_do_not_fit_are_refused_in_words(open_inspector, name):
    labels, message = LABELS[name]
    inspector = open_inspector(small(), IMAGES, labels)
    with pytest.raises(DynExplorerError, match=message):
        inspector.wait(60)


UNUSUAL = {
    "one image": lambda: (small(), IMAGES[:1]),
    "double": lambda: (small().double(), IMAGES.double()),
    "bfloat16": lambda: (small().bfloat16(), IMAGES.bfloat16()),
    "an array": lambda: (small(), IMAGES.numpy()),
    "four features": lambda: (nn.Sequential(nn.Conv2d(1, 12, 7)), IMAGES),
    "no parameters": lambda: (nn.Sequential(nn.AvgPool2d(2)), torch.rand(4, 6, 8, 8)),
    "tokens": lambda: (nn.Sequential(nn.Embedding(50, 16), nn.Linear(16, 8)), torch.arange(40).reshape(4, 10)),
    "a recurrent layer": lambda: (nn.Sequential(nn.LSTM(8, 16, batch_first=True)), torch.rand(5, 7, 8)),
    "one dimension": lambda: (nn.Sequential(nn.Conv1d(3, 16, 3)), torch.rand(5, 3, 20)),
    "three dimensions": lambda: (nn.Sequential(nn.Conv3d(1, 16, 3)), torch.rand(2, 1, 6, 7, 8)),
    "huge weights": lambda: (filled(1e30), IMAGES),
    "train mode": lambda: (nn.Sequential(nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.Dropout()).train(), IMAGES),
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_unusual_models_are_shown(open_inspector, name, tmp_path):
    model, inputs = UNUSUAL[name]()
    if name == "huge weights":
        nn.init.normal_(model[2].weight, std=1e30)
    inspector = open_inspector(model, inputs).wait(60)
    result = inspector.results["dynamics"]
    assert np.isfinite(result.eigenvalues).all()
    assert len(inspector.table()) == len(result.dmd.rows)
    inspector.rank = 2
    assert inspector.wait(60).results["dynamics"].rank == 2
    inspector.to_html(tmp_path / "page.html")
    assert (tmp_path / "page.html").stat().st_size > 100_000


def test_the_rank_slider_ends_where_the_features_do(open_inspector):
    inspector = open_inspector(nn.Sequential(nn.Conv2d(1, 12, 7)), IMAGES).wait(60)
    (rank,) = [control for control in inspector._outbox._sections["controls"] if control["name"] == "rank"]
    assert rank["max"] == 4
    inspector.rank = 4
    assert inspector.wait(60).results["dynamics"].rank == 4
    with pytest.raises(DynExplorerError, match=r"1\.\.4"):
        inspector.rank = 5

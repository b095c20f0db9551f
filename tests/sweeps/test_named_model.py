"""Networks by name: built where the library is, refused in words where it is not; no pickle is ever loaded."""

from __future__ import annotations

import importlib
import pickle
import sys
from types import SimpleNamespace

import pytest
import torch
from nets import small

import dyn_explorer as dx
from dyn_explorer import DynExplorerError
from dyn_explorer.sweeps.named_model import LIBRARIES


class Published:
    """What torchvision knows of one network's weights."""

    asked = None

    @property
    def DEFAULT(self):
        return self

    def get_state_dict(self, **options):
        Published.asked = options
        return small(7).state_dict()


@pytest.fixture
def torchvision(monkeypatch):
    models = SimpleNamespace(
        list_models=lambda: ["tiny", "large"],
        get_model=lambda name, weights, channels=4: small(0, channels),
        get_model_weights=lambda name: Published(),
    )
    monkeypatch.setitem(sys.modules, "torchvision", SimpleNamespace(models=models))
    monkeypatch.setitem(sys.modules, "torchvision.models", models)


def test_torchvision_builds_by_name(torchvision, images):
    table = dx.sweep({"tiny": "torchvision:tiny", "own": small(0)}, images, measures=["link_std", "parameters"])
    by_model = [part.value.tolist() for _, part in table.groupby("model")]
    assert by_model[0] == by_model[1]
    assert dx.named_model("torchvision:tiny", channels=5)()[0].out_channels == 5
    with pytest.raises(DynExplorerError, match="torchvision knows no network 'tinny'; the nearest names are: tiny"):
        dx.named_model("torchvision:tinny")()


def test_published_weights_are_checked_and_never_unpickled(torchvision):
    model = dx.named_model("torchvision:tiny", weights="published")()
    assert torch.equal(model[0].weight, small(7)[0].weight)
    assert Published.asked["weights_only"] is True
    assert Published.asked["check_hash"] is True


def test_a_file_of_weights_and_a_pickle(torchvision, tmp_path):
    torch.save(small(3).state_dict(), tmp_path / "good.pt")
    model = dx.named_model("torchvision:tiny", weights=tmp_path / "good.pt")()
    assert torch.equal(model[0].weight, small(3)[0].weight)
    assert not model.training
    with open(tmp_path / "bad.pt", "wb") as file:
        pickle.dump(small(3), file, protocol=2)
    with pytest.raises(DynExplorerError, match=r"torchvision:tiny: .*bad.pt' is refused: it holds a pickle"):
        dx.named_model("torchvision:tiny", weights=tmp_path / "bad.pt")()


def test_timm_builds_by_name(monkeypatch):
    asked = []

    def create(name, pretrained, **options):
        asked.append((name, pretrained, options))
        return small()

    monkeypatch.setitem(sys.modules, "timm", SimpleNamespace(list_models=lambda: ["net"], create_model=create))
    dx.named_model("timm:net", num_classes=3)()
    dx.named_model("timm:net", weights="published")()
    assert asked == [("net", False, {"num_classes": 3}), ("net", True, {})]


@pytest.mark.parametrize("library", ["torchvision", "timm"])
def test_a_library_that_is_not_there_is_said_with_what_to_do(monkeypatch, images, library):
    monkeypatch.setitem(sys.modules, library, None)
    table = dx.sweep({"net": f"{library}:resnet18"}, images, measures="depth")
    assert f"{library} cannot be used here" in table.error[0]
    assert f"pip install {library}" in table.error[0]


@pytest.mark.slow
def test_hugging_face_reads_safetensors_only(tmp_path):
    transformers = importlib.import_module("transformers")
    config = transformers.ResNetConfig(embedding_size=4, hidden_sizes=[4, 6], depths=[1, 1], layer_type="basic")
    model = transformers.ResNetModel(config).eval()
    model.save_pretrained(tmp_path / "safe")
    table = dx.sweep(
        {"folder": f"huggingface:{tmp_path / 'safe'}", "itself": model}, torch.rand(3, 3, 32, 32), measures="network"
    )
    folder, itself = (part.value.tolist() for _, part in table.groupby("model"))
    assert folder == itself
    config.save_pretrained(tmp_path / "pickled")
    torch.save(model.state_dict(), tmp_path / "pickled" / "pytorch_model.bin")
    with pytest.raises(DynExplorerError, match=r"cannot load .*pickled' from safetensors .* pickles are not loaded"):
        dx.named_model(f"huggingface:{tmp_path / 'pickled'}")()
    with pytest.raises(DynExplorerError, match=r"no class `kind` \(='Nothing'\)"):
        dx.named_model(f"huggingface:{tmp_path / 'safe'}", kind="Nothing")()


@pytest.mark.parametrize("name", ["resnet18", "keras:vgg", "timm:", 3])
def test_other_names_are_refused(name):
    with pytest.raises(DynExplorerError, match="names no network; give one of torchvision:NAME"):
        dx.named_model(name)


def test_a_named_model_can_travel():
    made = dx.named_model("timm:net", weights="a.safetensors", num_classes=3)
    assert pickle.loads(pickle.dumps(made)) == made
    assert set(LIBRARIES) == {"torchvision", "timm", "huggingface"}

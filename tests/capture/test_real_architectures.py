"""Architectures from a library, built small and without any download."""

import pytest
import torch

from dyn_explorer.capture import (
    dmd_xai_snapshots,
    list_layers,
    record,
    record_epochs,
    record_path,
    select_layers,
    snapshots,
)

transformers = pytest.importorskip("transformers")


def resnet():
    config = transformers.ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic")
    return transformers.ResNetForImageClassification(config)


def vit():
    config = transformers.ViTConfig(
        image_size=32, patch_size=8, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32
    )
    return transformers.ViTForImageClassification(config)


def mobilenet():
    return transformers.MobileNetV2ForImageClassification(transformers.MobileNetV2Config(depth_multiplier=0.25))


def convnext():
    config = transformers.ConvNextConfig(hidden_sizes=[8, 16], depths=[1, 1], num_stages=2, image_size=32)
    return transformers.ConvNextForImageClassification(config)


def segformer():
    config = transformers.SegformerConfig(
        hidden_sizes=[8, 16], depths=[1, 1], num_encoder_blocks=2, sr_ratios=[2, 1], patch_sizes=[3, 3],
        strides=[2, 2], num_attention_heads=[1, 2], mlp_ratios=[2, 2], decoder_hidden_size=16,
    )  # fmt: skip
    return transformers.SegformerForSemanticSegmentation(config)


ARCHITECTURES = [resnet, vit, mobilenet, convnext, segformer]


@pytest.fixture(params=ARCHITECTURES, ids=lambda make: make.__name__)
def model(request):
    torch.manual_seed(0)
    return request.param()


@pytest.fixture
def pictures():
    return torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_it_is_recorded_and_given_back(training, model, pictures, fingerprint, changed):
    model.train(training)
    before = fingerprint(model)
    recording = record(model, {"pixel_values": pictures}, batch_size=2)
    assert changed(before, fingerprint(model)) == []
    assert record(model, pictures).n_samples == 4
    assert torch.equal(recording.inputs, pictures)
    assert recording.outputs.shape[0] == 4
    assert not recording.nonfinite
    runnable = [layer for layer in list_layers(model) if layer.is_leaf and layer.disabled_because is None]
    assert len(recording.activations) >= 0.9 * len(runnable)
    assert all(len(activation) == 4 for activation in recording.activations.values())
    if not training:
        with torch.no_grad():
            torch.testing.assert_close(recording.outputs, model(pictures).logits)


def test_every_layer_gives_snapshots(model, pictures):
    recording = record(model.eval(), pictures)
    for name in recording.activations:
        assert snapshots(recording, name, axis="sample", drop=False).matrix.shape[1] == 4
    checked = 0
    for name, activation in recording.activations.items():
        n_channels = activation.shape[recording.channel_dims[name]]
        if n_channels >= 3 and activation[0].numel() > n_channels:
            assert snapshots(recording, name, drop=False).matrix.shape[1] == n_channels
            checked += 1
    assert checked > 10


@pytest.mark.parametrize("make", [resnet, mobilenet, convnext])
def test_channels_are_found_by_kind_and_by_inheritance(make, pictures):
    recording = record(make().eval(), pictures)
    modules = dict(make().named_modules())
    checked = 0
    for name, activation in recording.activations.items():
        module, channels = modules[name.partition("#")[0]], activation.shape[recording.channel_dims[name]]
        for attribute in ("out_channels", "out_features", "num_features"):
            if hasattr(module, attribute):
                assert channels == getattr(module, attribute), name
                checked += 1
    assert checked > 5


def test_convnext_layer_norms_that_work_on_maps(pictures):
    recording = record(convnext().eval(), pictures)
    norm = "convnext.embeddings.layernorm"
    assert recording.channel_dims[norm] == 1
    assert recording.activations[norm].shape[1] == 8


def test_the_depth_of_a_transformer_is_a_trajectory(pictures):
    model = vit().eval()
    blocks = [layer.name for layer in list_layers(model) if layer.kind == "ViTLayer"]
    assert len(blocks) == 2
    recording = record(model, pictures, layers=[*blocks, "vit.embeddings"])
    result = snapshots(recording, list(recording.activations), axis="layer")
    assert result.map_shape == (4, 4)
    assert result.layers[0] == "vit.embeddings"
    assert "class token" in result.column_meaning


def test_a_segmentation_model_from_end_to_end(pictures):
    model = segformer().eval()
    layers = select_layers(model, kinds="convolution")
    recording = record(model, pictures, layers=layers)
    assert select_layers(recording, "decode_head") == ["decode_head.linear_fuse", "decode_head.classifier"]
    few = snapshots(recording, select_layers(recording), max_columns=20, normalise="l2", subsample="random", seed=3)
    assert few.n_available == sum(activation.shape[1] for activation in recording.activations.values())
    assert len(few.labels) + len(few.dropped) == 20
    assert dmd_xai_snapshots(recording, max_columns=6).matrix.shape == (49_152, 6)
    tokens = select_layers(model, "attention", kinds="Linear")
    recorded = record(model, pictures, layers=tokens)
    assert snapshots(recorded, tokens[:1], axis="position", sample=1, max_columns=50).matrix.shape[1] <= 50


class SmallUNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.down1, self.down2 = torch.nn.Conv2d(3, 6, 3, padding=1), torch.nn.Conv2d(6, 12, 3, padding=1)
        self.up = torch.nn.ConvTranspose2d(12, 6, 2, stride=2)
        self.out = torch.nn.Conv2d(12, 2, 1)

    def forward(self, x):
        fine = self.down1(x).relu()
        coarse = self.down2(torch.nn.functional.max_pool2d(fine, 2)).relu()
        return self.out(torch.cat([fine, self.up(coarse)], dim=1))


def test_an_encoder_decoder_along_every_axis(pictures):
    torch.manual_seed(0)
    model = SmallUNet().eval()
    layers = select_layers(model, kinds="convolution")
    assert layers == ["down1", "down2", "up", "out"]
    recording = record(model, pictures)
    assert snapshots(recording, layers).matrix.shape == (32 * 32, 26)
    assert snapshots(recording, layers, "layer").labels == tuple(layers)
    assert snapshots(recording, layers, "sample").matrix.shape[1] == 4
    assert snapshots(recording, layers, "position", size=8, max_columns=40).matrix.shape == (26, 40)
    turning = record_path(model, pictures[0], layers, steps=6)
    assert snapshots(turning, layers, "path").dt == pytest.approx(60)
    course = [SmallUNet().state_dict() for _ in range(4)]
    assert snapshots(record_epochs(model, course, pictures), layers, "epoch").matrix.shape[1] == 4


@pytest.mark.parametrize("make", [vit, resnet])
def test_paths_and_epochs_of_library_models(make, pictures, fingerprint, changed):
    torch.manual_seed(0)
    model = make().eval()
    others = [make().state_dict() for _ in range(3)]
    before = fingerprint(model)
    turning = record_path(model, pictures[0], kind="morph", steps=5, to=pictures[1])
    epochs = record_epochs(model, others, pictures)
    assert changed(before, fingerprint(model)) == []
    name = list(turning.activations)[-1]
    assert snapshots(turning, name, "path").dt == 0.25
    result = snapshots(epochs, name, "epoch")
    reference = make().eval()
    reference.load_state_dict(others[1])
    with torch.no_grad():
        torch.testing.assert_close(epochs.recordings[1].outputs, reference(pictures).logits)
    assert result.matrix.shape[1] == 3


def test_a_resnet_50_never_takes_shape_as_a_whole():
    torch.manual_seed(0)
    model = transformers.ResNetForImageClassification(transformers.ResNetConfig()).eval()
    layers = select_layers(model, kinds="convolution")
    recording = record(model, torch.rand(1, 3, 64, 64), layers=layers)
    result = snapshots(recording, layers, size=128, max_columns=512, drop=False)
    assert result.n_available == 26_560
    assert result.matrix.shape == (128 * 128, 512)
    assert result.matrix.untyped_storage().nbytes() == 128 * 128 * 512 * 4
    assert len({label.partition(" · ")[0] for label in result.labels}) > 40

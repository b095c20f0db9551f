"""A live model read as a graph: what joins what, strengths against autograd, and the reason where there are none."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from dyn_explorer import DynExplorerError, demo
from dyn_explorer.analysis import AffineLayer, function_strength, node_strength
from dyn_explorer.capture import layer_graph


def joins(graph) -> list[tuple[str, str, str]]:
    return [(graph.nodes[link.source].name, link.name, graph.nodes[link.target].name) for link in graph.links]


def named(graph, name: str):
    return graph.strength([nodes.name for nodes in graph.nodes].index(name))


class Block(nn.Module):
    """A residual block with a functional activation."""

    def __init__(self, before=False):
        super().__init__()
        self.stem, self.one, self.two = (nn.Conv2d(2, 2, 3, padding=1) for _ in range(3))
        self.head = nn.Linear(2, 3)
        self.before = before

    def forward(self, x):
        x = self.stem(x)
        if not self.before:
            x = torch.relu(x)
        y = self.two(torch.relu(self.one(torch.relu(x) if self.before else x)))
        y += x
        return self.head(torch.relu(y).mean((2, 3)))


def test_a_chain_is_what_node_strength_says():
    model = nn.Sequential(
        nn.Conv2d(1, 3, 3, stride=2), nn.ReLU(inplace=True), nn.Dropout(),
        nn.Conv2d(3, 4, 2, padding="valid"), nn.Tanh(), nn.Flatten(), nn.Linear(16, 6), nn.GELU(), nn.Linear(6, 2),
    )  # fmt: skip
    graph = layer_graph(model, torch.rand(3, 1, 7, 7))
    assert [nodes.name for nodes in graph.nodes] == ["inputs", "0", "3", "6", "8"]
    layers = [
        AffineLayer(model[0].weight, model[0].bias, (1, 7, 7), 2),
        AffineLayer(model[3].weight, model[3].bias, (3, 3, 3)),
        AffineLayer(model[6].weight, model[6].bias),
        AffineLayer(model[8].weight, model[8].bias),
    ]
    for found, expected in zip(graph.strengths(), node_strength(layers), strict=True):
        assert torch.allclose(found, expected, rtol=0, atol=1e-12)
    assert graph.reasons["1"] == "it acts on each node by itself, so it has no links"


@pytest.mark.parametrize("before", [False, True])
def test_a_residual_block_joins_like_to_like(before):
    model = Block(before).double()
    graph = layer_graph(model, torch.rand(2, 2, 6, 6, dtype=torch.float64))
    assert joins(graph) == [
        ("inputs", "stem", "stem"),
        ("stem", "one", "one"),
        ("one", "two", "two"),
        ("stem", "add", "two"),
        ("two", "mean", "mean"),
        ("mean", "head", "head"),
    ]
    into_stem, _ = function_strength(model.stem, (2, 6, 6))
    _, out_one = function_strength(model.one, (2, 6, 6))
    into_two, _ = function_strength(model.two, (2, 6, 6))
    assert torch.allclose(named(graph, "stem"), into_stem + out_one + 1, rtol=0, atol=1e-10)
    assert torch.allclose(named(graph, "two"), into_two + 1 + 1 / 36, rtol=0, atol=1e-10)


def test_two_branches_that_are_summed_are_one_node_layer():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.left, self.right, self.last = nn.Linear(4, 3), nn.Linear(4, 3), nn.Linear(3, 2)

        def forward(self, x):
            return {"scores": (self.last(torch.sigmoid(self.left(x) + self.right(x))),)}

    model = Two()
    graph = layer_graph(model, torch.rand(2, 4))
    assert joins(graph)[:2] == [("inputs", "left", "left"), ("inputs", "right", "left")]
    together = AffineLayer(model.left.weight + model.right.weight, model.left.bias + model.right.bias)
    expected = node_strength([together, AffineLayer(model.last.weight, model.last.bias)])
    for found, wanted in zip(graph.strengths(), expected, strict=True):
        assert torch.allclose(found, wanted, rtol=0, atol=1e-6)


def test_values_before_a_sum_that_are_used_again_are_no_sums():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(3, 3), nn.Linear(3, 3)

        def forward(self, x):
            y = self.a(x)
            z = y + x
            return self.b(y), z

    graph = layer_graph(Twice(), torch.rand(2, 3))
    assert joins(graph) == [("inputs", "a", "a"), ("inputs", "add", "a"), ("b in", "b", "b")]
    assert "used apart from the sum" in next(nodes for nodes in graph.nodes if nodes.name == "b in").open_in


@pytest.mark.parametrize(
    ("module", "shape"),
    [
        (nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2), (4, 5, 4)),
        (nn.ConvTranspose1d(2, 3, 4, stride=3, dilation=2), (2, 6)),
        (nn.AvgPool2d(3, 2, 1), (4, 7, 7)),
        (nn.AvgPool1d(2), (4, 7)),
        (nn.AdaptiveAvgPool2d((2, 1)), (4, 6, 5)),
        (nn.Conv3d(2, 4, 2, dilation=2, padding="same", groups=2), (2, 3, 4, 5)),
        (spectral_norm(nn.Conv2d(4, 2, 3)), (4, 5, 5)),
    ],
)
def test_every_affine_module_equals_f_of_ones_and_the_gradient(module, shape):
    module = module.double().eval()
    graph = layer_graph(nn.Sequential(module), torch.rand(2, *shape, dtype=torch.float64))
    into, out_of = function_strength(module, shape)
    [link] = graph.links
    assert torch.allclose(link.layer.in_strength(), into, rtol=0, atol=1e-10)
    assert torch.allclose(link.layer.out_strength(), out_of, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Conv2d(3, 4, 3, padding=1), (3, 6, 6)),
        (nn.ConvTranspose2d(3, 4, 3, 2, bias=False), (3, 6, 6)),
        (nn.ConvTranspose2d(2, 4, 3, groups=2), (2, 6, 6)),
        (nn.Linear(5, 4), (5,)),
    ],
)
def test_batchnorm_is_folded_in_eval_mode_only(layer, shape):
    norm = (nn.BatchNorm1d if len(shape) == 1 else nn.BatchNorm2d)(4)
    model = nn.Sequential(layer, norm, nn.ReLU()).double()
    inputs = torch.rand(8, *shape, dtype=torch.float64)
    model.train()(inputs)
    assert "in train mode it scales by the statistics" in layer_graph(model, inputs, fold_bn=True).reasons["1"]
    model.eval()
    with torch.no_grad():
        norm.weight.uniform_(0.5, 2)
        norm.bias.normal_()
    [link] = layer_graph(model, inputs, fold_bn=True).links
    into, out_of = function_strength(model[:2], shape)
    assert torch.allclose(link.layer.in_strength(), into, rtol=0, atol=1e-10)
    assert torch.allclose(link.layer.out_strength(), out_of, rtol=0, atol=1e-10)
    with torch.no_grad():
        norm.running_var[0] = math.nan
    assert "`running_var` holds 1 NaN" in layer_graph(model, inputs, fold_bn=True).reasons["1"]
    plain = layer_graph(model, inputs)
    assert torch.equal(plain.links[0].layer.weight, layer.weight)
    assert "fold BatchNorm to have it" in plain.reasons["1"]


def test_tokens_share_their_links_and_attention_has_none():
    model = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)  # in train mode, where it has no fast path
    graph = layer_graph(model, torch.rand(2, 5, 8))
    hidden = next(nodes for nodes in graph.nodes if nodes.name == "linear1")
    assert hidden.shape == (5, 16)
    assert hidden.channels == 16
    one = AffineLayer(model.linear1.weight, model.linear1.bias).in_strength()
    two = AffineLayer(model.linear2.weight).out_strength()
    assert torch.allclose(named(graph, "linear1"), (one + two).expand(5, 16))
    assert graph.reasons["self_attn.out_proj"] == "it was not executed in this forward"
    assert "the data are the weights of attention" in graph.reasons["self_attn.multi_head_attention_forward"]
    assert "statistics of each input" in graph.reasons["norm1"]


def test_matrices_that_read_all_positions_of_a_batch_at_once():
    from transformers import GPT2Config, GPT2Model

    config = GPT2Config(n_embd=8, n_layer=1, n_head=2, vocab_size=20, bos_token_id=0, eos_token_id=0)
    model = GPT2Model(config).eval()
    graph = layer_graph(model, torch.randint(0, 20, (2, 5)))
    mlp = model.h[0].mlp
    assert [link.name for link in graph.links if link.layer is not None] == [
        "h.0.attn.c_attn", "h.0.attn.c_proj", "h.0.mlp.c_fc", "h.0.mlp.c_proj",
    ]  # fmt: skip
    hidden = AffineLayer(mlp.c_fc.weight.T, mlp.c_fc.bias).in_strength()
    sent = AffineLayer(mlp.c_proj.weight.T).out_strength()
    assert torch.allclose(named(graph, "h.0.mlp.c_fc").reshape(-1, 32)[0], hidden + sent)


def test_real_architectures_are_followed():
    from transformers import ResNetConfig, ResNetModel

    model = ResNetModel(ResNetConfig(embedding_size=4, hidden_sizes=[6, 8], depths=[2, 1], layer_type="basic")).eval()
    graph = layer_graph(model, torch.rand(2, 3, 32, 32), fold_bn=True)
    convolutions = [name for name, module in model.named_modules() if isinstance(module, nn.Conv2d)]
    assert sorted(link.name for link in graph.links if link.layer is not None) == sorted([*convolutions, "pooler"])
    assert sum(link.layer is None for link in graph.links) == 1  # the other blocks have a convolution in their shortcut
    assert sum(bool(nodes.open_in) for nodes in graph.nodes) == 1  # the pooling of the stem
    assert [nodes.is_output for nodes in graph.nodes][-2:] == [True, True]


def test_a_bundled_network_ends_its_chains_where_it_pools():
    graph = layer_graph(demo.load("trained"), demo.digits("test")[0])
    assert [link.name for link in graph.links] == ["conv1", "conv2", "conv3", "head"]
    pooled = next(nodes for nodes in graph.nodes if nodes.name == "conv2")
    assert pooled.open_out == "pool2: which of its links carries, depends on the data"
    # Nothing is summed across: what leads in is all that there is.
    assert torch.allclose(named(graph, "conv2"), graph.links[1].layer.in_strength())


def test_what_scales_before_a_sum_is_a_function_of_its_nodes():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last = nn.Linear(3, 3), nn.Linear(3, 2)

        def forward(self, x):
            y = self.first(x) + 1
            y = y * torch.sigmoid(y)
            return self.last(0.5 * y + x)

    model = Scaled()
    graph = layer_graph(model, torch.rand(2, 3))
    assert joins(graph) == [
        ("inputs", "first", "first"),
        ("first", "add", "add"),
        ("inputs", "add", "add"),
        ("add", "last", "last"),
    ]
    into = AffineLayer(model.first.weight, model.first.bias).in_strength()
    assert torch.allclose(named(graph, "first"), into + 1)
    assert torch.allclose(named(graph, "add"), 2 + AffineLayer(model.last.weight).out_strength())


def test_a_sum_that_spreads_one_side_is_open():
    class Spread(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.last = nn.Conv2d(2, 2, 3, padding=1), nn.Conv2d(2, 1, 1)

        def forward(self, x):
            y = self.conv(x)
            return self.last(torch.relu(y + y.mean((2, 3), keepdim=True)))

    graph = layer_graph(Spread(), torch.rand(2, 2, 4, 4))
    assert [link.name for link in graph.links] == ["conv", "mean", "last"]
    assert next(nodes for nodes in graph.nodes if nodes.name == "add").open_in.startswith("add: it is not followed")


def test_batchnorm_before_a_sum_is_folded_or_a_function_of_its_nodes():
    class Normed(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.norm = nn.Conv2d(2, 2, 3, padding=1), nn.BatchNorm2d(2)

        def forward(self, x):
            return torch.relu(self.norm(self.conv(x)) + x)

    model, inputs = Normed().eval(), torch.rand(2, 2, 5, 5)
    assert joins(layer_graph(model, inputs, fold_bn=True)) == [("inputs", "conv", "conv"), ("inputs", "add", "conv")]
    assert joins(layer_graph(model, inputs)) == [
        ("inputs", "conv", "conv"),
        ("conv", "add", "add"),
        ("inputs", "add", "add"),
    ]


# ---------------------------------------------------------------- reasons


def test_unused_broken_and_unknown_layers_say_why():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.broken, self.fine, self.unused = nn.Linear(4, 4), nn.Linear(4, 3), nn.Linear(2, 2)
            self.table, self.soft = nn.Embedding(3, 4), nn.Softmax(dim=1)
            self.uneven = nn.AdaptiveAvgPool1d(2)
            with torch.no_grad():
                self.broken.weight[0, 1] = math.nan

        def forward(self, x):
            x = self.fine(torch.relu(self.broken(x)) + self.table(torch.zeros(len(x), dtype=torch.long)))
            return self.soft(x), self.uneven(x[:, None])

    graph = layer_graph(Odd(), torch.rand(2, 4))
    assert "`weight` holds 1 NaN or infinite values of 16" in graph.reasons["broken"]
    assert graph.reasons["unused"] == "it was not executed in this forward"
    assert graph.reasons["table"] == "its weights are used in a way that is not followed"
    assert graph.reasons["soft"] == "each output depends on all inputs, and not linearly"
    assert "pools (3,) places to (2,), which do not divide them" in graph.reasons["uneven"]
    assert [link.name for link in graph.links] == ["fine"]


def test_control_flow_that_looks_at_values_is_said():
    class Forks(nn.Module):
        def __init__(self):
            super().__init__()
            self.left, self.right = nn.Linear(3, 2), nn.Linear(3, 2)

        def forward(self, x):
            return self.left(x) if x.sum() > 0 else self.right(x)

    graph = layer_graph(Forks(), torch.ones(2, 3))
    assert [link.name for link in graph.links] == ["left"]
    assert graph.reasons["right"] == "it was not executed in this forward"
    assert "may take another way for other inputs" in graph.notes[0]
    assert layer_graph(nn.Sequential(nn.Linear(3, 2)), torch.ones(2, 3)).notes == ()


def test_shared_and_functional_layers_have_names_of_their_own():
    class Shared(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.weight = nn.Linear(3, 3), nn.Parameter(torch.rand(2, 3))

        def forward(self, x):
            return nn.functional.linear(self.layer(torch.relu(self.layer(x))), self.weight)

    graph = layer_graph(Shared(), torch.ones(2, 3))
    assert [link.name for link in graph.links] == ["layer", "layer#2", "linear"]


def test_a_model_without_links_is_refused():
    with pytest.raises(DynExplorerError, match=r"Sequential has no layer with fixed links \(0: it acts on each"):
        layer_graph(nn.Sequential(nn.ReLU()), torch.ones(2, 3))


def test_the_model_is_given_back_and_later_training_does_not_reach_the_graph(nasty, images, fingerprint, changed):
    before = fingerprint(nasty)
    graph = layer_graph(nasty, images)
    assert changed(before, fingerprint(nasty)) == []
    assert any(link.name == "second" for link in graph.links)
    model = nn.Sequential(nn.Linear(3, 2)).double()
    graph = layer_graph(model, torch.ones(2, 3, dtype=torch.float64))
    kept = graph.links[0].layer.weight.clone()
    with torch.no_grad():
        model[0].weight.zero_()
    assert torch.equal(graph.links[0].layer.weight, kept)

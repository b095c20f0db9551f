"""The listing of a kernel's models and inputs, in this process and in a real kernel."""

from __future__ import annotations

import json
import queue

import numpy as np
import pytest
import torch
from jupyter_client.manager import start_new_kernel

from dyn_explorer.kernel_listing import expression, listing


def _content(**namespace) -> dict:
    return listing(namespace).content


def test_a_model_is_listed_with_what_a_person_needs_to_know_it():
    model = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.BatchNorm2d(4)).eval()
    expected = {"name": "net", "class": "Sequential", "parameters": 48, "device": "cpu", "training": False}
    [found] = _content(net=model)["models"]
    assert {name: found[name] for name in expected} == expected


def test_a_model_that_changes_in_place_or_in_its_variable_has_another_version():
    def version(model) -> str:
        return _content(net=model)["models"][0]["version"]

    model = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Linear(3, 2))
    before = version(model)
    model(torch.zeros(1, 3)).sum().backward()
    assert version(model) == before
    torch.optim.SGD(model.parameters(), lr=0.1).step()
    assert version(model) != before
    assert version(torch.nn.Linear(3, 2)) != version(torch.nn.Linear(3, 2).requires_grad_(False)) != before
    with torch.inference_mode():
        assert version(torch.nn.Linear(3, 2)).endswith("-0")


def test_parameters_are_counted_as_torch_counts_them_where_modules_and_weights_are_shared():
    shared = torch.nn.Linear(4, 4)
    tied = torch.nn.Linear(4, 4, bias=False)
    tied.weight = shared.weight
    model = torch.nn.Sequential(shared, shared, tied, torch.nn.ReLU())
    model.register_parameter("none", None)
    assert _content(net=model)["models"][0]["parameters"] == sum(p.numel() for p in model.parameters()) == 20


def test_a_model_that_contains_itself_in_a_circle_ends():
    inner = torch.nn.Linear(2, 2)
    model = torch.nn.Sequential(inner)
    inner._modules["above"] = model
    assert _content(net=model)["models"][0]["parameters"] == 6


@pytest.mark.parametrize(
    ("model", "parameters", "device"),
    [
        (torch.nn.ReLU(), 0, None),
        (torch.nn.LazyLinear(3), None, "cpu"),
        (torch.nn.Linear(2, 2, device="meta"), 6, "meta"),
        (torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2, device="meta")), 12, "cpu, meta"),
    ],
)
# torch says of each lazy module that such modules are new.
@pytest.mark.filterwarnings("ignore:Lazy modules are a new feature:UserWarning")
def test_what_is_undefined_is_none(model, parameters, device):
    entry = _content(net=model)["models"][0]
    assert (entry["parameters"], entry["device"]) == (parameters, device)


def test_inputs_are_tensors_numeric_arrays_and_loaders():
    found = _content(
        images=torch.zeros(5, 1, 8, 8, dtype=torch.float16),
        table=np.zeros((3, 2)),
        loader=torch.utils.data.DataLoader([torch.zeros(2)]),
        weight=torch.nn.Parameter(torch.zeros(2)),
        loss=torch.tensor(1.0),
        words=np.array(["a", "b"]),
        number=3,
        _hidden=torch.zeros(2),
    )
    assert [(entry["name"], entry["kind"], entry.get("shape"), entry.get("dtype")) for entry in found["inputs"]] == [
        ("images", "tensor", [5, 1, 8, 8], "float16"),
        ("table", "array", [3, 2], "float64"),
        ("loader", "loader", None, None),
    ]
    assert found["models"] == []


# torch says of each nested tensor that the interface is a prototype.
@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors:UserWarning")
def test_a_tensor_of_rows_of_different_lengths_has_no_shape():
    rows = torch.nested.nested_tensor([torch.zeros(2), torch.zeros(3)])
    assert _content(rows=rows)["inputs"][0]["shape"] is None


def test_nothing_that_the_person_wrote_is_called():
    def refuse(*_, **__):
        raise AssertionError("the listing called the person's code")

    class Net(torch.nn.Module):
        parameters = named_parameters = modules = children = __repr__ = __len__ = __eq__ = __bool__ = refuse
        __hash__ = None
        device = property(refuse)

    class Images(torch.Tensor):
        __torch_function__ = classmethod(refuse)

    class Proxy:
        __class__ = property(refuse)
        __getattr__ = shape = refuse

    found = listing({"net": Net(), "images": torch.zeros(4, 2).as_subclass(Images), "proxy": Proxy()}).content
    assert [entry["class"] for entry in found["models"] + found["inputs"]] == ["Net", "Images"]
    assert found["inputs"][0]["shape"] == [4, 2]


def test_names_and_classes_come_as_the_person_wrote_them_and_as_valid_json():
    name = "<img src=x onerror=alert(1)>\u2028'\"</script>"
    text = repr(listing({"net": type(name, (torch.nn.Module,), {})(), name: torch.zeros(1)}))
    assert text.isascii()
    found = json.loads(text)
    assert found["models"][0]["class"] == found["inputs"][0]["name"] == name


def test_names_left_when_the_time_is_over_are_counted():
    found = listing({f"x{i}": torch.zeros(1) for i in range(100)}, seconds=-1).content
    assert (found["inputs"], found["not_looked_at"]) == ([], 100)


class Kernel:
    """A real kernel, asked as a front end asks it."""

    def __init__(self) -> None:
        self.manager, self.client = start_new_kernel(kernel_name="python3")

    def ask(self, code: str = "", **expressions: str) -> dict:
        silent = not code
        sent = self.client.execute(code, silent=silent, store_history=not silent, user_expressions=expressions)
        while True:
            reply = self.client.get_shell_msg(timeout=60)
            if reply["parent_header"]["msg_id"] == sent:
                assert reply["content"]["status"] == "ok", reply["content"]
                return reply["content"]

    def list(self) -> dict:
        return self.ask(listing=expression())["user_expressions"]["listing"]["data"]["application/json"]

    def value(self, text: str) -> str:
        return self.ask(value=text)["user_expressions"]["value"]["data"]["text/plain"]

    def messages(self) -> list[str]:
        kinds = []
        while True:
            try:
                kinds.append(self.client.get_iopub_msg(timeout=0.5)["msg_type"])
            except queue.Empty:
                return kinds

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture
def kernel():
    kernel = Kernel()
    yield kernel
    kernel.close()


def test_a_kernel_without_torch_stays_without_it(kernel):
    kernel.ask("import sys; x = 1")
    assert kernel.list() == {"torch": False, "models": [], "inputs": [], "not_looked_at": 0}
    assert kernel.value("[name for name in ('torch', 'dyn_explorer') if name in sys.modules]") == "[]"


def test_asking_a_kernel_leaves_no_trace(kernel):
    kernel.ask("import torch; net = torch.nn.Linear(3, 2); globals = exec = listing = scope = 'mine'")
    names = "sorted(__import__('IPython').get_ipython().user_ns)"
    history = "len(__import__('IPython').get_ipython().history_manager.input_hist_raw)"
    before = kernel.value(names), kernel.value(history)
    kernel.messages()
    found = kernel.list()
    assert set(kernel.messages()) == {"status"}
    assert [entry["name"] for entry in found["models"]] == ["net"]
    assert (kernel.value(names), kernel.value(history)) == before
    assert kernel.ask("1 + 1")["execution_count"] == 2
    assert kernel.value("(globals, exec, listing, scope)") == "('mine', 'mine', 'mine', 'mine')"

"""The inspector from Python, without a front end."""

from __future__ import annotations

import gc
import json
import random
import threading
import time
import weakref

import numpy as np
import pytest
import torch
from fake_browser import FakeBrowser, contents
from torch import nn

import dyn_explorer as dx
from dyn_explorer import DynExplorerError
from dyn_explorer.inspector.state import CHOICES

WORKER = "dyn_explorer worker"


def workers() -> int:
    return sum(thread.name == WORKER for thread in threading.enumerate())


def hooks(model: nn.Module) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) + len(m._backward_hooks) for m in model.modules())


class Gated(nn.Module):
    """A network whose forward waits until it is let go."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3)
        self.last = nn.Conv2d(8, 8, 3)
        self.inside, self.go = threading.Event(), threading.Event()

    def forward(self, images):
        maps = self.conv(images)
        self.inside.set()
        assert self.go.wait(60)
        return self.last(maps)


# ---------------------------------------------------------------- opening and waiting


def test_explore_returns_at_once(model, digits):
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        inspector = dx.explore(model, *digits)
        seconds.append(time.perf_counter() - began)
        inspector.close()
    assert min(seconds) < 0.3


def test_explore_does_not_wait_for_the_model(open_inspector):
    model = Gated()
    inspector = open_inspector(model)
    assert model.inside.wait(60)
    with pytest.raises(TimeoutError, match=r"still working after 0\.01 s"):
        inspector.wait(0.01)
    assert dict(inspector.results) == {}
    model.go.set()
    inspector.wait(60)
    assert inspector.results["dynamics"].rank >= 1


def test_the_first_result_is_of_the_last_convolution(inspector):
    assert inspector.layer == "2"
    assert inspector.window == (0, 20)
    result = inspector.results["dynamics"]
    assert result.snapshots.matrix.shape == (16, 20)
    assert len(result.eigenvalues) == len(result.amplitudes) == len(result.energies) == result.rank


def test_results_are_read_only(inspector):
    with pytest.raises(TypeError):
        inspector.results["dynamics"] = None


def test_changes_are_followed(inspector):
    inspector.layer = "0"
    inspector.rank = 4
    inspector.window = (2, 9)
    inspector.wait(60)
    result = inspector.results["dynamics"]
    assert (result.snapshots.layers, result.rank, result.window) == (("0",), 4, (2, 9))


def test_a_bad_value_from_python_raises_and_changes_nothing(inspector):
    before = inspector.state()
    with pytest.raises(DynExplorerError, match="no layer 'conv'"):
        inspector.layer = "conv"
    with pytest.raises(DynExplorerError, match=r"1\.\.16"):  # 16 features allow no more
        inspector.rank = 17
    assert inspector.wait(60).state() == before


def test_the_model_is_given_back_as_it_was(open_inspector, digits):
    model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.Dropout(), nn.ReLU()).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    random_state = torch.get_rng_state()
    inspector = open_inspector(model).wait(60)
    inspector.layer = "3"
    inspector.wait(60)
    assert hooks(model) == 0
    assert torch.equal(torch.get_rng_state(), random_state)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(module.training for module in model.modules())


def test_a_view_of_a_model_in_train_mode_can_be_repeated(open_inspector, digits):
    model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.Dropout(), nn.ReLU()).train()
    inspector = open_inspector(model).wait(60)
    inspector.layer = "2"
    first = inspector.wait(60).results["dynamics"].eigenvalues
    inspector.refresh()
    assert np.array_equal(inspector.wait(60).results["dynamics"].eigenvalues, first)


# ---------------------------------------------------------------- failures


class Failing(nn.Module):
    def __init__(self):
        super().__init__()
        self.good = nn.Conv2d(1, 8, 3)
        self.never = nn.Conv2d(8, 8, 3)

    def forward(self, images):
        self.good(images)
        raise RuntimeError("out of luck")


def test_a_failing_forward_is_told_with_its_cause_and_can_be_explored_so_far(open_inspector):
    inspector = open_inspector(Failing())
    with pytest.raises(DynExplorerError, match=r"out of luck.*'good' \(Conv2d\) with output of shape") as caught:
        inspector.wait(60)
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert "dynamics" not in inspector.results
    browser = FakeBrowser(inspector)
    assert browser.status["kind"] == "error"
    assert "out of luck" in browser.sections["empty"]
    assert inspector._panels["dynamics"].views["circle"].rows.data["x"] == []

    inspector.layer = "good"
    inspector.wait(60)
    browser.settle()
    assert inspector.results["dynamics"].snapshots.layers == ("good",)
    assert "out of luck" in browser.status["text"]
    with pytest.raises(DynExplorerError, match="'never' cannot be shown"):
        inspector.layer = "never"


def test_after_a_failure_the_last_good_view_can_be_undone_to(inspector):
    good = inspector.results["dynamics"].eigenvalues
    inspector.layer = "5"  # one number per channel: there is no map
    with pytest.raises(DynExplorerError, match="axis='sample'"):
        inspector.wait(60)
    inspector.undo()
    assert inspector.wait(60).layer == "2"
    assert np.array_equal(inspector.results["dynamics"].eigenvalues, good)
    inspector.redo()
    assert inspector.layer == "5"
    inspector.axis = "sample"
    assert inspector.wait(60).results["dynamics"].snapshots.axis == "sample"


def test_an_error_of_our_own_says_so_and_the_next_change_works(inspector, monkeypatch):
    def broken(*_arguments):
        raise KeyError("oops")

    monkeypatch.setattr(inspector._panels["dynamics"], "compute", broken)
    inspector.rank = 3
    with pytest.raises(DynExplorerError, match=r"KeyError inside dyn_explorer.*report it") as caught:
        inspector.wait(60)
    assert isinstance(caught.value.__cause__, KeyError)
    monkeypatch.undo()
    inspector.rank = 4
    assert inspector.wait(60).results["dynamics"].rank == 4


def test_cancel_stops_a_run_and_refresh_starts_it_again(open_inspector):
    model = Gated()
    inspector = open_inspector(model)
    browser_messages = []
    assert model.inside.wait(60)
    inspector.cancel()
    model.go.set()
    inspector.wait(60)
    assert dict(inspector.results) == {}
    assert inspector._outbox._sections["status"] == {
        "kind": "note",
        "text": "Cancelled. Refresh runs it again.",
        "fraction": None,
    }
    assert hooks(model) == 0
    assert browser_messages == []
    inspector.refresh()
    assert inspector.wait(60).results["dynamics"].rank >= 1


def test_cancel_without_work_says_nothing(inspector):
    before = dict(inspector._outbox._sections["status"])
    inspector.cancel()
    assert inspector._outbox._sections["status"] == before


# ---------------------------------------------------------------- a model that changes


def test_refresh_sees_changed_weights(inspector, model):
    before = inspector.results["dynamics"].eigenvalues
    with torch.no_grad():
        model[2].weight.mul_(-1)
    inspector.rank = 0.98
    inspector.rank = 0.99
    assert np.array_equal(inspector.wait(60).results["dynamics"].eigenvalues, before)
    inspector.refresh()
    assert not np.array_equal(inspector.wait(60).results["dynamics"].eigenvalues, before)


def test_step_follows_a_training_loop_from_the_calling_thread(inspector, model, digits):
    threads = set()
    model[0].register_forward_pre_hook(lambda *_: threads.add(threading.current_thread()))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    seen = []
    for epoch in range(3):
        loss = nn.functional.cross_entropy(model(digits[0]), digits[1])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        threads.clear()
        inspector.step(epoch=epoch, loss=loss)
        seen.append(inspector.wait(60).results["dynamics"].eigenvalues.tolist())
        assert threads == {threading.current_thread()}
        assert f"epoch {epoch} · loss {loss.item():.4f}" in inspector._outbox._sections["status"]["text"]
        assert all(parameter.grad is not None for parameter in model.parameters())
    assert seen[0] != seen[1] != seen[2]


# ---------------------------------------------------------------- the end


def test_close_may_be_called_again_and_leaves_no_thread(model, digits):
    before = workers()
    inspector = dx.explore(model, *digits)
    assert workers() == before + 1
    inspector.wait(60)
    inspector.close()
    inspector.close()
    assert workers() == before
    assert hooks(model) == 0
    inspector.rank = 3  # harmless, and nothing runs any more
    inspector.refresh()
    inspector.undo()
    inspector.cancel()
    inspector.wait(1)


def test_the_context_manager_closes_while_work_is_going_on(digits):
    before = workers()
    model = Gated()
    with dx.explore(model, digits[0]) as inspector:
        assert model.inside.wait(60)
        threading.Timer(0.05, model.go.set).start()
    assert workers() == before
    assert hooks(model) == 0
    assert dict(inspector.results) == {}


def test_a_closed_inspector_is_freed_with_its_model_and_documents(digits):
    model = nn.Sequential(nn.Conv2d(1, 8, 3))
    inspector = dx.explore(model, digits[0]).wait(60)
    document = inspector._bridge._documents["dynamics"]
    kept = [
        weakref.ref(inspector),
        weakref.ref(model),
        weakref.ref(document),
        weakref.ref(inspector._panels["dynamics"]),
    ]
    inspector.close()
    del inspector, model, document
    gc.collect()
    assert [reference() for reference in kept] == [None] * 4


def test_an_inspector_that_could_not_open_leaves_nothing_behind(model, digits):
    import ipywidgets

    before = workers(), len(ipywidgets.widgets.widget._instances)
    for options in ({"layers": ["nowhere"]}, {"layers": 5}, {"class_names": 5}, {"device": "nowhere"}):
        with pytest.raises(DynExplorerError):
            dx.explore(model, digits[0], **options)
    assert (workers(), len(ipywidgets.widgets.widget._instances)) == before


# ---------------------------------------------------------------- many quick changes


def random_change(rng: random.Random, inspector) -> tuple[str, object]:
    name = rng.choice(["layer", "axis", "sample", "window", "rank", "method", "mode", "opacity"])
    start = rng.randrange(0, 8)
    value = {
        "layer": rng.choice(["0", "1", "2", "3"]),
        "axis": rng.choice(["channel", "sample"]),
        "sample": rng.randrange(0, 40),
        "window": rng.choice([None, (start, start + rng.randrange(3, 30))]),
        "rank": rng.choice([None, 0.9, rng.randrange(1, 20)]),
        "method": rng.choice(["exact", "projected"]),
        "mode": rng.randrange(0, 12),
        "opacity": rng.random(),
    }[name]
    return name, value


def make_changes(inspector, count: int, seed: int) -> int:
    """Random changes without a pause; how many were refused."""
    rng = random.Random(seed)
    refused = 0
    for _ in range(count):
        name, value = random_change(rng, inspector)
        try:
            if name == "opacity":
                inspector._panels["dynamics"].options.opacity = value
            else:
                setattr(inspector, name, value)
        except DynExplorerError:
            refused += 1
    return refused


LAST = {"layer": "0", "axis": "channel", "sample": 7, "window": (1, 11), "rank": 6, "method": "projected", "mode": 2}


def test_2000_quick_changes_end_in_the_last_state(inspector, model, open_inspector, digits):
    refused = make_changes(inspector, 2000, seed=0)
    assert refused < 1500
    for name, value in LAST.items():
        setattr(inspector, name, value)
    inspector.wait(60)
    assert {name: getattr(inspector, name) for name in LAST} == LAST
    fresh = open_inspector(model, labels=digits[1]).wait(60)
    fresh.load_state(inspector.state())
    expected, found = fresh.wait(60).results["dynamics"], inspector.results["dynamics"]
    assert (found.rank, found.window, found.mode, found.snapshots.sample) == (6, (1, 11), 2, 7)
    assert np.array_equal(found.eigenvalues, expected.eigenvalues)
    assert hooks(model) == 0


def test_quick_changes_do_not_pile_anything_up(inspector, model):
    def grown():
        gc.collect()
        documents = inspector._bridge._documents.values()
        return threading.active_count(), hooks(model), sum(len(document.models) for document in documents)

    FakeBrowser(inspector)
    make_changes(inspector, 200, seed=1)
    inspector._renderer.runner.wait(60)
    before, objects = grown(), len(gc.get_objects())
    for seed in (2, 3, 4):
        make_changes(inspector, 200, seed=seed)
        inspector._renderer.runner.wait(60)
        inspector._browsers[0].pump()
        inspector._browsers[0].messages.clear()
    assert grown() == before
    inspector._history.__init__(inspector.state())  # undo may remember as much as it is allowed to
    assert len(gc.get_objects()) - objects < 3000


def test_a_change_while_the_worker_is_busy_is_never_lost(inspector):
    for k in range(60):
        inspector.rank = 3 + k % 5
        inspector.mode = k % 2
        if k % 10 == 0:
            inspector.wait(60)
            assert inspector.results["dynamics"].rank == 3 + k % 5
    assert inspector.wait(60).results["dynamics"].rank == 3 + 59 % 5


def test_a_mode_chosen_for_the_next_rank_is_not_clamped_by_the_last_one(inspector):
    for _ in range(20):
        inspector.rank = 1
        inspector.rank = 12
        inspector.mode = 5
        inspector.wait(60)
        assert inspector.mode == inspector.results["dynamics"].mode == 5


# ---------------------------------------------------------------- undo, state


def test_undo_restores_the_window_across_a_change_of_layer(inspector):
    inspector.window = (3, 17)
    inspector.wait(60)
    inspector.layer = "0"
    inspector.wait(60)
    assert inspector.window == (0, 12)
    inspector.undo()
    assert inspector.wait(60).window == (3, 17)
    assert inspector.results["dynamics"].window == (3, 17)
    inspector.redo()
    inspector.wait(60)
    assert (inspector.layer, inspector.window) == ("0", (0, 12))


def test_every_change_from_python_is_a_step_of_its_own(inspector):
    for rank in (3, 4, 5):
        inspector.rank = rank
    inspector.undo()
    assert inspector.rank == 4
    inspector.undo()
    inspector.undo()
    assert inspector.rank == 0.99
    inspector.undo()
    assert inspector.rank == 0.99


def test_what_the_worker_fitted_makes_no_step(inspector):
    inspector.rank = 15
    inspector.wait(60)
    inspector.layer = "0"
    inspector.wait(60)
    assert inspector.rank == 11
    inspector.undo()
    assert (inspector.layer, inspector.rank) == ("2", 15)


def test_state_survives_json_and_a_new_session(inspector, open_inspector, model, digits):
    inspector.layer, inspector.axis, inspector.rank = "0", "sample", 5
    inspector._panels["dynamics"].options.opacity = 0.25
    inspector.window = (4, 30)
    inspector.wait(60)
    saved = json.loads(json.dumps(inspector.state(), allow_nan=False))
    other = open_inspector(model, labels=digits[1])
    other.load_state(saved)
    assert other.wait(60).state() == saved
    assert np.array_equal(other.results["dynamics"].eigenvalues, inspector.results["dynamics"].eigenvalues)


def damaged(state: dict) -> list:
    choices, options = state["choices"], state["options"]
    return [
        None,
        [],
        {},
        "text",
        {**state, "version": 99},
        {**state, "choices": None},
        {**state, "choices": {**choices, "layer": "nowhere"}},
        {**state, "choices": {**choices, "layer": "0", "rank": True}},
        {**state, "choices": {**choices, "layer": "0", "window": [1]}},
        {**state, "choices": {**choices, "layer": None}},
        {**state, "choices": {**choices, "colour": 1}},
        {**state, "options": []},
        {**state, "options": {"dynamics": 3}},
        {**state, "options": {"nowhere": {}}},
        {**state, "options": {"dynamics": {"opacity": 0.1, "colour": 1}}},
        {**state, "options": {"dynamics": {"opacity": 7}}},
        {**state, "options": {"dynamics": {"opacity": float("nan")}}},
        {**state, "options": {"dynamics": {"stable_tol": -1}}},
        {**state, "options": {"dynamics": {"part": "phase"}}},
        {**state, "options": {**options, "dynamics": {"opacity": 0.1}}, "choices": {**choices, "mode": -1}},
    ]


def test_a_bad_state_is_refused_and_changes_nothing(inspector):
    inspector.window = (2, 12)
    state = inspector.wait(60).state()
    for bad in damaged(state):
        with pytest.raises(DynExplorerError):
            inspector.load_state(bad)
        assert inspector.state() == state
    assert inspector.wait(60).results["dynamics"].window == (2, 12)


def test_loading_a_state_is_one_step(inspector):
    before = inspector.state()
    after = {**before, "choices": {**before["choices"], "layer": "0", "rank": 3, "window": None}}
    inspector.load_state(after)
    inspector.wait(60)
    inspector.undo()
    assert inspector.wait(60).state() == before


# ---------------------------------------------------------------- code, table, page

VIEWS = [
    {"layer": "0"},
    {"layer": "2", "method": "projected", "rank": None, "mode": 1},
    {"layer": "2", "rank": 4, "window": (2, 15), "sample": 11},
    {"layer": "3", "axis": "sample", "rank": 0.9},
    {"layers": ("0", "2"), "rank": 7},
    {"axis": "layer", "layers": ("0", "1", "2", "3"), "rank": 2},
    {"layer": "5", "axis": "sample", "window": (1, 39), "mode": 3},
]


@pytest.mark.parametrize("view", VIEWS, ids=str)
def test_the_code_gives_the_same_numbers_elsewhere(inspector, model, digits, view):
    inspector.load_state({"version": 1, "choices": view})
    result = inspector.wait(60).results["dynamics"]
    names = {"model": model, "inputs": digits[0], "labels": digits[1]}
    exec(inspector.code(), names)
    for name in ("eigenvalues", "amplitudes", "energies"):
        assert np.allclose(names[name], getattr(result, name), rtol=1e-10, atol=1e-12), name
    assert names["stable"].tolist() == result.stable.tolist()
    index = int(result.dmd.rows[inspector.mode])
    assert np.allclose(names["mode"], result.modes([index])[:, 0], rtol=1e-10, atol=1e-12)


def test_the_table_has_one_row_per_mode(inspector):
    table = inspector.table()
    result = inspector.results["dynamics"]
    assert len(table) == len(result.dmd.rows)
    assert table["share"].sum() == pytest.approx(1)
    assert table["modulus"].tolist() == pytest.approx(np.abs(result.eigenvalues[result.dmd.rows]).tolist())
    with pytest.raises(DynExplorerError, match="no panel 'other'; the panels are dynamics"):
        inspector.table("other")


def test_table_and_page_need_a_result(open_inspector, tmp_path):
    model = Gated()
    inspector = open_inspector(model)
    with pytest.raises(DynExplorerError, match="no result yet"):
        inspector.table()
    with pytest.raises(DynExplorerError, match="call wait"):
        inspector.to_html(tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []
    model.go.set()


# ---------------------------------------------------------------- inputs of every kind


def input_kinds(images, labels):
    data = torch.utils.data.TensorDataset(images, labels)
    return {
        "tensor": images,
        "array": images.numpy().astype(np.float64),
        "list": list(images),
        "dict": {"input": images},
        "tuple": (images,),
        "dataset": data,
        "loader": torch.utils.data.DataLoader(data, batch_size=16),
        "shuffled loader": torch.utils.data.DataLoader(data, batch_size=16, shuffle=True),
        "generator": (images[k : k + 8] for k in range(0, len(images), 8)),
        "generator of pairs": ((images[k : k + 8], labels[k : k + 8]) for k in range(0, len(images), 8)),
    }


@pytest.mark.parametrize("kind", list(input_kinds(torch.zeros(1, 1, 8, 8), torch.zeros(1))))
def test_inputs_of_every_kind_can_be_looked_at_again_and_again(open_inspector, model, digits, kind):
    inspector = open_inspector(model, input_kinds(*digits)[kind]).wait(60)
    first = inspector._source.recording.inputs
    inspector.layer = "0"
    inspector.wait(60)
    inspector.refresh()
    inspector.wait(60)
    again = inspector._source.recording.inputs
    assert torch.equal(first, again)
    assert sorted(first.flatten(1).sum(1).tolist()) == pytest.approx(sorted(digits[0].flatten(1).sum(1).tolist()))


def test_an_endless_generator_is_read_no_further_than_needed(open_inspector, model, digits):
    read = []

    def endless():
        while True:
            read.append(1)
            yield digits[0]

    inspector = open_inspector(model, endless()).wait(60)
    inspector.layer = "0"
    inspector.wait(60)
    assert len(inspector._source.recording.inputs) == 256
    assert len(read) == 7


def test_the_state_holds_every_choice(inspector):
    assert set(inspector.state()["choices"]) == set(CHOICES)


# ---------------------------------------------------------------- the page and the document agree with the state


def test_a_view_shows_what_python_chose(inspector):
    browser = FakeBrowser(inspector)
    make_changes(inspector, 100, seed=5)
    inspector.load_state({"version": 1, "choices": {"axis": "channel", "sample": 0, "layer": "2", "rank": 5}})
    inspector.wait(60)
    browser.settle()
    assert browser.sections["choices"] == inspector.choices()
    assert contents(browser.document) == contents(inspector._bridge._documents["dynamics"])
    assert browser.sections["code"] == inspector.code()


def test_a_model_without_maps_opens_on_its_inputs_and_says_so(open_inspector, digits):
    inspector = open_inspector(nn.Sequential(nn.Flatten(), nn.Linear(64, 9)), digits[0]).wait(60)
    assert inspector.axis == "sample"
    assert "no maps" in inspector._outbox.sections["status"]["text"]
    inspector.axis = "channel"
    with pytest.raises(DynExplorerError, match="channel is no map; use axis='sample'"):
        inspector.wait(60)


@pytest.mark.parametrize("axis", ["channel", "position", "layer", "sample", "path"])
def test_every_metric_gets_its_nulls_after_the_plots(open_inspector, model, axis):
    inspector = open_inspector(model).wait(60)
    inspector.axis = axis
    inspector.wait(60)
    comparison = inspector.results["dynamics"].comparison
    assert comparison.untrained is not None, comparison.untrained_reason
    assert len(comparison.shuffled.values["entropy_share"]) == 20
    cells = [row["cells"] for row in inspector._outbox.sections["metrics"]["rows"]]
    assert all("…" not in cell for row in cells for cell in row)


def test_checkpoints_are_an_axis(open_inspector, model, digits):
    course = {epoch: {k: (1 + epoch) * v for k, v in model.state_dict().items()} for epoch in range(5)}
    inspector = open_inspector(model, checkpoints=course).wait(60)
    inspector.axis = "epoch"
    inspector.wait(60)
    assert inspector.results["dynamics"].snapshots.labels[0] == "epoch 0"
    names = {"model": model, "inputs": digits[0], "checkpoints": course}
    exec(inspector.code(), names)
    np.testing.assert_allclose(names["eigenvalues"], inspector.results["dynamics"].eigenvalues, atol=1e-10)


def test_without_checkpoints_their_axis_says_what_it_needs(open_inspector, model):
    inspector = open_inspector(model).wait(60)
    inspector.axis = "epoch"
    with pytest.raises(DynExplorerError, match=r"checkpoints=\{epoch: state_dict"):
        inspector.wait(60)


@pytest.mark.parametrize(
    "options",
    [
        {"normalise": "softmax", "centre": True},
        {"order": "random", "seed": 3, "max_columns": 9},
        {"order": "lexicographic", "normalise": "l2"},
        {"preset": "dmd_xai"},
    ],
    ids=str,
)
def test_code_rebuilds_a_view_with_options(open_inspector, model, digits, options):
    inspector = open_inspector(model).wait(60)
    for name, value in options.items():
        inspector.set_by_name(f"dynamics.{name}", value)
    inspector.wait(60)
    names = {"model": model, "inputs": digits[0]}
    exec(inspector.code(), names)
    np.testing.assert_allclose(names["eigenvalues"], inspector.results["dynamics"].eigenvalues, atol=1e-10)


def test_a_hidden_residual_is_not_drawn_and_the_table_keeps_it(open_inspector, model):
    inspector = open_inspector(model).wait(60)
    residuals = inspector.results["dynamics"].residuals
    most = float(np.median(residuals))
    inspector.set_by_name("dynamics.most_residual", most)
    inspector.wait(60)
    circle = inspector._panels["dynamics"].views["circle"]
    assert len(circle.rows.data["x"]) == np.sum(residuals <= most) < len(residuals)
    assert len(inspector.table()) == len(inspector.results["dynamics"].dmd.rows)


def test_the_pseudospectrum_comes_and_goes_with_its_switch(open_inspector, model):
    inspector = open_inspector(model).wait(60)
    source = inspector._panels["dynamics"].views["circle"]._contours
    inspector.set_by_name("dynamics.pseudospectrum", True)
    inspector.wait(60)
    assert inspector.results["dynamics"].comparison.pseudospectrum.tau.shape == (64, 64)
    assert len(source.data["xs"]) > 0
    inspector.set_by_name("dynamics.pseudospectrum", False)
    inspector.wait(60)
    assert len(source.data["xs"]) == 0


def test_no_forward_runs_beside_a_training_loop(open_inspector, model):
    inspector = open_inspector(model).wait(60)
    inspector.step(epoch=1)
    inspector.wait(60)
    calls = []
    handle = model.register_forward_hook(lambda *_: calls.append(threading.current_thread().name))
    inspector.layer = next(name for name in inspector.limits.layers if name != inspector.layer)
    with pytest.raises(DynExplorerError, match="comes with the next step"):
        inspector.wait(60)
    assert calls == []
    inspector.step(epoch=2)
    assert set(calls) == {threading.current_thread().name}
    inspector.wait(60)
    inspector.refresh()
    inspector.wait(60)
    assert inspector.results["dynamics"].comparison.untrained is not None
    handle.remove()


def test_a_failed_forward_leaves_no_tensors_behind(open_inspector, digits):
    kept = []

    class Failing(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(1, 4, 3)

        def forward(self, images):
            big = self.conv(images)
            kept.append(weakref.ref(big))
            raise RuntimeError("no")

    inspector = open_inspector(Failing(), digits[0])
    inspector.wait(60)
    assert "no" in inspector._outbox.sections["status"]["text"]
    gc.collect()
    assert kept
    assert all(reference() is None for reference in kept)


def test_an_unknown_message_is_answered_in_words(open_inspector, model):
    inspector = open_inspector(model).wait(60)
    inspector._receive(None, {"kind": "nonsense", "view": "v"}, [])
    assert "not known here" in inspector._outbox.sections["status"]["text"]


def test_a_view_is_shared_as_one_word(open_inspector, model):
    inspector = open_inspector(model).wait(60)
    inspector.rank = 3
    inspector.load_state({**inspector.state(), "options": {"training": {"images": 5}}})
    word = inspector.wait(60).share()
    assert len(word) < 500
    assert set(word) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")
    other = open_inspector(model).wait(60)
    other.load_state(f"http://localhost:8888/lab/tree/lesson.ipynb#{word}")
    assert other.wait(60).state() == inspector.state()
    with pytest.raises(DynExplorerError, match=r"is no shared view; it begins with 'dx1\.'"):
        other.load_state("hello")
    with pytest.raises(DynExplorerError, match=r"cannot be read .*copy the whole of it"):
        other.load_state(word[:-9])
    assert other.state() == inspector.state()


def test_options_of_a_panel_are_set_together_or_not_at_all(open_inspector, model):
    inspector = open_inspector(model).wait(60)
    before = inspector.options("training")
    with pytest.raises(DynExplorerError, match="option 'images' of panel 'training' cannot be 1000"):
        inspector.options("training", runs="bundled", images=1000)
    assert inspector.options("training") == before
    with pytest.raises(DynExplorerError, match="panel 'training' has no option 'colour'"):
        inspector.options("training", colour="red")
    with pytest.raises(DynExplorerError, match="there is no panel 'weather'"):
        inspector.options("weather")
    after = inspector.options("training", images=3, metric="gap_leading")
    assert (after["images"], after["metric"]) == (3, "gap_leading")
    inspector.undo()
    assert inspector.options("training") == before

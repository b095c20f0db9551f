"""The model comes back bit-identical, whatever happened to it."""

import copy
import gc
import random
import signal
import threading
import time

import pytest
import torch
from torch import nn

from dyn_explorer.capture import borrow, guard, record, state
from dyn_explorer.capture.recording import RecordingError
from dyn_explorer.errors import Cancelled, DynExplorerError

OUTCOMES = ["ok", "bad shape", "forward raises", "keyboard interrupt", "cancel", "out of memory", "two threads"]


def out_of_memory(x):
    torch.empty(2**50, dtype=torch.float64)


def fail(x):
    raise ZeroDivisionError("the bomb")


def interrupt(x):
    signal.raise_signal(signal.SIGINT)


def run_outcome(outcome, model, images, actions):
    """Make `outcome` happen, and check that it did."""
    if outcome == "ok":
        assert record(model, images).complete
    elif outcome == "bad shape":
        with pytest.raises(RecordingError, match="conv"):
            record(model, images.repeat(1, 3, 1, 1))
    elif outcome == "forward raises":
        actions.append(fail)
        with pytest.raises(RecordingError, match="the bomb"):
            record(model, images)
    elif outcome == "keyboard interrupt":
        actions.append(interrupt)
        with pytest.raises(KeyboardInterrupt):
            record(model, images)
    elif outcome == "cancel":
        cancel = threading.Event()
        actions.append(lambda _: cancel.set())
        with pytest.raises(Cancelled, match="cancelled"):
            record(model, images, cancel=cancel)
    elif outcome == "out of memory":
        actions.append(out_of_memory)
        with pytest.raises(DynExplorerError, match="memory ran out with a single sample"):
            record(model, images)
    else:
        run_two_threads(model, images)


def run_two_threads(model, images):
    results = []
    workers = [threading.Thread(target=lambda: results.append(record(model, images, seed=1))) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(results) == 2
    first, second = results
    assert list(first.activations) == list(second.activations)
    assert all(torch.equal(first.activations[name], second.activations[name]) for name in first.activations)


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_model_comes_back_bit_identical(outcome, training, nasty, images, actions, fingerprint, changed):
    nasty.train(training)
    images_before = images.clone()
    before = fingerprint(nasty)
    run_outcome(outcome, nasty, images, actions)
    assert changed(before, fingerprint(nasty)) == []
    assert torch.equal(images, images_before)


def test_fingerprint_notices_what_the_forward_does(nasty, images, fingerprint, changed):
    before = fingerprint(nasty)
    with borrow(nasty) as lent, torch.no_grad():
        lent.train()(images)
        during = changed(before, fingerprint(nasty))
    expected = [
        ".counter", ".seen", ".table", ".names", ".last", ".array", ".loose", ".added", ".doomed", "._buffers",
        "._parameters", "._modules", ".torch_generator", ".python_generator", ".numpy_generator", "|order",
        "bn._buffers", "drop.training", "head._parameters", "second._parameters", "tied._forward_hooks",
        "conv.parametrizations.weight.0._buffers", "rng.torch", "rng.python", "rng.numpy", "sigint",
    ]  # fmt: skip
    assert set(expected) <= set(during)
    assert changed(before, fingerprint(nasty)) == []


def test_unregistered_modules_come_back_too(nasty, images):
    hidden = nasty.unregistered[0]
    record(nasty.train(), images)
    assert int(hidden.num_batches_tracked) == 0
    assert torch.equal(hidden.running_mean, torch.zeros(4))


@pytest.mark.parametrize("training", [True, False])
def test_asking_for_a_mode_leaves_the_flags(training, nasty, images, fingerprint, changed):
    nasty.train()
    nasty.bn.eval()
    before = fingerprint(nasty)
    assert record(nasty, images, training=training).training is training
    assert changed(before, fingerprint(nasty)) == []


def test_seed_fixes_the_run_and_not_the_generators(small_cnn, images):
    model = nn.Sequential(small_cnn, nn.Dropout(0.5)).train()
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first = record(model, images, seed=7).activations["1"]
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first, record(model, images, seed=7).activations["1"])
    assert not torch.equal(first, record(model, images, seed=8).activations["1"])


def test_pending_backward_still_works(small_cnn, images):
    small_cnn.train()
    reference = copy.deepcopy(small_cnn)
    reference(images).sum().backward()
    loss = small_cnn(images).sum()
    record(small_cnn, images)
    loss.backward()
    for ours, expected in zip(small_cnn.parameters(), reference.parameters(), strict=True):
        assert torch.equal(ours.grad, expected.grad)


def test_interrupt_during_the_giving_back_waits(nasty, images, fingerprint, changed, monkeypatch):
    restore = state._SavedTensor.restore
    interrupts = []

    def interrupted(saved):
        if len(interrupts) < 3:
            interrupts.append(1)
            signal.raise_signal(signal.SIGINT)
        restore(saved)

    monkeypatch.setattr(state._SavedTensor, "restore", interrupted)
    before = fingerprint(nasty)
    with pytest.raises(KeyboardInterrupt):
        record(nasty, images)
    assert len(interrupts) == 3
    assert changed(before, fingerprint(nasty)) == []


def test_interrupt_during_the_lending_gives_back(nasty, fingerprint, changed, monkeypatch):
    def interrupted(model, budget):
        signal.raise_signal(signal.SIGINT)
        yield from state.remember(model, budget)

    before = fingerprint(nasty)
    entered = []
    with monkeypatch.context() as patch:
        patch.setattr(guard, "remember", interrupted)
        with pytest.raises(KeyboardInterrupt), borrow(nasty):
            entered.append(1)
    assert entered == []
    assert changed(before, fingerprint(nasty)) == []
    assert_free(nasty)


def test_a_kind_handler_lets_the_loan_go_on(nasty, images, fingerprint, changed):
    calls = []
    previous = signal.signal(signal.SIGINT, lambda *args: calls.append(args))
    try:
        before = fingerprint(nasty)
        with borrow(nasty) as lent, torch.no_grad():
            signal.raise_signal(signal.SIGINT)
            lent(images)
        assert changed(before, fingerprint(nasty)) == []
    finally:
        signal.signal(signal.SIGINT, previous)
    assert len(calls) == 1


def test_interrupt_ends_the_waiting_for_another_loan(nasty):
    lent, finish = threading.Event(), threading.Event()

    def hold():
        with borrow(nasty):
            lent.set()
            finish.wait(20)

    worker = threading.Thread(target=hold)
    worker.start()
    assert lent.wait(20)
    timer = threading.Timer(0.2, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT))
    timer.start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt), borrow(nasty):
        pytest.fail("the model was lent twice")
    assert time.monotonic() - start < 10
    finish.set()
    worker.join()
    assert_free(nasty)


def assert_free(model):
    """Another thread can borrow the model."""
    entered = []

    def work():
        with borrow(model):
            entered.append(1)

    worker = threading.Thread(target=work)
    worker.start()
    worker.join(20)
    assert entered == [1]


def test_one_loan_at_a_time_across_models():
    models = [nn.Sequential(nn.Dropout()), nn.Sequential(nn.Dropout())]
    inside, most = [], []

    def work(model):
        for _ in range(5):
            with borrow(model):
                inside.append(1)
                most.append(len(inside))
                time.sleep(0.002)
                torch.rand(3)
                inside.pop()

    before = torch.get_rng_state()
    workers = [threading.Thread(target=work, args=(model,)) for model in models]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert max(most) == 1
    assert len(most) == 10
    assert torch.equal(torch.get_rng_state(), before)


def test_loans_nest_in_one_thread(nasty, images, fingerprint, changed):
    before = fingerprint(nasty)
    with borrow(nasty) as outer:
        with torch.no_grad():
            outer(images)
        between = fingerprint(nasty)
        record(nasty, images)
        assert changed(between, fingerprint(nasty)) == []
    assert changed(before, fingerprint(nasty)) == []


def test_half_model_inside_the_loan_comes_back(small_cnn, fingerprint, changed):
    before = fingerprint(small_cnn)
    with borrow(small_cnn) as lent:
        lent.half()
        assert lent[0].weight.dtype == torch.float16
    assert changed(before, fingerprint(small_cnn)) == []


def test_a_failing_block_keeps_its_own_error(small_cnn, monkeypatch):
    def broken(saved):
        raise RuntimeError("cannot write")

    with monkeypatch.context() as patch:
        patch.setattr(state._SavedTensor, "restore", broken)
        with pytest.raises(ZeroDivisionError) as caught, borrow(small_cnn):
            raise ZeroDivisionError
        assert "cannot write" in caught.value.__notes__[0]
        with pytest.raises(RuntimeError, match="cannot write"), borrow(small_cnn):
            pass
    assert_free(nn.Sequential(nn.ReLU()))


class WritesItself(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(100, 100)
        self.calls = []

    def forward(self, x):
        self.layer.weight.add_(1)
        self.calls.append(1)
        return self.layer(x)


def test_parameters_beyond_the_budget_are_watched():
    model = WritesItself()
    with pytest.raises(DynExplorerError, match=r"shape \(100, 100\) that was too large.*parameter_budget"):
        record(model, torch.zeros(1, 100), parameter_budget=1000)
    assert model.calls == []
    unchanged = nn.Sequential(nn.Linear(100, 100))
    assert record(unchanged, torch.zeros(1, 100), parameter_budget=0).complete


def test_inference_tensors_can_be_lent():
    with torch.inference_mode():
        model = nn.Sequential(nn.BatchNorm1d(3)).train()
        recording = record(model, torch.rand(4, 3))
        assert torch.equal(model[0].running_mean, torch.zeros(3))
    assert not recording.activations["0"].is_inference()


def test_recording_in_inference_mode_gives_ordinary_tensors(small_cnn, images):
    with torch.inference_mode():
        recording = record(small_cnn.train(), images)
    activation = recording.activations["7"].requires_grad_()
    activation.sum().backward()
    assert activation.grad is not None


def test_sparse_buffer_comes_back():
    class Sparse(nn.Module):
        def __init__(self):
            super().__init__()
            self.relu = nn.ReLU()
            self.register_buffer("links", torch.eye(3).to_sparse())

        def forward(self, x):
            self.links.mul_(2)
            return self.relu(x)

    model = Sparse()
    before = model.links
    record(model, torch.zeros(1, 3))
    assert model.links is before
    assert torch.equal(model.links.to_dense(), torch.eye(3))


COMPILING = []


class Asks(nn.Module):
    def forward(self, x):
        COMPILING.append(torch.compiler.is_compiling())
        return x + 1


def test_compiled_layers_run_eagerly_in_the_loan_only():
    COMPILING.clear()
    inner = nn.Sequential(nn.Linear(3, 3), Asks())
    model = nn.Sequential(torch.compile(inner, backend="eager"), nn.Linear(3, 2), Asks())
    model.compile(backend="eager")
    with torch.no_grad():
        model(torch.rand(2, 3))
    assert True in COMPILING
    COMPILING.clear()
    forward, call = vars(model[0])["forward"], model._compiled_call_impl
    recording = record(model, torch.rand(2, 3))
    assert {"0._orig_mod.0", "0._orig_mod.1", "1"} <= set(recording.activations)
    assert COMPILING == [False, False]
    assert vars(model[0])["forward"] is forward
    assert model._compiled_call_impl is call


def test_memory_does_not_grow(nasty, images, actions):
    def count():
        gc.collect()
        tensors = sum(issubclass(type(item), torch.Tensor) for item in gc.get_objects())
        hooks = sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in nasty.modules())
        return tensors, hooks, threading.active_count()

    def once(index):
        actions[:] = [fail] if index % 2 else []
        try:
            record(nasty, images[:2])
        except RecordingError:
            assert index % 2

    for index in range(4):
        once(index)
    before = count()
    for index in range(50):
        once(index)
    assert count() == before


def test_python_random_is_really_drawn_inside(nasty, images):
    before = random.getstate()
    with borrow(nasty) as lent, torch.no_grad():
        lent(images)
        assert random.getstate() != before
    assert random.getstate() == before

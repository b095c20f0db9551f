"""One worker: the latest request wins, nothing hangs, and the thread ends."""

from __future__ import annotations

import logging
import threading
import time

import pytest
import torch

from dyn_explorer.errors import Cancelled
from dyn_explorer.inspector.jobs import Job, JobRunner

LONG = 20  # seconds; only a broken runner ever waits so long


class Gate:
    """A job that says that it has begun and stays inside until it is let go or cancelled."""

    def __init__(self, log, name, resource="same"):
        self.began, self.go = threading.Event(), threading.Event()
        self.job = Job(self._work, resource)
        self._log, self._name = log, name

    def _work(self, job):
        self.began.set()
        while not self.go.wait(0.005):
            if job.cancel.is_set():
                self._log.append(f"{self._name} stopped")
                raise Cancelled("stopped")
        self._log.append(f"{self._name} done")


@pytest.fixture
def errors():
    return []


@pytest.fixture
def runner(errors):
    made = JobRunner(errors.append)
    yield made
    made.close()


@pytest.fixture
def log():
    return []


def test_the_latest_request_wins_and_those_between_never_run(runner, log):
    gate = Gate(log, "first")
    runner.submit(gate.job)
    assert gate.began.wait(LONG)
    for k in range(50):
        runner.submit(Job(lambda _job, k=k: log.append(k), "same"))
    gate.go.set()
    assert runner.wait(LONG)
    assert log == ["first done", 49]


def test_a_job_for_another_resource_stops_the_running_one(runner, log):
    gate = Gate(log, "first", "layer a")
    runner.submit(gate.job)
    assert gate.began.wait(LONG)
    runner.submit(Job(lambda _job: log.append("second"), "layer b"))
    assert runner.wait(LONG)
    assert log == ["first stopped", "second"]


def test_a_job_for_the_same_resource_lets_the_running_one_finish(runner, log):
    gate = Gate(log, "first", ("a", 1))
    runner.submit(gate.job)
    assert gate.began.wait(LONG)
    runner.submit(Job(lambda _job: log.append("second"), ("a", 1)))
    assert not gate.job.cancel.is_set()
    gate.go.set()
    assert runner.wait(LONG)
    assert log == ["first done", "second"]


def test_cancel_stops_what_runs_and_drops_what_waits(runner, log, errors):
    gate = Gate(log, "first")
    runner.submit(gate.job)
    assert gate.began.wait(LONG)
    runner.submit(Job(lambda _job: log.append("second"), "same"))
    assert runner.busy
    assert runner.cancel()
    assert runner.wait(LONG)
    assert log == ["first stopped"]
    assert errors == []
    assert not runner.cancel()
    assert not runner.busy


def test_a_flood_of_requests_starves_nobody(runner, log):
    shown = threading.Event()

    def work(_job):
        log.append(1)
        if len(log) >= 3:
            shown.set()

    while not shown.is_set():
        runner.submit(Job(work, "same"))
    runner.submit(Job(lambda _job: log.append("last"), "same"))
    assert runner.wait(LONG)
    assert log[-1] == "last"


def test_wait_gives_up_in_time(runner, log):
    gate = Gate(log, "first")
    runner.submit(gate.job)
    assert gate.began.wait(LONG)
    assert runner.wait(0.01) is False
    gate.go.set()
    assert runner.wait(LONG) is True


def test_the_worker_cannot_wait_for_itself(runner, errors):
    runner.submit(Job(lambda _job: runner.wait()))
    assert runner.wait(LONG)
    assert "cannot wait for itself" in str(errors[0])


@pytest.mark.parametrize("failure", [ValueError("no"), MemoryError("no"), SystemExit(3), KeyboardInterrupt()])
def test_any_failure_is_handed_over_and_the_worker_lives(runner, log, errors, failure):
    def fail(_job):
        raise failure

    runner.submit(Job(fail))
    assert runner.wait(LONG)
    runner.submit(Job(lambda _job: log.append("next")))
    assert runner.wait(LONG)
    assert errors == [failure]
    assert log == ["next"]


def test_the_worker_lives_on_when_even_the_failure_cannot_be_shown(log, caplog):
    def cannot(_error):
        raise OSError("the notebook is gone")

    runner = JobRunner(cannot)
    with caplog.at_level(logging.ERROR):
        runner.submit(Job(lambda _job: 1 / 0))
        assert runner.wait(LONG)
    runner.submit(Job(lambda _job: log.append("next")))
    assert runner.wait(LONG)
    runner.close()
    assert log == ["next"]
    assert "division by zero" in caplog.text


def test_the_worker_lives_on_when_idle_work_fails(log, errors):
    calls = []

    def idle():
        calls.append(1)
        if len(calls) == 1:
            raise OSError("cannot send")

    runner = JobRunner(errors.append, idle)
    runner.submit(Job(lambda _job: log.append("ran")))
    assert runner.wait(LONG)
    runner.close()
    assert log == ["ran"]
    assert [str(error) for error in errors] == ["cannot send"]


def test_idle_work_runs_after_a_nudge_that_came_while_it_ran():
    inside, go, again = threading.Event(), threading.Event(), threading.Event()

    def idle():
        if inside.is_set():
            again.set()
        else:
            inside.set()
            go.wait(LONG)

    runner = JobRunner(lambda _error: None, idle)
    assert inside.wait(LONG)
    runner.nudge()
    go.set()
    assert again.wait(LONG)
    runner.close()


def test_idle_work_comes_again_when_it_asks_for_it():
    third = threading.Event()
    calls = []

    def idle():
        calls.append(1)
        if len(calls) == 3:
            third.set()
            return None
        return 0.001

    runner = JobRunner(lambda _error: None, idle)
    assert third.wait(LONG)
    runner.close()


def test_close_ends_the_thread_and_may_be_called_again(log):
    before = threading.active_count()
    runner = JobRunner(lambda _error: None)
    gate = Gate(log, "first")
    runner.submit(gate.job)
    assert gate.began.wait(LONG)
    assert threading.active_count() == before + 1
    runner.close()
    runner.close()
    assert threading.active_count() == before
    assert log == ["first stopped"]
    runner.submit(Job(lambda _job: log.append("late")))
    assert runner.wait(LONG)
    assert log == ["first stopped"]


def settings_now():
    return (
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.is_autocast_enabled("cpu"),
        torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else None,
        torch.get_default_device(),
    )


@pytest.mark.parametrize(
    "context",
    [
        torch.enable_grad,
        torch.no_grad,
        torch.inference_mode,
        lambda: torch.autocast("cpu", dtype=torch.bfloat16),
        lambda: torch.device("meta"),
    ],
    ids=["grad", "no_grad", "inference", "autocast", "device"],
)
def test_the_worker_has_the_callers_torch_settings(context):
    seen = []
    with context():
        expected = settings_now()
        runner = JobRunner(lambda _error: None)
    runner.submit(Job(lambda _job: seen.append(settings_now())))
    assert runner.wait(LONG)
    runner.close()
    assert seen == [expected]


def test_the_callers_own_settings_stay():
    before = settings_now()
    with torch.no_grad():
        runner = JobRunner(lambda _error: None)
    assert settings_now() == before
    runner.close()
    assert settings_now() == before


def test_a_job_waits_for_its_time_unless_somebody_waits_for_it():
    began = []
    runner = JobRunner(lambda error: began.append(error))
    try:
        asked = time.monotonic()
        runner.submit(Job(lambda _job: began.append(time.monotonic() - asked), not_before=asked + 0.3))
        time.sleep(0.1)
        assert began == []
        time.sleep(0.5)
        assert len(began) == 1
        assert began[0] >= 0.3
        asked = time.monotonic()
        runner.submit(Job(lambda _job: began.append(time.monotonic() - asked), not_before=asked + 60))
        assert runner.wait(5)
        assert began[1] < 5
        runner.submit(Job(lambda _job: began.append("first"), not_before=time.monotonic() + 60))
        runner.submit(Job(lambda _job: began.append("second")))
        assert runner.wait(5)
        assert began[2:] == ["second"]
    finally:
        runner.close()

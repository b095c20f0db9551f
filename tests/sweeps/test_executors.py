"""Wherever a sweep runs, its table is the same to the last bit; who dies midway loses nothing."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial

import pandas as pd
import pytest
import torch
from nets import die, slow_sum, small

import dyn_explorer as dx
from dyn_explorer import DynExplorerError
from dyn_explorer.cli import main
from dyn_explorer.errors import Cancelled

MEASURES = ["accuracy", "dynamics", "network", slow_sum]


def numbers(table: pd.DataFrame) -> pd.DataFrame:
    return table.drop(columns="seconds")


@pytest.fixture
def builders():
    return {f"net {seed}": partial(small, seed) for seed in range(12)}


@pytest.mark.slow
def test_dask_workers_give_the_same_bits_and_one_of_them_may_be_killed(builders, images, labels, tmp_path):
    from distributed import Client, LocalCluster

    expected = dx.sweep(builders, images, labels, MEASURES, samples=2)
    with (
        LocalCluster(n_workers=3, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        workers = client.run(os.getpid)
        killed = []

        def progress(done: float, text: str) -> None:
            if not killed:
                killed.append(next(iter(workers.values())))
                os.kill(killed[0], signal.SIGKILL)

        found = dx.sweep(builders, images, labels, MEASURES, client.get_executor(), samples=2, progress=progress)
        out = tmp_path / "table.csv"
        words = ["--model", "a=nets:small", "--inputs", "demo:test", "--measures", "depth", "--out", str(out)]
        assert main(["sweep", *words, "--scheduler", cluster.scheduler_address]) == 0
    assert pd.read_csv(out).value.tolist() == [3.0]
    assert killed
    pd.testing.assert_frame_equal(numbers(found), numbers(expected), check_exact=True)


@pytest.mark.slow
def test_a_process_pool_gives_the_same_bits_fills_the_cache_and_may_break(builders, images, labels, tmp_path):
    expected = dx.sweep(builders, images, labels, MEASURES, samples=2)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        some = {"unpicklable": lambda: small(0), **builders, "by module": small(3)}
        found = dx.sweep(some, images, labels, MEASURES, pool, tmp_path, samples=2)
        broken = dx.sweep(builders, images, labels, ["depth", die], pool)
    reason = found[found.model == "unpicklable"].error
    assert reason.str.contains("could not be measured in another process .* stand in an importable module").all()
    found = found[found.model.isin(list(builders))].reset_index(drop=True)
    pd.testing.assert_frame_equal(numbers(found), numbers(expected), check_exact=True)
    assert broken.error.str.contains("a worker process died .* sweep again").all()
    assert len(broken) == 2 * len(builders)
    again = dx.sweep(builders, images, labels, MEASURES, cache=tmp_path, samples=2)
    pd.testing.assert_frame_equal(again, found, check_exact=True)


def test_threads_of_this_process_give_the_same_bits(builders, images, labels):
    threads = torch.get_num_threads()
    with ThreadPoolExecutor(3) as pool:
        found = dx.sweep(builders, images, labels, ["accuracy", "dynamics"], pool, samples=2)
    expected = dx.sweep(builders, images, labels, ["accuracy", "dynamics"], samples=2)
    pd.testing.assert_frame_equal(numbers(found), numbers(expected), check_exact=True)
    assert torch.get_num_threads() == threads


class Watched(ThreadPoolExecutor):
    """An executor that remembers how many tasks it held at once."""

    most = 0
    held = 0

    def submit(self, *args, **kwargs) -> Future:
        future = super().submit(*args, **kwargs)
        self.held += 1
        self.most = max(self.most, self.held)
        future.add_done_callback(lambda _: setattr(self, "held", self.held - 1))
        return future


def test_only_a_few_tasks_are_handed_over_at_once(images):
    with Watched(2) as pool:
        table = dx.sweep(
            {str(seed): partial(small, seed) for seed in range(40)}, images, measures="depth", executor=pool
        )
    assert len(table) == 40
    assert pool.most <= 4


def test_cancel_takes_back_what_was_not_begun(images, tmp_path):
    cancel, built = threading.Event(), []

    def build(seed):
        built.append(seed)
        return small(seed)

    def progress(done, text):
        cancel.set()

    models = {str(seed): partial(build, seed) for seed in range(40)}
    with Watched(1) as pool, pytest.raises(Cancelled, match="after 1 of 40 models"):
        dx.sweep(models, images, measures=[slow_sum], executor=pool, progress=progress, cancel=cancel)
    assert len(built) <= 3


def test_a_closed_executor_is_refused(builders, images):
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    with pytest.raises(DynExplorerError, match=r"`executor` takes no work .* give one that is open"):
        dx.sweep(builders, images, measures="depth", executor=pool)

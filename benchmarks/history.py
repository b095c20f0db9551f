"""What following a training run costs, and how fast its epochs can be looked through.

python benchmarks/history.py                   # 5 rounds, 1,000 recorded epochs
python benchmarks/history.py --clock           # whole epochs too, on a quiet machine
python benchmarks/history.py --records 200     # shorter
"""

from __future__ import annotations

import argparse
import re
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import torch

import dyn_explorer as dx

PROBE = 64
SCRUBS = 40


def epoch_seconds(after_epoch: Callable[[torch.nn.Module], Callable], epochs: int) -> list[tuple[float, float]]:
    """Seconds of each epoch of a training of the digits, with what follows it; the first one warms up.

    Of the clock, and of all threads of this process on the cores, which other processes do not disturb: drawing beside
    the training counts in full.
    """
    images, labels = dx.demo.digits("train")
    model = dx.demo.small_cnn()
    follow = after_epoch(model)
    marks = [(time.perf_counter(), time.process_time())]

    def note(epoch: int, loss: float) -> None:
        follow(epoch, loss)
        marks.append((time.perf_counter(), time.process_time()))

    dx.demo.train(model, images, labels, epochs=epochs + 1, after_epoch=note)
    return [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(marks[1:])]


def bare(_model: torch.nn.Module) -> Callable:
    """Nothing follows the epoch."""
    return lambda _epoch, _loss: None


def forward_only(model: torch.nn.Module) -> Callable:
    """The probe's own forward pass, and nothing else."""
    probe = dx.demo.digits("test")[0][:PROBE]

    def follow(_epoch: int, _loss: float) -> None:
        with torch.no_grad():
            model(probe)

    return follow


def recorded(model: torch.nn.Module) -> Callable:
    """A history of all layers, in memory."""
    history = dx.History(model, dx.demo.digits("test")[0][:PROBE])
    return lambda epoch, loss: history.record(epoch=epoch, loss=loss)


def stepped(model: torch.nn.Module) -> Callable:
    """An open inspector that shows the Training panel and grows with the run."""
    images, labels = (part[:PROBE] for part in dx.demo.digits("test"))
    history = dx.History(model, images)
    inspector = dx.explore(model, images, labels, history=history)
    inspector.wait()
    history.record(epoch=0)
    inspector.panel = "training"
    inspector.wait()
    inspector._outbox.open_view("benchmark", {})  # so that pictures are put together for a browser too

    def follow(epoch: int, loss: float) -> None:
        inspector.step(epoch=epoch, loss=loss)

    follow.inspector = inspector
    return follow


def overhead(epochs: int, rounds: int) -> None:
    """Each way in turn, in several rounds, so that noise meets all of them."""
    ways = {"bare": bare, "probe forward": forward_only, "History.record": recorded, "inspector.step": stepped}
    times: dict[str, list[list[tuple[float, float]]]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            times[name].append(epoch_seconds(way, epochs))
    print(f"training the digits, {torch.get_num_threads()} threads, {rounds} rounds of {epochs} epochs a way")
    for kind, what in enumerate(("clock", "cores")):
        # The median is of epochs, the mean of rounds: what is drawn every few epochs is in the mean alone.
        for pick, of in ((statistics.median, "median"), (statistics.fmean, "mean")):
            each = {name: [pick([epoch[kind] for epoch in turn]) for turn in turns] for name, turns in times.items()}
            middle = {name: statistics.median(values) for name, values in each.items()}
            print(f" seconds an epoch by the {what}, {of}; beyond training and probe (claim: 5 %)")
            for name, value in middle.items():
                shares = [100 * (a / b - 1) for a, b in zip(each[name], each["probe forward"], strict=True)]
                print(f"  {name:15s} {value:.3f} s {statistics.median(shares):+.1f} %")


def spent_by_threads(epochs: int) -> dict[str, float]:
    """Seconds an epoch that each part of a followed training spends on the cores."""
    images, labels = dx.demo.digits("train")
    probe = dx.demo.digits("test")[0][:PROBE]
    model = dx.demo.small_cnn()
    follow = stepped(model)
    (worker,) = [thread for thread in threading.enumerate() if thread.name == "dyn_explorer worker"]
    clock = time.pthread_getcpuclockid(worker.ident)
    spent = {"training": 0.0, "probe forward": 0.0, "step()": 0.0}
    mark = time.thread_time()

    def lap(name: str) -> None:
        nonlocal mark
        spent[name] += time.thread_time() - mark
        mark = time.thread_time()

    def note(epoch: int, loss: float) -> None:
        lap("training")
        with torch.no_grad():
            model(probe)
        lap("probe forward")
        follow(epoch, loss)
        lap("step()")

    before = time.clock_gettime(clock)
    dx.demo.train(model, images, labels, epochs=epochs, after_epoch=note)
    spent["drawing"] = time.clock_gettime(clock) - before
    follow.inspector.close()
    return {name: seconds / epochs for name, seconds in spent.items()}


def itemised(epochs: int, rounds: int) -> None:
    """Of threads of one and the same training, which other processes do not disturb."""
    parts = [spent_by_threads(epochs) for _ in range(rounds)]
    print(f"a followed training, {rounds} rounds of {epochs} epochs, median ms an epoch on the cores")
    for name in parts[0]:
        print(f"  {name:15s} {1e3 * statistics.median(part[name] for part in parts):.1f} ms")
    shares = [
        100 * (part["step()"] + part["drawing"] - part["probe forward"]) / (part["training"] + part["probe forward"])
        for part in parts
    ]
    each = ", ".join(f"{share:.1f}" for share in shares)
    print(f"  beyond training and probe: {statistics.median(shares):+.1f} % (rounds: {each}; claim: 5 %)")


def long_history(records: int, folder: Path) -> tuple[torch.nn.Module, dx.History]:
    """A run of the digits with a record after every few batches, and the weights of every tenth."""
    images, labels = dx.demo.digits("train")
    model = dx.demo.small_cnn()
    history = dx.History(model, dx.demo.digits("test")[0][:16], folder=folder, checkpoints=10)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-4)
    for epoch in range(records):
        chosen = torch.randperm(len(images), generator=torch.Generator().manual_seed(epoch))[:64]
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(images[chosen]), labels[chosen])
        loss.backward()
        optimiser.step()
        history.record(epoch=epoch, loss=loss.item())
    return model, history


def shown_in(inspector: dx.Inspector) -> float:
    """Seconds from the change to the picture, as the header says; the nulls come after it and make way for the hand."""
    number, unit = re.search(r"shown in ([\d.]+) (ms|s)", inspector._outbox.sections["status"]["text"]).groups()
    return float(number) / (1000 if unit == "ms" else 1)


def scrub(records: int) -> None:
    """Kernel time of a change of epoch in the panels that follow it."""
    with tempfile.TemporaryDirectory() as made:
        model, history = long_history(records, Path(made) / "run")
        images, labels = (part[:16] for part in dx.demo.digits("test"))
        with dx.explore(model, images, labels, history=history) as inspector:
            inspector.load_state({**inspector.state(), "options": {"training": {"images": 2}}})
            for panel in ("training", "dynamics"):
                inspector.panel = panel
                inspector.wait()
                # Each panel's epochs: all of them, or those whose weights are there to be decomposed.
                known = history.epochs if panel == "training" else history.checkpoint_epochs
                chosen = [known[(37 * k) % len(known)] for k in range(SCRUBS)]
                seconds = []
                for epoch in chosen:
                    inspector.epoch = epoch
                    inspector.wait()
                    seconds.append(shown_in(inspector))
                worst = sorted(seconds)[int(0.95 * len(seconds))]
                median = statistics.median(seconds)
                print(
                    f"{records} epochs, {panel} panel: a change of epoch takes {1e3 * median:.1f} ms "
                    f"(95 %: {1e3 * worst:.1f} ms; claim: under 50 ms)"
                )


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clock", action="store_true", help="compare whole epochs by the clock, on a quiet machine")
    parser.add_argument("--records", type=int, default=1000)
    options = parser.parse_args()
    itemised(2 * options.epochs, options.rounds)
    if options.clock:
        overhead(options.epochs, options.rounds)
    if options.records:
        scrub(options.records)


if __name__ == "__main__":
    main()

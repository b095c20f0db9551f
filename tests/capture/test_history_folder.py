"""A history on disk survives whatever happens to the run, and says what happened to the files."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from dyn_explorer import DynExplorerError, History
from dyn_explorer.capture.history import folder as folders


def small_history(**options) -> History:
    return History(
        nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)), torch.randn(5, 3), [0, 1, 0, 1, 0], **options
    )


@pytest.fixture
def saved(tmp_path):
    history = small_history(checkpoints=2, folder=tmp_path / "run")
    for epoch in range(4):
        history.record(epoch=epoch, loss=1 / (epoch + 1))
    return history, tmp_path / "run"


def test_what_is_loaded_is_what_was_recorded(saved):
    history, path = saved
    loaded = History.load(path)
    assert loaded.epochs == history.epochs == (0, 1, 2, 3)
    assert loaded.layers == history.layers
    assert loaded.checkpoint_epochs == (0, 2)
    assert loaded.probe_labels.tolist() == [0, 1, 0, 1, 0]
    assert loaded.metrics["loss"].tolist() == history.metrics["loss"].tolist()
    for layer in history.layers:
        assert np.array_equal(loaded.trace(layer), history.trace(layer))
    for name, value in history.state(2).items():
        assert torch.equal(loaded.state(2)[name], value)
    with pytest.raises(DynExplorerError, match=r"loaded from a folder; make a new History"):
        loaded.record(epoch=4)


def test_nothing_is_a_pickle(saved):
    _, path = saved
    assert {file.suffix for file in path.iterdir()} == {".json", ".jsonl", ".safetensors"}


def test_saving_again_adds_what_is_new_only(saved):
    history, path = saved
    before = {file.name: file.stat().st_mtime_ns for file in path.glob("*.safetensors")}
    history.record(epoch=9)
    after = {file.name: file.stat().st_mtime_ns for file in path.glob("*.safetensors")}
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {"epoch_000009.safetensors", "weights_000009.safetensors"}
    assert History.load(path).epochs == (0, 1, 2, 3, 9)


def test_a_history_can_be_saved_to_several_folders(saved, tmp_path):
    history, _ = saved
    history.save(tmp_path / "copy")
    copy = History.load(tmp_path / "copy")
    assert copy.epochs == history.epochs
    assert torch.equal(copy.state(0)["0.weight"], history.state(0)["0.weight"])
    copy.save(tmp_path / "copy of the copy")
    assert History.load(tmp_path / "copy of the copy").checkpoint_epochs == (0, 2)


def test_weights_on_disk_are_not_held_in_memory(saved):
    history, _ = saved
    assert all(entry.state is None for entry in history._entries)


def test_tied_weights_are_saved(tmp_path):
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    model[1].weight = model[0].weight
    history = History(model, torch.randn(2, 3), checkpoints=True, folder=tmp_path / "run")
    history.record(epoch=0)
    assert torch.equal(History.load(tmp_path / "run").state(0)["1.weight"], model[0].weight)


def test_an_empty_history_can_be_saved_and_filled_later(tmp_path):
    history = small_history()
    history.save(tmp_path / "run")
    assert History.load(tmp_path / "run").epochs == ()
    history.record(epoch=0)
    history.save(tmp_path / "run")
    assert History.load(tmp_path / "run").trace("0").shape == (1, 5, 4)


def test_another_run_is_not_overwritten(saved):
    _, path = saved
    with pytest.raises(DynExplorerError, match="holds another run; name a new folder"):
        small_history(folder=path)
    other = small_history()
    other.record(epoch=0)
    with pytest.raises(DynExplorerError, match="holds another run"):
        other.save(path)
    assert History.load(path).epochs == (0, 1, 2, 3)


# ---------------------------------------------------------------- damage


def damaged(path: Path, match: str, good: tuple[int, ...]) -> None:
    with pytest.raises(DynExplorerError, match=match) as caught:
        History.load(path)
    assert f"Epochs that are good: {', '.join(map(str, good)) or 'none'};" in str(caught.value)
    assert History.load(path, skip_damaged=True).epochs == good


def test_a_truncated_file_names_itself_and_the_good_epochs(saved):
    _, path = saved
    file = path / "epoch_000001.safetensors"
    file.write_bytes(file.read_bytes()[:-7])
    damaged(path, r"epoch_000001.safetensors has \d+ bytes and should have \d+: truncated", (0, 2, 3))


def test_a_changed_file_is_noticed(saved):
    _, path = saved
    file = path / "epoch_000003.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(bytes(data))
    damaged(path, "epoch_000003.safetensors does not have the content that was written", (0, 1, 2))


def test_a_missing_file_is_noticed(saved):
    _, path = saved
    (path / "epoch_000000.safetensors").unlink()
    damaged(path, "epoch_000000.safetensors cannot be read", (1, 2, 3))


def test_changed_weights_are_noticed_when_they_are_read(saved):
    _, path = saved
    file = path / "weights_000002.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(bytes(data))
    loaded = History.load(path)
    with pytest.raises(DynExplorerError, match=r"weights_000002\.safetensors does not have the content"):
        loaded.state(2)
    file.unlink()
    damaged(path, "weights_000002.safetensors of epoch 2 is missing or truncated", (0, 1, 3))


@pytest.mark.parametrize(
    "line", [b"{", b"[]", b'{"epoch": 1}', b'{"epoch":0,"metrics":{},"responses":null,"state":null}']
)
def test_a_line_that_makes_no_sense_costs_one_epoch(saved, line):
    _, path = saved
    lines = (path / "epochs.jsonl").read_bytes().split(b"\n")
    lines[1] = line
    (path / "epochs.jsonl").write_bytes(b"\n".join(lines))
    damaged(path, "epochs.jsonl", (0, 2, 3))


def test_a_file_name_from_outside_stays_in_the_folder(saved, tmp_path):
    _, path = saved
    line = json.loads((path / "epochs.jsonl").read_text().splitlines()[0])
    line["responses"]["file"] = "../../secret.safetensors"
    (path / "epochs.jsonl").write_text(json.dumps(line) + "\n")
    damaged(path, "secret.safetensors cannot be read", ())


def test_a_newer_version_is_refused(saved):
    _, path = saved
    header = json.loads((path / "history.json").read_text())
    (path / "history.json").write_text(json.dumps({**header, "format": 2}))
    with pytest.raises(DynExplorerError, match="has format 2, and this version of dyn_explorer reads up to 1; update"):
        History.load(path)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": 1}'])
def test_a_damaged_header_is_said(saved, text):
    _, path = saved
    (path / "history.json").write_text(text)
    with pytest.raises(DynExplorerError, match="damaged"):
        History.load(path)


def test_a_folder_without_a_history_is_said(tmp_path):
    with pytest.raises(DynExplorerError, match="there is no history in"):
        History.load(tmp_path)


@pytest.mark.parametrize("failing", ["_write_tensors", "_append_line"])
def test_a_full_disk_loses_nothing(saved, monkeypatch, failing):
    history, path = saved

    def full(*_arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(folders, failing, full)
        with pytest.raises(DynExplorerError, match=r"epoch 4 could not be written .*No space left on device"):
            history.record(epoch=4, loss=0.1)
    assert history.epochs == (0, 1, 2, 3, 4)
    assert History.load(path).epochs == (0, 1, 2, 3)
    history.record(epoch=5)
    assert History.load(path).epochs == (0, 1, 2, 3, 4, 5)


# ---------------------------------------------------------------- killed runs

FORKS = """
import os, random, signal, sys, time
import torch
from torch import nn
from dyn_explorer import History

torch.set_num_threads(1)
draw = random.Random(0)


def train(folder, told):
    model = nn.Sequential(nn.Linear(3, 64), nn.ReLU(), nn.Linear(64, 2))
    history = History(model, torch.randn(5, 3), checkpoints=True, folder=folder)
    for epoch in range(10**6):
        history.record(epoch=epoch, loss=1.0)
        os.write(told, f"{epoch}\\n".encode())


for run in range(50):
    hear, tell = os.pipe()
    child = os.fork()
    if child == 0:
        train(f"{sys.argv[1]}/{run}", tell)
    os.close(tell)
    heard = os.read(hear, 2)  # the first epoch is there
    time.sleep(draw.uniform(0, 0.05))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while more := os.read(hear, 4096):
        heard += more
    print(heard.split()[-1].decode(), flush=True)
"""


def test_a_run_killed_at_any_moment_leaves_a_folder_that_loads(tmp_path):
    """Fifty kills of forked children, which share the imports of one parent."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", FORKS, str(tmp_path)]
    parent = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment, check=True, timeout=300)
    reported = [int(line) for line in parent.stdout.split()]
    assert len(reported) == 50
    unfinished = 0
    for run, last in enumerate(reported):
        loaded = History.load(tmp_path / str(run))
        # The line of an epoch may be written before the child could say so.
        assert loaded.epochs in (tuple(range(last + 1)), tuple(range(last + 2)))
        assert np.isfinite(loaded.trace("0")).all()
        for epoch in loaded.checkpoint_epochs[-1:]:
            assert loaded.state(epoch)["0.weight"].shape == (64, 3)
        files = len(list((tmp_path / str(run)).iterdir()))
        unfinished += files != 2 + 2 * len(loaded.epochs)
    assert unfinished > 5  # else no kill fell into the middle of a record

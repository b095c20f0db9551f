"""`dyn-explorer sweep` writes the table of `dx.sweep`, and says beforehand what would fail afterwards."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from nets import small
from safetensors.torch import save_file

import dyn_explorer as dx
from dyn_explorer.cli import main
from dyn_explorer.cli import sweep as command
from dyn_explorer.demo.runs import RUNS

CONFIG = """
inputs = "data.safetensors"
measures = ["accuracy", "network"]
shuffles = 3
cache = "cache"
out = "table.csv"
{more}

[models]
built = "nets:small"
"with weights" = {{ builder = "nets:small", checkpoint = "five.safetensors" }}
short = "nets:small@five.pt"
"""


@pytest.fixture
def folder(tmp_path, images, labels, monkeypatch):
    save_file({"images": images, "labels": labels}, tmp_path / "data.safetensors")
    save_file(small(5).state_dict(), tmp_path / "five.safetensors")
    torch.save(small(5).state_dict(), tmp_path / "five.pt")
    np.save(tmp_path / "inputs.npy", images.numpy())
    np.save(tmp_path / "labels.npy", labels.numpy())
    (tmp_path / "sweep.toml").write_text(CONFIG.format(more=""))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, keep_default_na=False, na_values={name: [""] for name in ("value", "null", "n")})


def test_a_file_says_all_and_paths_are_relative_to_it(folder, images, labels, monkeypatch, tmp_path_factory, capsys):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert main(["sweep", str(folder / "sweep.toml")]) == 0
    models = {"built": small(), "with weights": small(5), "short": small(5)}
    expected = dx.sweep(models, images, labels, ["accuracy", "network"], shuffles=3)
    found = read(folder / "table.csv")
    for name in ("model", "layer", "measure"):
        assert found[name].tolist() == expected[name].tolist()
    np.testing.assert_array_equal(found[["value", "null"]], expected[["value", "null"]])
    assert "100 %  short" in capsys.readouterr().err
    assert main(["sweep", str(folder / "sweep.toml")]) == 0
    assert "100 %  short from the cache" in capsys.readouterr().err
    assert not [path for path in folder.iterdir() if path.name.startswith("table.csv.")]


def test_arguments_alone_and_over_a_file(folder, capsys):
    arguments = ["--model", "a=nets:small", "--inputs", "inputs.npy", "--labels", "labels.npy"]
    assert main(["sweep", *arguments, "--measures", "accuracy", "rank", "--layers", "2", "--samples", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "model,layer,measure,value,null,n,seconds,error"
    assert [line.rsplit(",", 6)[0] for line in lines[1:]] == ["a,", "a,2"]
    assert main(["sweep", "sweep.toml", "--measures", "depth", "--out", "other.csv", "--rank", "2"]) == 0
    assert read(folder / "other.csv").measure.unique().tolist() == ["depth"]


def test_the_epochs_of_a_history_and_the_bundled_digits(folder, capsys):
    shutil.unpack_archive(RUNS / "true_adam_0.zip", folder / "run")
    model = "run=dyn_explorer.demo:small_cnn@run"
    assert main(["sweep", "--model", model, "--inputs", "demo:test", "--measures", "run"]) == 0
    assert '"run, epoch 8",,run_test_accuracy,0.9' in capsys.readouterr().out


def test_what_failed_is_counted(folder, capsys):
    arguments = ["sweep", "--inputs", "inputs.npy", "--measures", "depth"]
    assert main([*arguments, "--model", "a=nets:small", "--model", "b=nets:large", "--model", "c=nowhere:net"]) == 0
    said = capsys.readouterr()
    assert "2 of 3 rows hold an error" in said.err
    assert "module 'nets' holds no function 'large'" in said.out
    assert "module 'nowhere' cannot be imported" in said.out
    assert main([*arguments, "--model", "c=nowhere:net"]) == 1


def test_parquet_needs_pyarrow_and_is_written_whole(folder, monkeypatch, capsys):
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    assert main(["sweep", "sweep.toml", "--out", "table.parquet"]) == 1
    assert 'pip install "dyn-explorer[parquet]"' in capsys.readouterr().err
    assert not (folder / "cache").exists()
    monkeypatch.setattr(command, "find_spec", lambda name: True)
    monkeypatch.setattr(pd.DataFrame, "to_parquet", lambda table, path, index: Path(path).write_text(str(len(table))))
    assert main(["sweep", "sweep.toml", "--out", "table.parquet", "table.csv", "--measures", "depth"]) == 0
    assert (folder / "table.parquet").read_text() == "3"


def test_an_interrupt_says_how_to_go_on(folder, monkeypatch, capsys):
    def interrupted(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("dyn_explorer.sweeps.sweep", interrupted)
    assert main(["sweep", "sweep.toml"]) == 130
    assert "interrupted; the same command goes on from" in capsys.readouterr().err


def test_a_cluster_needs_dask(folder, monkeypatch, capsys):
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    assert main(["sweep", "sweep.toml", "--scheduler", "tcp://127.0.0.1:1"]) == 1
    assert 'pip install "dyn-explorer[dask]"' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "there are no inputs; name them with --inputs FILE"),
        (["--inputs", "inputs.npy"], "there are no models; name them with --model NAME=MODULE:FUNCTION"),
        (["--inputs", "no.npy", "--model", "a=nets:small"], "no.npy' cannot be read"),
        (["--inputs", "a.txt", "--model", "a=nets:small"], "is none of .npy, .safetensors, .pt and .pth"),
        (["--inputs", "pickle.pt", "--model", "a=nets:small"], "is refused, for loading it may run any code"),
        (["--inputs", "five.pt", "--model", "a=nets:small"], "and none of inputs, images, x"),
        (["--inputs", "inputs.npy", "--model", "nets:small"], "--model 'nets:small' must be NAME=MODULE:FUNCTION"),
        (["--inputs", "inputs.npy", "--model", "a=nets"], "builder 'nets' must be module:function"),
        (["sweep.toml", "--out", "table.xlsx"], "must end in .csv or .parquet"),
        (["sweep.toml", "--out", "no/table.csv"], "make it first"),
        (["sweep.toml", "--workers", "2", "--scheduler", "x"], "choose --workers or --scheduler"),
        (["sweep.toml", "--samples", "0"], "`samples` (=0) must be"),
        (["no.toml"], "cannot be read as TOML"),
        (["odd.toml"], "holds an unknown 'input'; what it can hold: measures"),
        (["flat.toml"], "must be a table: [models]"),
        (["builder.toml"], "a model is `builder` and `checkpoint`"),
    ],
)
def test_what_cannot_be_done_is_said(folder, capsys, arguments, message):
    torch.save(small, folder / "pickle.pt")
    (folder / "odd.toml").write_text('input = "x"')
    (folder / "flat.toml").write_text('models = "x"')
    (folder / "builder.toml").write_text('inputs = "inputs.npy"\n[models]\na = { weights = "five.pt" }')
    assert main(["sweep", *arguments]) == 1
    assert message in capsys.readouterr().err

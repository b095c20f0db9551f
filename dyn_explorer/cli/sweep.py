"""``dyn-explorer sweep``: compare many models in one batch run."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import secrets
import sys
import tomllib
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DynExplorerError

if TYPE_CHECKING:
    import pandas

OPTIONS = ("measures", "layers", "samples", "shuffles", "axis", "rank", "method", "seed", "threads", "device")
PLACES = ("inputs", "labels", "cache", "out", "workers", "scheduler", "models")
_INTERRUPTED = 130


def add_to(commands: argparse._SubParsersAction) -> None:
    """Describe the command's arguments; each says more than the same name in the file."""
    command = commands.add_parser("sweep", help="measure many models alike and write one table")
    command.add_argument("config", type=Path, nargs="?", help="a TOML file with the names below, and a table [models]")
    command.add_argument(
        "--model",
        action="append",
        default=[],
        dest="models",
        metavar="NAME=MODULE:FUNCTION[@CHECKPOINT]",
        help="a builder, also torchvision:NAME, timm:NAME or huggingface:NAME, with a file of weights or the folder of "
        "a history",
    )
    command.add_argument("--inputs", help="a .npy, .safetensors or .pt file, or demo:test")
    command.add_argument("--labels", help="a file, where the inputs' own holds none")
    command.add_argument("--measures", nargs="+", metavar="NAME", help="families or single measures (default: all)")
    command.add_argument("--layers", nargs="+", metavar="NAME", help="whose dynamics are measured")
    for name in ("samples", "shuffles", "seed", "threads"):
        command.add_argument(f"--{name}", type=int)
    command.add_argument("--rank", type=_rank, help="singular values, or a share of their energy below 1")
    command.add_argument("--axis", help="channel or position")
    command.add_argument("--method", help="of the decomposition")
    command.add_argument("--device", help="where the inputs are moved")
    command.add_argument("--cache", metavar="FOLDER", help="an interrupted sweep goes on from here")
    command.add_argument("--workers", type=int, help="processes of this machine (default: this one)")
    command.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster, such as tcp://host:8786")
    command.add_argument(
        "--out", nargs="+", metavar="FILE", help=".csv and .parquet files (default: CSV on the screen)"
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Sweep, write the table, and say how many rows hold an error; 1 if all do."""
    # `dyn-explorer doctor` must start where torch is missing, so it is imported no earlier.
    from ..sweeps import sweep
    from ..sweeps.config import read_inputs, read_model

    folder, said = _settings(options)
    outputs = [Path(path) for path in said.get("out", [])]
    for path in outputs:
        _check_output(path)
    inputs, labels = read_inputs(_needed(said, "inputs"), said.get("labels"), folder)
    models = {name: read_model(words, folder) for name, words in _needed(said, "models").items()}
    chosen = {name: said[name] for name in OPTIONS if name in said}
    cache = folder / said["cache"] if "cache" in said else None
    try:
        with _executor(said) as executor:
            table = sweep(models, inputs, labels, executor=executor, cache=cache, progress=True, **chosen)
    except KeyboardInterrupt:
        kept = "nothing is kept without --cache" if cache is None else f"the same command goes on from {str(cache)!r}"
        print(f"\ninterrupted; {kept}", file=sys.stderr)
        return _INTERRUPTED
    _write(table, outputs)
    failed = int(table["error"].notna().sum())
    if failed:
        print(f"{failed} of {len(table)} rows hold an error instead of a value", file=sys.stderr)
    return int(failed == len(table))


def _settings(options: argparse.Namespace) -> tuple[Path, dict[str, object]]:
    """The folder that paths are relative to, and what the file and the arguments say together."""
    folder, said = Path.cwd(), {}
    if options.config is not None:
        folder, said = options.config.absolute().parent, _read(options.config)
        said["out"] = [folder / path for path in _as_list(said.get("out", []))]
    typed = {name: getattr(options, name, None) for name in (*OPTIONS, *PLACES) if name != "models"}
    for name in ("inputs", "labels", "cache"):
        if typed[name] is not None and not str(typed[name]).startswith("demo:"):
            typed[name] = str(Path(typed[name]).absolute())
    said |= {name: value for name, value in typed.items() if value is not None}
    models = dict(said.get("models", {}))
    for words in options.models:
        name, equals, source = words.partition("=")
        if not equals:
            raise DynExplorerError(f"--model {words!r} must be NAME=MODULE:FUNCTION, with a name for the table first")
        models[name] = source
    return folder, said | ({"models": models} if models else {})


def _read(path: Path) -> dict[str, object]:
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DynExplorerError(f"{str(path)!r} cannot be read as TOML: {error}") from error
    for name in said:
        if name not in (*OPTIONS, *PLACES):
            known = ", ".join((*OPTIONS, *PLACES))
            raise DynExplorerError(f"{str(path)!r} holds an unknown {name!r}; what it can hold: {known}")
    if not isinstance(said.get("models", {}), Mapping):
        raise DynExplorerError(f'`models` in {str(path)!r} must be a table: [models] with a line NAME = "..." for each')
    return said


def _needed(said: Mapping[str, object], name: str):
    if name not in said:
        how = "--model NAME=MODULE:FUNCTION" if name == "models" else f"--{name} FILE"
        raise DynExplorerError(f"there are no {name}; name them with {how}, or in the TOML file")
    return said[name]


@contextmanager
def _executor(said: Mapping[str, object]) -> Iterator[Executor | None]:
    workers, scheduler = said.get("workers"), said.get("scheduler")
    if workers is not None and scheduler is not None:
        raise DynExplorerError("choose --workers or --scheduler, not both")
    if scheduler is not None:
        if find_spec("distributed") is None:
            raise DynExplorerError('Dask is not installed here; install it: pip install "dyn-explorer[dask]"')
        from distributed import Client  # an optional extra, and slow to import

        with Client(scheduler) as client:
            yield client.get_executor()
    elif workers is not None and workers > 1:
        # A forked copy of a process that has run torch may hang.
        with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
            yield pool
    else:
        yield None


def _check_output(path: Path) -> None:
    """Refuse before the sweep what could not be written after it."""
    if path.suffix not in (".csv", ".parquet"):
        raise DynExplorerError(f"--out {str(path)!r} must end in .csv or .parquet")
    if path.suffix == ".parquet" and find_spec("pyarrow") is None:
        raise DynExplorerError(
            'Parquet needs pyarrow, which is not here: pip install "dyn-explorer[parquet]", or name a .csv file'
        )
    if not path.absolute().parent.is_dir():
        raise DynExplorerError(
            f"--out {str(path)!r}: there is no folder {str(path.absolute().parent)!r}; make it first"
        )


def _write(table: pandas.DataFrame, outputs: list[Path]) -> None:
    if not outputs:
        table.to_csv(sys.stdout, index=False)
    for path in outputs:
        unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        if path.suffix == ".csv":
            table.to_csv(unfinished, index=False)
        else:
            table.to_parquet(unfinished, index=False)
        os.replace(unfinished, path)


def _as_list(given: object) -> list[object]:
    return [given] if isinstance(given, str) else list(given)


def _rank(text: str) -> int | float:
    return int(text) if text.isdigit() else float(text)

"""A history on disk: one safetensors file per epoch and one line of JSON that makes it count."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from dyn_explorer.errors import DynExplorerError

from .entry import Entry

FORMAT = 1
HEADER = "history.json"
EPOCHS = "epochs.jsonl"


@dataclass(frozen=True)
class StoredState:
    """Weights of one epoch in a file.

    Parameters
    ----------
    path : Path
        A safetensors file.
    n_bytes, sha256
        What it must be.
    """

    path: Path
    n_bytes: int
    sha256: str

    def read(self) -> dict[str, torch.Tensor]:
        """The tensors, on the CPU.

        Raises
        ------
        DynExplorerError
            If the file is missing, truncated or changed.
        """
        return _read_tensors(self.path, {"bytes": self.n_bytes, "sha256": self.sha256})


def check_free(path: Path, run: str) -> None:
    """Refuse a folder that holds another run."""
    if not (path / HEADER).exists():
        return
    there = _read_header(path)["run"]
    if there != run:
        raise DynExplorerError(
            f"folder {str(path)!r} holds another run; name a new folder, or read that one with History.load"
        )


def begin(path: Path, header: Mapping[str, object]) -> int:
    """Make the folder ready to be added to; the number of epochs that it holds already.

    Parameters
    ----------
    path : Path
        The folder; made if it is not there.
    header : mapping
        ``run``, ``dtype``, ``shapes`` and ``labels``.
    """
    check_free(path, header["run"])
    try:
        path.mkdir(parents=True, exist_ok=True)
        _replace(path / HEADER, json.dumps({"format": FORMAT, **header}, indent=1).encode())
        lines = _complete_lines(path)
        # Half a line is what a killed run leaves; the next line must not be glued to it.
        _replace(path / EPOCHS, b"".join(line + b"\n" for line in lines))
    except OSError as error:
        raise _unwritable(path, "the history", error) from error
    return len(lines)


def append(path: Path, entry: Entry, stored: StoredState | None) -> StoredState | None:
    """Write one epoch; its weights too, which are then described by the result.

    Raises
    ------
    DynExplorerError
        If the disk is full or the folder cannot be written; the folder then holds what it held before.
    """
    line: dict[str, object] = {"epoch": entry.epoch, "metrics": dict(entry.metrics), "responses": None, "state": None}
    kept = None
    try:
        if entry.responses is not None:
            line["responses"] = _write_tensors(path / f"epoch_{entry.epoch:06d}.safetensors", entry.responses)
        state = entry.state if entry.state is not None else (None if stored is None else stored.read())
        if state is not None:
            name = f"weights_{entry.epoch:06d}.safetensors"
            line["state"] = _write_tensors(path / name, _contiguous(state))
            kept = StoredState(path / name, line["state"]["bytes"], line["state"]["sha256"])
        _append_line(path / EPOCHS, json.dumps(line).encode())
    except OSError as error:
        raise _unwritable(path, f"epoch {entry.epoch}", error) from error
    return kept


def read(path: Path, *, skip_damaged: bool) -> tuple[dict, list[Entry], dict[int, StoredState]]:
    """Header, epochs and stored weights of a folder.

    Raises
    ------
    DynExplorerError
        If it cannot be read, or parts are damaged and `skip_damaged` is False.
    """
    header = _read_header(path)
    entries, stored, damage = [], {}, []
    for number, line in enumerate(_complete_lines(path), 1):
        try:
            entry, state = _read_epoch(path, line)
            if entries and entry.epoch <= entries[-1].epoch:
                raise DynExplorerError(f"line {number} of {EPOCHS} holds epoch {entry.epoch} out of order")
        except DynExplorerError as error:
            damage.append(str(error))
            continue
        entries.append(entry)
        if state is not None:
            stored[entry.epoch] = state
    if damage and not skip_damaged:
        good = ", ".join(str(entry.epoch) for entry in entries) or "none"
        raise DynExplorerError(
            f"the history in {str(path)!r} is damaged: {'; '.join(damage)}. Epochs that are good: {good}; "
            "History.load(folder, skip_damaged=True) reads these"
        )
    return header, entries, stored


def _read_header(path: Path) -> dict:
    try:
        header = json.loads((path / HEADER).read_bytes())
        version, known = header["format"], {"run", "dtype", "shapes", "labels"} <= set(header)
    except FileNotFoundError as error:
        raise DynExplorerError(f"there is no history in {str(path)!r}: it has no {HEADER}") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DynExplorerError(f"{HEADER} in {str(path)!r} cannot be read ({error}); it is damaged") from error
    if not isinstance(version, int) or version > FORMAT:
        raise DynExplorerError(
            f"the history in {str(path)!r} has format {version!r}, and this version of dyn_explorer reads up to "
            f"{FORMAT}; update dyn_explorer"
        )
    if not known:
        raise DynExplorerError(f"{HEADER} in {str(path)!r} is damaged: entries are missing")
    return header


def _complete_lines(path: Path) -> list[bytes]:
    try:
        text = (path / EPOCHS).read_bytes()
    except FileNotFoundError:
        return []
    return text.split(b"\n")[:-1]  # what follows the last line break is half a line, or nothing


def _read_epoch(path: Path, text: bytes) -> tuple[Entry, StoredState | None]:
    try:
        line = json.loads(text)
        epoch, metrics, responses, state = (line[key] for key in ("epoch", "metrics", "responses", "state"))
        metrics = {str(name): float(value) for name, value in metrics.items()}
        epoch = int(epoch)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DynExplorerError(f"a line of {EPOCHS} cannot be read ({text[:60]!r})") from error
    tensors = None if responses is None else _read_tensors(path / _plain_name(responses), responses)
    kept = None
    if state is not None:
        kept = StoredState(path / _plain_name(state), state["bytes"], state["sha256"])
        if not kept.path.exists() or kept.path.stat().st_size != kept.n_bytes:
            raise DynExplorerError(f"{kept.path.name} of epoch {epoch} is missing or truncated")
    return Entry(epoch, metrics, tensors), kept


def _plain_name(described: Mapping[str, object]) -> str:
    # A tampered file could otherwise name any place on the disk.
    return Path(str(described.get("file"))).name


def _write_tensors(path: Path, tensors: Mapping[str, torch.Tensor]) -> dict[str, object]:
    data = save(dict(tensors))
    _replace(path, data)
    return {"file": path.name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _read_tensors(path: Path, described: Mapping[str, object]) -> dict[str, torch.Tensor]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DynExplorerError(f"{path.name} cannot be read ({error.strerror})") from error
    if len(data) != described.get("bytes"):
        raise DynExplorerError(f"{path.name} has {len(data)} bytes and should have {described.get('bytes')}: truncated")
    if hashlib.sha256(data).hexdigest() != described.get("sha256"):
        raise DynExplorerError(f"{path.name} does not have the content that was written")
    try:
        return load(data)
    except SafetensorError as error:
        raise DynExplorerError(f"{path.name} is no safetensors file ({error})") from error


def _contiguous(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    # Tied weights share memory, which the file format refuses.
    return {name: value.clone(memory_format=torch.contiguous_format) for name, value in state.items()}


def _replace(path: Path, data: bytes) -> None:
    """Write a file as a whole or not at all."""
    unfinished = path.with_name(path.name + ".part")
    with open(unfinished, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, path)


def _append_line(path: Path, line: bytes) -> None:
    before = path.stat().st_size
    with open(path, "ab") as file:
        try:
            file.write(line + b"\n")
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            os.truncate(path, before)  # half a line would spoil the next one
            raise


def _unwritable(path: Path, what: str, error: OSError) -> DynExplorerError:
    return DynExplorerError(
        f"{what} could not be written to {str(path)!r} ({error.strerror or error}); what was saved before is good, and "
        "everything is still in memory: make room and call save(folder) again, or save to another folder"
    )

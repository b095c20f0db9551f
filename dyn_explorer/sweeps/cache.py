"""Results on disk, each under the content that it was computed from."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ..errors import DynExplorerError
from .finding import Finding

FORMAT = 1


@dataclass(frozen=True)
class Kept:
    """What one family of measures found in one model.

    Parameters
    ----------
    findings : tuple of Finding
    seconds : float
        How long it took when it was computed.
    """

    findings: tuple[Finding, ...]
    seconds: float


class Cache:
    """A folder of small JSON files; each is written whole or not at all, so any kill leaves only good ones.

    Parameters
    ----------
    folder : path
        Made if it is not there.

    Raises
    ------
    DynExplorerError
        The folder cannot be made.

    Example
    -------
    >>> import tempfile
    >>> cache = Cache(tempfile.mkdtemp())
    >>> cache.put("ab12", Kept((Finding("accuracy", 0.9),), 0.1))
    >>> cache.get("ab12").findings[0].value, cache.get("cd34")
    (0.9, None)
    """

    def __init__(self, folder: str | os.PathLike) -> None:
        self.folder = Path(folder)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DynExplorerError(
                f"`cache` (={str(folder)!r}) cannot be made ({error.strerror}); name a folder that can be written"
            ) from error

    def get(self, key: str) -> Kept | None:
        """What is kept under `key`; None if nothing is, or if the file is damaged."""
        try:
            read = json.loads(self._path(key).read_bytes())
            findings = tuple(Finding(**each) for each in read["findings"])
            return Kept(findings, float(read["seconds"])) if read["format"] == FORMAT else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, key: str, kept: Kept) -> None:
        """Keep findings.

        Raises
        ------
        DynExplorerError
            The folder cannot be written.
        """
        path = self._path(key)
        entry = {"format": FORMAT, "seconds": kept.seconds, "findings": _as_dicts(kept.findings)}
        unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_text(json.dumps(entry))
            os.replace(unfinished, path)
        except OSError as error:
            raise DynExplorerError(
                f"the cache in {str(self.folder)!r} cannot be written ({error.strerror}); make room there or name "
                "another folder; what it holds stays good"
            ) from error

    def __contains__(self, key: str) -> bool:
        return self._path(key).exists()

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.json"


def _as_dicts(findings: Sequence[Finding]) -> list[dict[str, object]]:
    return [asdict(finding) for finding in findings]

"""A view as one JSON object, and as one short word for a message or the end of an address."""

from __future__ import annotations

import base64
import binascii
import json
import zlib

from dyn_explorer.errors import DynExplorerError

from .panel_options import PanelOptions
from .state import InspectorState

STATE_VERSION = 1
PREFIX = "dx1."
MOST = 100_000  # bytes of an unpacked view; a real one has a few hundred


def whole(state: InspectorState, options: PanelOptions) -> dict:
    """Every choice and option as one JSON object."""
    return {"version": STATE_VERSION, "choices": state.choices(), "options": options.values()}


def check(view) -> None:
    """Refuse what `whole` did not make, or a newer version of it did.

    Raises
    ------
    DynExplorerError
    """
    if not isinstance(view, dict) or not isinstance(view.get("choices"), dict):
        raise DynExplorerError("a state must be a dict as `state()` returns it, with the key 'choices'.")
    if view.get("version") != STATE_VERSION:
        raise DynExplorerError(f"this state has version {view.get('version')!r}; {STATE_VERSION} is understood.")
    options = view.get("options", {})
    if not isinstance(options, dict) or not all(isinstance(values, dict) for values in options.values()):
        raise DynExplorerError("the 'options' of a state must be a dict of dicts, as `state()` returns them.")


def pack(state: dict) -> str:
    """A state as letters, digits, ``-``, ``_`` and ``.``, which stand in an address as they are.

    Examples
    --------
    >>> unpack(pack({"version": 1, "choices": {"rank": 4}}))
    {'version': 1, 'choices': {'rank': 4}}
    """
    text = json.dumps(state, separators=(",", ":"))
    return PREFIX + base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")


def unpack(word: str) -> dict:
    """The state in a word, or in an address that ends in ``#`` and the word.

    Raises
    ------
    DynExplorerError
        If it is not such a word, or it is cut off.
    """
    word = word.strip().rpartition("#")[2]
    if not word.startswith(PREFIX):
        raise DynExplorerError(
            f"{word[:40]!r} is no shared view; it begins with {PREFIX!r}, as inspector.share() returns it."
        )
    body = word.removeprefix(PREFIX)
    try:
        unpacker = zlib.decompressobj()
        text = unpacker.decompress(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)), MOST)
        if not unpacker.eof:
            raise ValueError("it is cut off")
        return json.loads(text)
    except (ValueError, zlib.error, binascii.Error) as error:
        raise DynExplorerError(f"this shared view cannot be read ({error}); copy the whole of it.") from error

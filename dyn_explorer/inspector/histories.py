"""The runs that a person opens the inspector with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dyn_explorer.capture import History
from dyn_explorer.errors import DynExplorerError

MOST = 4  # one colour and one mark each
ALONE = "this run"


def named_histories(given: object) -> dict[str, History]:
    """Read what stands for `history`: nothing, a History, several in a list, or a mapping of names to them.

    Parameters
    ----------
    given : History, sequence of History, mapping of str to History, or None
        Of a list, the runs are called "run 1", "run 2", ...

    Returns
    -------
    dict of str to History
        The first is the run that grows, and whose epochs can be looked at.

    Raises
    ------
    DynExplorerError
        Something in it is no History, it is empty or holds more than four, or the same run stands in it twice.

    Example
    -------
    >>> import dyn_explorer as dx
    >>> list(named_histories([dx.demo.history("true"), dx.demo.history("shuffled")]))
    ['run 1', 'run 2']
    """
    if given is None:
        return {}
    if isinstance(given, Mapping):
        named = {str(name): history for name, history in given.items()}
    elif isinstance(given, Sequence) and not isinstance(given, str):
        named = {f"run {place + 1}": history for place, history in enumerate(given)}
        if len(named) == 1:
            named = {ALONE: given[0]}
    else:
        named = {ALONE: given}
    _check(named, given)
    return named


def history_code(given: object) -> str:
    """Python for the first of the runs, given the name ``history`` for all that was given.

    Example
    -------
    >>> history_code({"wide": None, "deep": None}), history_code([None]), history_code(None)
    ("history['wide']", 'history[0]', 'history')
    """
    if isinstance(given, Mapping):
        return f"history[{next(iter(given))!r}]"
    return "history[0]" if isinstance(given, Sequence) else "history"


def _check(named: Mapping[str, object], given: object) -> None:
    if not 1 <= len(named) <= MOST:
        raise DynExplorerError(f"`history` holds {len(named)} runs; give 1 to {MOST}, each with a colour of its own.")
    for name, history in named.items():
        if not isinstance(history, History):
            which = f"`history` (={given!r})" if history is given else f"`history` holds {history!r} as {name!r}, which"
            raise DynExplorerError(
                f"{which} must be a History: make one with dx.History(model, probe_inputs), or read "
                "one with dx.History.load(folder)."
            )
        twice = [other for other, its in named.items() if other != name and its.run_id == history.run_id]
        if twice:
            raise DynExplorerError(
                f"`history` holds the same run as {name!r} and as {twice[0]!r}; give two different runs to compare."
            )

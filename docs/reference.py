"""The pages of the reference: for each module a table of its names, and what their docstrings say."""

from __future__ import annotations

import inspect
import sys
from collections import defaultdict
from importlib import import_module
from pathlib import Path
from types import ModuleType

from conf import prose
from sphinx.pycode import ModuleAnalyzer

MODULES = ("dyn_explorer", "dyn_explorer.analysis", "dyn_explorer.capture", "dyn_explorer.views", "dyn_explorer.demo")


# A page for each file; of the others, everything is on one.
IN_PAGES = {"dyn_explorer.analysis"}


def write(folder: Path) -> None:
    """Write the pages of every module into `folder`."""
    folder.mkdir(parents=True)
    modules = [import_module(name) for name in MODULES]
    documented: dict[int, str] = {}
    for module in modules:
        _write_module(folder, module, documented)
    entries = "\n".join(f"   {_last(module.__name__)}/index" for module in modules)
    (folder / "index.rst").write_text(
        f"{_title('Reference')}\n"
        "Every public name, from its docstring. ``import dyn_explorer as dx`` gives the names of the first table; the\n"
        "others are ``dx.analysis.dmd``, ``dx.views.EigenvalueCircle`` and so on.\n\n"
        f".. toctree::\n   :maxdepth: 1\n\n{entries}\n"
    )


def _write_module(folder: Path, module: ModuleType, documented: dict[int, str]) -> None:
    files: dict[str, list[str]] = defaultdict(list)
    tables: dict[str, list[tuple[str, str]]] = {"Functions": [], "Types": [], "Constants": []}
    for name in sorted(module.__all__, key=str.lower):
        thing = getattr(module, name)
        if inspect.ismodule(thing):
            continue
        # `dx.record` is `dx.capture.record`: described once.
        known = documented.setdefault(id(thing), f"{module.__name__}.{name}")
        if known == f"{module.__name__}.{name}":
            files[_home(module, name)].append(name)
        tables[_kind(thing)].append((f":py:obj:`{name} <{known}>`", _sentence(module, name)))
    own = folder / _last(module.__name__)
    own.mkdir()
    title = f"``{module.__name__.replace('dyn_explorer', 'dx')}``"
    text = [_title(title), _doc(module).partition(">>>")[0], *(_table(kind, rows) for kind, rows in tables.items())]
    if module.__name__ in IN_PAGES:
        for home, names in files.items():
            page = [_title(_last(home).replace("_", " ")), _doc(sys.modules[home]), *_entries(module, names)]
            (own / f"{_last(home)}.rst").write_text("\n\n".join(page) + "\n")
        text.append(".. toctree::\n   :hidden:\n\n" + "\n".join(f"   {_last(home)}" for home in sorted(files)))
    else:
        text.append(_heading("In full"))
        for names in files.values():
            text += _entries(module, names)
    (own / "index.rst").write_text("\n\n".join(text) + "\n")


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _home(module: ModuleType, name: str) -> str:
    """Name of the file that defines a public name; constants do not know it."""
    thing = getattr(module, name)
    if _kind(thing) != "Constants":
        return thing.__module__
    inside = [key for key in sys.modules if key.startswith(f"{module.__name__}.")]
    homes = [key for key in inside if ("", name) in _comments(key)]
    if len(homes) != 1:
        raise SystemExit(f"{module.__name__}.{name} needs a comment that begins with #: above it, in one file")
    return homes[0]


def _comments(home: str) -> dict[tuple[str, str], list[str]]:
    """The comments that begin with ``#:`` in a file."""
    return ModuleAnalyzer.for_module(home).find_attr_docs()


def _kind(thing: object) -> str:
    return "Functions" if inspect.isroutine(thing) else "Types" if inspect.isclass(thing) else "Constants"


def _entries(module: ModuleType, names: list[str]) -> list[str]:
    return [f".. py:currentmodule:: {module.__name__}", *(_entry(module, name) for name in names)]


def _entry(module: ModuleType, name: str) -> str:
    thing = getattr(module, name)
    if _kind(thing) == "Constants":
        value = f"   :value: {thing!r}\n" if len(repr(thing)) < 100 else ""
        return f".. py:data:: {name}\n{value}\n   {_sentence(module, name)}"
    return f".. auto{'function' if inspect.isroutine(thing) else 'class'}:: {module.__name__}::{name}"


def _doc(module: ModuleType) -> str:
    return "\n".join(map(prose, inspect.cleandoc(module.__doc__).splitlines()))


def _sentence(module: ModuleType, name: str) -> str:
    thing = getattr(module, name)
    text = "\n".join(_comments(_home(module, name))["", name]) if _kind(thing) == "Constants" else inspect.getdoc(thing)
    return prose(" ".join(text.partition("\n\n")[0].split()))


def _title(text: str) -> str:
    return f"{text}\n{'=' * len(text)}\n"


def _heading(text: str) -> str:
    return f"{text}\n{'-' * len(text)}"


def _table(kind: str, rows: list[tuple[str, str]]) -> str:
    if not rows:
        return ""
    lines = "\n".join(f"   * - {name}\n     - {sentence}" for name, sentence in rows)
    return f"{_heading(kind)}\n\n.. list-table::\n   :widths: 30 70\n   :class: names\n\n{lines}"

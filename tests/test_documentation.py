"""What a person can call says what it does, with an example that runs."""

from __future__ import annotations

import inspect
from types import ModuleType

import pytest

import dyn_explorer as dx


def _public(module: ModuleType) -> dict[str, object]:
    named = {f"{module.__name__}.{name}": getattr(module, name) for name in module.__all__}
    return {name: thing for name, thing in named.items() if inspect.isroutine(thing) or inspect.isclass(thing)}


EVERYWHERE = {name: thing for module in (dx, dx.analysis, dx.views, dx.demo) for name, thing in _public(module).items()}
FUNCTIONS = {name: thing for name, thing in EVERYWHERE.items() if inspect.isroutine(thing)}


@pytest.mark.parametrize("name", EVERYWHERE)
def test_public_names_have_a_docstring_that_begins_with_one_sentence(name):
    docstring = inspect.getdoc(EVERYWHERE[name]) or ""
    first = docstring.partition("\n\n")[0]
    assert first.rstrip().endswith((".", ":")), f"{name}: {first!r}"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_public_functions_show_an_example(name):
    docstring = inspect.getdoc(FUNCTIONS[name])
    assert ">>> " in docstring, f"{name} shows no example"
    assert "\nExample" in docstring, f"{name} has no section of its own for its example"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_public_functions_describe_what_they_take_and_give(name):
    docstring = inspect.getdoc(FUNCTIONS[name])
    for parameter in inspect.signature(FUNCTIONS[name]).parameters:
        assert parameter in docstring, f"{name} does not mention `{parameter}`"
    assert "\nReturns\n" in docstring, f"{name} does not say what it returns"


def test_every_name_that_is_offered_exists_once():
    for module in (dx, dx.analysis, dx.views, dx.demo):
        assert len(set(module.__all__)) == len(module.__all__)
        assert all(hasattr(module, name) for name in module.__all__)

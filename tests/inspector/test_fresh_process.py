"""The Python of every panel runs as it stands in a process that knows nothing of the inspector."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

import dyn_explorer as dx
from dyn_explorer.inspector.panels import PANELS

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("fresh process")]  # which runs once

# Of each panel: the options that keep it small, what its Python must leave in its names, and the same in its result.
CASES = {
    "dynamics": ({}, "result.eigenvalues", lambda result: result.dmd.eigenvalues),
    "filters": ({}, "directions.singular_values.ravel()", lambda result: result.directions.sigma),
    "classes": ({}, "class_jaccard", lambda result: result.found.class_jaccard),
    "training": ({"images": 2}, "curve.to_numpy()", lambda result: result.runs[0].trend("entropy_share")[1]),
    "network": ({}, "fluctuation", lambda result: result.measured.fluctuation),
    "neurons": ({}, "gradient", lambda result: result.chosen.aligned.gradient),
    "basins": ({"images": 12, "draws": 2}, "[s50, w50]", lambda result: [
        result.basins[kind].half_width for kind in ("sample", "weight")
    ]),
}  # fmt: skip
# Nothing but what a person has: a model, inputs, labels and the history of a run.
PROGRAM = """
import json, runpy, sys
import numpy as np
import torch
import dyn_explorer as dx

torch.set_num_threads(1)
found = {}
for name, (file, expression) in json.loads(sys.argv[1]).items():
    images, labels = dx.demo.digits("test")
    mine = {"model": dx.demo.load("trained"), "inputs": images[:40], "labels": labels[:40]}
    names = runpy.run_path(file, {**mine, "history": dx.demo.history("true")})
    numbers = np.asarray(eval(expression, names))
    found[name] = [numbers.real.tolist(), numbers.imag.tolist()]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def numbers(tmp_path_factory):
    """Of each panel, the numbers that the inspector shows and those of its Python in a fresh process."""
    folder, shown, wanted = tmp_path_factory.mktemp("programs"), {}, {}
    images, labels = dx.demo.digits("test")
    model, history = dx.demo.load("trained"), dx.demo.history("true")
    with dx.explore(model, images[:40], labels[:40], layers=["conv2"], history=history) as inspector:
        for key, (options, expression, read) in CASES.items():
            inspector.options(key, **options)
            inspector.panel = key
            shown[key] = np.asarray(read(inspector.wait(120).results[key]))
            (folder / f"{key}.py").write_text(inspector.code(), encoding="utf8")
            wanted[key] = (str(folder / f"{key}.py"), expression)
    command = [sys.executable, "-c", PROGRAM, json.dumps(wanted)]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout.splitlines()[-1])
    return {key: (shown[key], np.asarray(real) + 1j * np.asarray(imag)) for key, (real, imag) in found.items()}


def test_there_is_a_case_for_every_panel():
    assert list(CASES) == [panel.key for panel in PANELS]


@pytest.mark.parametrize("panel", CASES)
def test_the_python_of_a_panel_gives_the_same_numbers_in_a_fresh_process(numbers, panel):
    shown, found = numbers[panel]
    assert shown.size > 0
    assert np.isfinite(shown).any()
    np.testing.assert_allclose(found, shown, rtol=1e-10, atol=1e-10, equal_nan=True)

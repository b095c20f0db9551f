"""Every lesson runs from top to bottom, its hidden solutions too, and is stored without outputs."""

from __future__ import annotations

import re
import time
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

LESSONS = sorted((Path(__file__).parents[1] / "notebooks").glob("[0-9]*.ipynb"))
MEMORY_GIB = 1.5
SOLUTION = re.compile(r"<details>.*?</details>", re.DOTALL)
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
# What getrusage tells begins with the size of the process that started the kernel; this does not.
PEAK = "print(int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0]) / 2**20)"


def test_there_are_lessons():
    assert LESSONS[0].name == "00_tour.ipynb"


def solutions(source: str) -> list[str]:
    """Code of the hidden solutions in a markdown cell."""
    return [block for hidden in SOLUTION.findall(source) for block in BLOCK.findall(hidden)]


def with_solutions(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The lesson with each solution as a cell after the exercise, and the peak of the kernel's memory at its end."""
    cells = []
    for cell in notebook.cells:
        cells.append(cell)
        if cell.cell_type == "markdown":
            cells += [nbformat.v4.new_code_cell(block) for block in solutions(cell.source)]
    notebook.cells = [*cells, nbformat.v4.new_code_cell(PEAK)]
    return notebook


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)
def test_a_lesson_runs_with_its_solutions_within_its_memory(lesson, tmp_path, record_property):
    notebook = with_solutions(nbformat.read(lesson, as_version=4))
    client = NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(tmp_path)}})
    began = time.perf_counter()
    client.execute()
    seconds = time.perf_counter() - began
    assert all(cell.get("execution_count") for cell in notebook.cells if cell.cell_type == "code")
    gib = float(notebook.cells[-1].outputs[0].text)
    record_property("to_be_printed", f"lesson {lesson.stem:24s} {seconds:6.1f} s  {gib:5.2f} GiB")
    assert gib < MEMORY_GIB


@pytest.mark.parametrize("lesson", [each for each in LESSONS if each.stem != "00_tour"], ids=lambda lesson: lesson.stem)
def test_a_lesson_has_exercises_with_solutions_limits_and_references(lesson):
    cells = nbformat.read(lesson, as_version=4).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert len(solutions(text)) >= 2
    assert "**The question.**" in text
    assert "**Try this**" in text
    assert "cannot tell" in text
    assert "**References.**" in text


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)
def test_a_lesson_is_stored_without_outputs(lesson):
    cells = nbformat.read(lesson, as_version=4).cells
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)
def test_a_lesson_calls_the_package_and_defines_nothing(lesson):
    code = "\n".join(cell.source for cell in nbformat.read(lesson, as_version=4).cells if cell.cell_type == "code")
    assert "def " not in code
    assert "class " not in code

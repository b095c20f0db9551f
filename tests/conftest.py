"""Settings that every test shares."""

from __future__ import annotations

import os

import hypothesis
import pytest
import torch

IN_CI = os.environ.get("CI", "").lower() in {"1", "true"}

# A busy machine is slow, not wrong; and a build machine must fail for the same examples twice.
hypothesis.settings.register_profile("here", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if IN_CI else "here")


@pytest.fixture(autouse=True)
def same_random_numbers() -> None:
    """A test that draws numbers draws the same ones whichever tests ran before it."""
    torch.manual_seed(0)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if torch.cuda.is_available():
        return
    no_gpu = pytest.mark.skip(reason="no CUDA device")
    for item in items:
        if item.get_closest_marker("gpu"):
            item.add_marker(no_gpu)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log):
    """One process drives the browser, as two would wait for each other; the other takes file after file of the rest."""
    from xdist.scheduler import LoadScopeScheduling

    class BrowserApart(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "browser" if nodeid.startswith("tests/browser/") else nodeid.partition("::")[0]

    return BrowserApart(config, log)


def _wrongly_skipped(terminal) -> list:
    reports = terminal.stats.get("skipped", []) if IN_CI else []
    return [report for report in reports if "gpu" not in getattr(report, "keywords", {})]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    if terminal and _wrongly_skipped(terminal):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter) -> None:
    """Print what tests measured (the property ``to_be_printed``), and what was skipped where nothing may be."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    measured = [value for report in reports for name, value in getattr(report, "user_properties", ())
                if name == "to_be_printed" and report.when == "call"]  # fmt: skip
    if measured:
        terminalreporter.section("measured")
    for line in sorted(measured):
        terminalreporter.line(line)
    skipped = _wrongly_skipped(terminalreporter)
    if not skipped:
        return
    terminalreporter.section("skipped where nothing may be skipped", red=True)
    for report in skipped:
        terminalreporter.line(report.nodeid, red=True)

"""One server and one browser for all browser tests; a fresh page and notebook for each."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from jupyter_driver import ARTIFACTS, JupyterServer, Lab, launch_chromium, write_notebook
from playwright.sync_api import sync_playwright


@pytest.fixture(scope="session", autouse=True)
def artifacts():
    """Where screenshots are kept for people to look at."""
    ARTIFACTS.mkdir(exist_ok=True)
    return ARTIFACTS


@pytest.fixture(scope="session")
def lab_server(tmp_path_factory):
    """JupyterLab over an empty folder."""
    server = JupyterServer(tmp_path_factory.mktemp("lab")).wait_until_up()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def chromium():
    """A headless Chromium."""
    with sync_playwright() as playwright:
        browser = launch_chromium(playwright)
        yield browser
        browser.close()


OPEN: list[Lab] = []


def _opener(server, browser, name):
    contexts = []
    others = list(OPEN)

    def open_notebook(*cells: str, width: int = 1480, height: int = 1400) -> Lab:
        path = f"{name}_{len(contexts)}.ipynb"
        write_notebook(server.folder / path, *cells)
        context = browser.new_context(viewport={"width": width, "height": height})
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        contexts.append(context)
        lab = Lab(context.new_page(), server, path)
        OPEN.append(lab)
        return lab.open()

    yield open_notebook
    OPEN[:] = others
    for context in contexts:
        context.close()
    server.stop_kernels()


@pytest.fixture
def open_lab(lab_server, chromium, request):
    """Open a notebook of these cells in a fresh page: ``lab = open_lab(cell, ...)``."""
    yield from _opener(lab_server, chromium, "".join(c if c.isalnum() else "_" for c in request.node.name))


@pytest.fixture(scope="module")
def open_shared_lab(lab_server, chromium, request):
    """The same, for a page that all tests of a file share."""
    yield from _opener(lab_server, chromium, request.node.path.stem)


def pytest_collection_modifyitems(items):
    """Everything here needs a browser."""
    for item in items:
        if Path(__file__).parent in Path(item.fspath).parents:
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Keep a picture of what a failed test had before it, and report what JupyterLab told."""
    report = yield
    if call.when != "teardown" and report.failed:
        for k, lab in enumerate(OPEN):
            lab.page.screenshot(path=ARTIFACTS / f"failed_{item.name[:60]}_{k}.png")
            report.sections.append((lab.notebook, lab.told()))
    return report


def pytest_configure():
    # A warning of the proxy's environment must not reach localhost.
    os.environ["NO_PROXY"] = ",".join(filter(None, [os.environ.get("NO_PROXY"), "127.0.0.1"]))

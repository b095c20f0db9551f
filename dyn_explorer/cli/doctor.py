"""``dyn-explorer doctor``: what is installed, what is wrong, and the command that mends it."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from packaging.requirements import Requirement

DISTRIBUTION = "dyn-explorer"
FRONT_ENDS = ("jupyterlab", "notebook", "voila")
SIDE_EXTENSION = "dyn-explorer"
EXTENSIONS = {"anywidget": "anywidget", "@jupyter-widgets/jupyterlab-manager": "jupyterlab_widgets"}
_ROOT = Path(__file__).parents[2]
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Parameters
    ----------
    check : str
        What was looked at.
    found : str
        What was found.
    problem : str
        Why that does not do; empty when it does.
    remedy : str
        The command that mends it.
    serious : bool
        Whether the widget cannot work until it is mended.
    """

    check: str
    found: str
    problem: str = ""
    remedy: str = ""
    serious: bool = True

    @property
    def status(self) -> str:
        """``ok``, ``note`` or ``problem``."""
        if not self.problem:
            return "ok"
        return "problem" if self.serious else "note"


def run(options: argparse.Namespace) -> int:
    """Print every finding; the exit status is 1 when there is a serious one."""
    findings = examine()
    print(_as_json(findings) if options.json else _as_text(findings))
    return int(any(finding.status == "problem" for finding in findings))


def examine() -> list[Finding]:
    """Look at everything that the widget needs."""
    return [finding for check in CHECKS for finding in check()]


def check_python() -> Iterator[Finding]:
    """The interpreter that runs this command, and so the one that `dyn-explorer lab` uses."""
    yield Finding("python", f"{platform.python_version()} at {sys.executable}")


def check_packages() -> Iterator[Finding]:
    """What this package requires, against the ranges it was tested with."""
    try:
        requirements = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        yield Finding(DISTRIBUTION, "not installed", "its requirements are unknown", f"pip install {DISTRIBUTION}")
        return
    yield Finding(DISTRIBUTION, metadata.version(DISTRIBUTION))
    for requirement in map(Requirement, requirements):
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield _check_package(requirement)


def check_front_end() -> Iterator[Finding]:
    """A program that shows notebooks, in this environment."""
    installed = {name: version for name in FRONT_ENDS if (version := _version(name))}
    if installed:
        yield Finding("front end", ", ".join(f"{name} {version}" for name, version in installed.items()))
        return
    yield Finding(
        "front end",
        "none",
        f"none of {', '.join(FRONT_ENDS)} is installed here; well enough only if a server elsewhere runs this kernel",
        f'pip install "{DISTRIBUTION}[lab]"',
        serious=False,
    )


def check_extensions() -> Iterator[Finding]:
    """The two browser-side extensions that show the widget."""
    if find_spec("jupyter_core") is None:
        yield Finding("extensions", "none", "Jupyter is not installed here", f'pip install "{DISTRIBUTION}[lab]"')
        return
    disabled = _disabled_extensions()
    for extension, package in EXTENSIONS.items():
        yield _check_extension(extension, package, disabled)


def check_side() -> Iterator[Finding]:
    """The extension that lists models and opens them beside the notebook; the widget works without it."""
    if find_spec("jupyter_core") is None:
        return
    found = _manifest(SIDE_EXTENSION)
    check, ours = f"extension {SIDE_EXTENSION}", _version(DISTRIBUTION)
    remedy = f"pip install --force-reinstall --no-deps {DISTRIBUTION}"
    if found is None:
        if (_ROOT / "labextension").is_dir():
            remedy = "make extension"  # in a clone it is built, for which Node is needed
        problem = "JupyterLab lists no models and opens none at the side; the inspector works in cells"
        yield Finding(check, "none", problem, remedy, serious=False)
        return
    version = _manifest_version(found)
    if SIDE_EXTENSION in _disabled_extensions():
        yield _switched_off(check, version, SIDE_EXTENSION, serious=False)
    elif ours is not None and version != ours:
        problem = f"does not fit {DISTRIBUTION} {ours}, and may not understand it"
        yield Finding(check, version, problem, remedy, serious=False)
    else:
        yield Finding(check, f"{version} at {found.parent}")


def check_kernel() -> Iterator[Finding]:
    """Whether the notebook's default kernel is this interpreter."""
    if find_spec("ipykernel") is None or find_spec("jupyter_client") is None:
        yield Finding("kernel", "none", "ipykernel is not installed here", "pip install ipykernel")
        return
    interpreter = _kernel_interpreter("python3")
    if _same_environment(interpreter):
        yield Finding("kernel", f"python3 runs {interpreter}")
        return
    yield Finding(
        "kernel",
        f"python3 runs {interpreter}",
        f"notebooks would start another Python than {sys.executable}, where this package is installed",
        f"{sys.executable} -m ipykernel install --sys-prefix --name python3",
    )


def check_server() -> Iterator[Finding]:
    """Whether the command `jupyter` belongs to this environment."""
    command = shutil.which("jupyter")
    if command is None or _same_environment(command):
        yield Finding("jupyter", command or "not on the path")
        return
    yield Finding(
        "jupyter",
        command,
        "belongs to another environment than this Python, and may lack the extensions",
        "dyn-explorer lab",
        serious=False,
    )


def check_devices() -> Iterator[Finding]:
    """The devices that torch can use."""
    if find_spec("torch") is None:
        return
    import torch  # takes a second, and may be what is missing

    devices = [f"cpu ({torch.get_num_threads()} threads)"]
    devices += [f"cuda:{i} ({torch.cuda.get_device_name(i)})" for i in range(torch.cuda.device_count())]
    devices += ["mps"] * torch.backends.mps.is_available()
    yield Finding("devices", ", ".join(devices))


def check_chromium() -> Iterator[Finding]:
    """A browser for the tests of this package; nothing else needs one."""
    path = find_chromium()
    if path:
        yield Finding("chromium", path)
        return
    yield Finding(
        "chromium",
        "none",
        "the browser tests need one; nothing else does",
        "playwright install chromium",
        serious=False,
    )


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    check_python,
    check_packages,
    check_front_end,
    check_extensions,
    check_side,
    check_kernel,
    check_server,
    check_devices,
    check_chromium,
)


def find_chromium() -> str | None:
    """The path of a Chromium: one on the path, else Playwright's own."""
    on_path = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if on_path or find_spec("playwright") is None:
        return on_path
    from playwright.sync_api import sync_playwright  # a test requirement only

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _check_package(requirement: Requirement) -> Finding:
    version, tested = _version(requirement.name), str(requirement.specifier)
    remedy = f'pip install "{requirement.name}{tested}"'
    if version is None:
        return Finding(requirement.name, "not installed", f"{tested} is required", remedy)
    if not requirement.specifier.contains(version, prereleases=True):
        return Finding(requirement.name, version, f"outside the tested range {tested}", remedy)
    return Finding(requirement.name, version)


def _check_extension(extension: str, package: str, disabled: set[str]) -> Finding:
    check, found = f"extension {extension}", _manifest(extension)
    if found is None:
        remedy = f"pip install --force-reinstall --no-deps {package}"
        return Finding(check, "none", "the browser cannot show the widget without it", remedy)
    version = _manifest_version(found)
    if extension in disabled:
        return _switched_off(check, version, extension)
    return Finding(check, f"{version} at {found.parent}")


def _switched_off(check: str, version: str, extension: str, *, serious: bool = True) -> Finding:
    remedy = f"jupyter labextension enable {extension}"
    return Finding(check, f"{version}, disabled", "it is switched off", remedy, serious)


def _manifest(extension: str) -> Path | None:
    from jupyter_core.paths import jupyter_path  # comes with any Jupyter, which a bare install may lack

    manifests = [Path(folder) / extension / "package.json" for folder in jupyter_path("labextensions")]
    return next((path for path in manifests if path.is_file()), None)


def _manifest_version(manifest: Path) -> str:
    return json.loads(manifest.read_text(encoding="utf-8"))["version"]


def _disabled_extensions() -> set[str]:
    from jupyter_core.paths import jupyter_config_path

    disabled: set[str] = set()
    for folder in jupyter_config_path():
        page = Path(folder) / "labconfig" / "page_config.json"
        if page.is_file():
            switches = json.loads(page.read_text(encoding="utf-8")).get("disabledExtensions", {})
            disabled |= {name for name, off in switches.items() if off} if isinstance(switches, dict) else set(switches)
    return disabled


def _kernel_interpreter(name: str) -> str:
    from jupyter_client.kernelspec import KernelSpecManager

    command = KernelSpecManager().get_kernel_spec(name).argv[0]
    # Jupyter replaces a bare name by the interpreter that runs the server.
    return command if os.path.isabs(command) else sys.executable


def _same_environment(command: str) -> bool:
    return Path(command).parent == Path(sys.executable).parent


def _as_json(findings: list[Finding]) -> str:
    return json.dumps([dataclasses.asdict(finding) | {"status": finding.status} for finding in findings], indent=2)


def _as_text(findings: list[Finding]) -> str:
    lines = [line for finding in findings for line in _lines(finding)]
    count = sum(finding.status == "problem" for finding in findings)
    closing = "All is well." if not count else f"{count} to mend." if count > 1 else "One thing to mend."
    return "\n".join([*lines, closing])


def _lines(finding: Finding) -> list[str]:
    marks = {"ok": "    ok", "note": "  note", "problem": " WRONG"}
    lines = [f"{marks[finding.status]}  {finding.check}: {finding.found}"]
    if finding.problem:
        lines += [f"        {finding.problem}", f"        mend it with: {finding.remedy}"]
    return lines

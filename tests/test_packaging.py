"""The wheel holds everything, and the files that name versions agree."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import dyn_explorer

ROOT = Path(__file__).parents[1]
EXTENSION = "data/share/jupyter/labextensions/dyn-explorer"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def _pins() -> dict[str, str]:
    lines = (line.partition("#")[0].strip() for line in (ROOT / "constraints.txt").read_text().splitlines())
    return {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines if line)}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--wheel-dir", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(ROOT)], check=True)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def names(wheel):
    return set(zipfile.ZipFile(wheel).namelist())


def test_the_wheel_holds_every_file_of_the_package(names):
    package = ROOT / "dyn_explorer"
    tracked = subprocess.run(["git", "ls-files", "dyn_explorer"], cwd=ROOT, capture_output=True, text=True, check=True)
    files = tracked.stdout.split() or [str(path.relative_to(ROOT)) for path in package.rglob("*.py")]
    missing = {file for file in files if (ROOT / file).exists()} - names
    assert not missing


@pytest.mark.parametrize(
    "pattern",
    [
        r"dyn_explorer/inspector/.*\.js",
        r"dyn_explorer/inspector/.*\.css",
        r"dyn_explorer/demo/weights/(trained|shuffled|untrained)\.safetensors",
        r"dyn_explorer/lessons/00_tour\.ipynb",
        r"dyn_explorer-.*\.dist-info/licenses/LICENSE",
    ],
)
def test_the_wheel_holds_what_is_not_python(names, pattern):
    assert any(re.fullmatch(pattern, name) for name in names)


def test_the_wheel_holds_every_lesson(names):
    lessons = {path.name for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert lessons == {
        name.rpartition("/")[2] for name in names if re.match(r"dyn_explorer/lessons/[^/]+\.ipynb$", name)
    }


def test_the_wheel_holds_nothing_else(names):
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"dyn_explorer"}
    assert not [name for name in names if "__pycache__" in name or ".ipynb_checkpoints" in name]


def test_the_wheel_holds_the_extension_which_is_small(wheel):
    with zipfile.ZipFile(wheel) as archive:
        files = {entry.filename.partition(f"{EXTENSION}/")[2]: entry for entry in archive.infolist()}
        manifest = json.loads(archive.read(files["package.json"]))
        assert manifest["version"] == PROJECT["version"]
        assert manifest["jupyterlab"]["_build"]["load"] in files
        assert json.loads(archive.read(files["install.json"]))["packageName"] == PROJECT["name"]
    bundle = [entry.file_size for name, entry in files.items() if name.endswith(".js")]
    assert 0 < sum(bundle) < 60_000


def test_jupyterlab_shows_the_extension_of_an_installed_wheel_enabled(wheel, tmp_path):
    prefix = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if "/data/share/jupyter/" in name:
                target = prefix / name.partition("/data/share/jupyter/")[2]
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(archive.read(name))
    environment = os.environ | {"JUPYTER_PATH": str(prefix), "PATH": os.defpath, "JUPYTER_CONFIG_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "jupyterlab.labextensions", "list"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    text = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)
    assert re.search(rf"dyn-explorer v{re.escape(PROJECT['version'])} enabled OK", text), text


def test_without_node_the_wheel_is_built_without_the_extension_and_says_so(tmp_path):
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, tracked.stdout.split("\0")):
        if (ROOT / name).is_file():
            (tmp_path / "clone" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, tmp_path / "clone" / name)
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--verbose", "--wheel-dir", str(tmp_path)]
    command = [sys.executable, "-m", "pip", "wheel", *options, str(tmp_path / "clone")]
    done = subprocess.run(command, env=os.environ | {"PATH": str(tmp_path)}, capture_output=True, text=True, check=True)
    assert "The JupyterLab extension is left out" in done.stdout + done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "dyn_explorer/__init__.py" in names
    assert not [name for name in names if "labextensions" in name]


def test_the_lockfile_of_the_extension_names_no_registry():
    lock = json.loads((ROOT / "labextension" / "package-lock.json").read_text())
    assert lock["version"] == PROJECT["version"]
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]
    assert all("integrity" in package for name, package in lock["packages"].items() if name)


def test_an_installed_wheel_finds_its_lessons(wheel, tmp_path):
    site, target = tmp_path / "site", tmp_path / "lessons"
    zipfile.ZipFile(wheel).extractall(site)
    command = [sys.executable, "-m", "dyn_explorer.cli", "lab", "--copy-only", "--to", str(target)]
    subprocess.run(command, env=os.environ | {"PYTHONPATH": str(site)}, cwd=tmp_path, check=True, capture_output=True)
    assert (target / "00_tour.ipynb").read_bytes() == (ROOT / "notebooks" / "00_tour.ipynb").read_bytes()


def test_the_version_is_the_same_everywhere():
    assert dyn_explorer.__version__ == PROJECT["version"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert [citation["version"], citation["license"]] == [PROJECT["version"], PROJECT["license"]]
    assert [author["name"] for author in citation["authors"]] == [author["name"] for author in PROJECT["authors"]]


@pytest.mark.parametrize("extra", ["", *PROJECT["optional-dependencies"]])
def test_constraints_name_a_version_in_the_tested_range_of_every_requirement(extra):
    lines = PROJECT["optional-dependencies"][extra] if extra else PROJECT["dependencies"]
    pins = _pins()
    for requirement in map(Requirement, lines):
        if requirement.name != PROJECT["name"]:
            assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), str(requirement)


def test_constraints_name_exact_versions_and_no_places():
    text = (ROOT / "constraints.txt").read_text()
    assert not re.search(r"://|^\s*-|@|\+cpu", text, flags=re.MULTILINE)
    assert all(re.fullmatch(r"[0-9][0-9a-z.]*", version) for version in _pins().values())


def test_binder_takes_the_same_versions():
    environment = yaml.safe_load((ROOT / "binder" / "environment.yml").read_text())
    conda = dict(line.split("=", 1) for line in environment["dependencies"] if "=" in line)
    assert conda["pytorch-cpu"] == _pins()["torch"]
    assert Requirement(f"python{PROJECT['requires-python']}").specifier.contains(conda["python"])
    oldest = re.search(r"^OLDEST_NODE = (\d+)$", (ROOT / "hatch_build.py").read_text(), flags=re.MULTILINE)[1]
    assert int(conda["nodejs"].partition(".")[0]) >= int(oldest)
    # A torch of pip's own would bring CUDA libraries, so none may be asked for that conda's does not satisfy.
    [torch] = [requirement for requirement in map(Requirement, PROJECT["dependencies"]) if requirement.name == "torch"]
    assert torch.specifier.contains(conda["pytorch-cpu"])
    install = (ROOT / "binder" / "postBuild").read_text()
    assert "--constraint constraints.txt" in install
    assert "'.[lab]'" in install


@pytest.mark.parametrize("script", ["binder/postBuild", ".ci/run", ".ci/install-chromium"])
def test_scripts_can_be_run_and_stop_at_the_first_error(script):
    path = ROOT / script
    assert os.access(path, os.X_OK)
    assert "set -euo pipefail" in path.read_text()
    subprocess.run(["bash", "-n", str(path)], check=True)

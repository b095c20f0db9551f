"""`dyn-explorer lab` never loses a reader's work; `dyn-explorer doctor` names the command that mends."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import metadata
from types import SimpleNamespace

import pytest

from dyn_explorer import DynExplorerError
from dyn_explorer.cli import doctor, lab, main


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source"
    (folder / "pictures").mkdir(parents=True)
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / "00_tour.ipynb").write_text("tour")
    (folder / "01_more.ipynb").write_text("more")
    (folder / "pictures" / "one.txt").write_text("one")
    (folder / ".ipynb_checkpoints" / "00_tour.ipynb").write_text("old")
    return folder


def _written(folder):
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_lessons_are_copied_without_the_hidden_ones(source, tmp_path):
    assert lab.copy_lessons(source, tmp_path / "new" / "folder") == []
    assert _written(tmp_path / "new" / "folder") == {
        "00_tour.ipynb": "tour",
        "01_more.ipynb": "more",
        "pictures/one.txt": "one",
    }


def test_copying_again_changes_nothing_and_keeps_what_was_changed(source, tmp_path):
    target = tmp_path / "mine"
    lab.copy_lessons(source, target)
    (target / "00_tour.ipynb").write_text("my notes")
    (target / "01_more.ipynb").unlink()
    assert lab.copy_lessons(source, target) == ["00_tour.ipynb"]
    assert (target / "00_tour.ipynb").read_text() == "my notes"
    assert (target / "01_more.ipynb").read_text() == "more"


def test_lessons_copied_onto_themselves_stay_as_they_are(source):
    before = _written(source)
    assert lab.copy_lessons(source, source) == []
    assert _written(source) == before


def test_the_reader_is_told_what_was_kept(source, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(lab, "lessons", lambda: source)
    target = tmp_path / "mine"
    assert main(["lab", "--copy-only", "--to", str(target)]) == 0
    assert "Kept" not in capsys.readouterr().out
    (target / "00_tour.ipynb").write_text("my notes")
    assert main(["lab", "--copy-only", "--to", str(target)]) == 0
    assert "Kept your own 00_tour.ipynb" in capsys.readouterr().out


def test_each_participant_of_a_workshop_gets_a_clean_copy(source, tmp_path, monkeypatch):
    monkeypatch.setattr(lab, "lessons", lambda: source)
    words = ["lab", "--workshop", "--copy-only", "--to", str(tmp_path / "desk")]
    assert main(words) == 0
    (tmp_path / "desk_1" / "00_tour.ipynb").write_text("notes of the first")
    assert main(words) == 0
    assert (tmp_path / "desk_1" / "00_tour.ipynb").read_text() == "notes of the first"
    assert (tmp_path / "desk_2" / "00_tour.ipynb").read_text() == "tour"
    assert not (tmp_path / "desk").exists()


def test_the_lessons_of_this_checkout_are_found():
    assert (lab.lessons() / "00_tour.ipynb").is_file()


def test_missing_lessons_are_an_error_with_its_remedy(tmp_path, monkeypatch):
    monkeypatch.setattr(lab, "_PACKAGE", tmp_path / "dyn_explorer")
    with pytest.raises(DynExplorerError, match="pip install --force-reinstall"):
        lab.lessons()


def test_missing_jupyterlab_is_an_error_with_its_remedy(source, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(lab, "lessons", lambda: source)
    monkeypatch.setattr(lab, "find_spec", lambda name: None)
    assert main(["lab", "--to", str(tmp_path / "mine")]) == 1
    assert 'pip install "dyn-explorer[lab]"' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "display", "expected"),
    [([], True, False), ([], False, True), (["--no-browser"], True, True), (["--no-browser"], False, True)],
)
def test_no_browser_is_opened_where_none_can_be_shown(source, tmp_path, monkeypatch, words, display, expected):
    commands = []
    monkeypatch.setattr(lab, "lessons", lambda: source)
    monkeypatch.setattr(lab, "has_display", lambda: display)
    monkeypatch.setattr(
        lab.subprocess, "run", lambda command, check: commands.append(command) or SimpleNamespace(returncode=3)
    )
    target = tmp_path / "mine"
    assert main(["lab", "--to", str(target), *words]) == 3
    assert commands[0][:5] == [
        sys.executable,
        "-m",
        "jupyterlab",
        f"--ServerApp.root_dir={target}",
        "--LabApp.default_url=/lab/tree/00_tour.ipynb",
    ]
    assert ("--no-browser" in commands[0]) is expected


@pytest.mark.slow
def test_jupyterlab_prints_an_address_that_opens_the_tour(source):
    command = [*lab.lab_command(source / "00_tour.ipynb", browser=False), "--ServerApp.port=0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        address = next(line.strip() for line in server.stderr if "http://localhost:" in line and "token=" in line)
        server.terminate()
        server.stderr.read()
    assert "/lab/tree/00_tour.ipynb?token=" in address


def test_a_linux_without_a_display_is_told_apart(monkeypatch):
    monkeypatch.setattr(lab.sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert not lab.has_display()
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert lab.has_display()


def test_root_may_run_jupyterlab(monkeypatch, tmp_path):
    monkeypatch.setattr(lab.os, "geteuid", lambda: 0, raising=False)
    assert "--allow-root" in lab.lab_command(tmp_path, browser=True)
    monkeypatch.setattr(lab.os, "geteuid", lambda: 1000, raising=False)
    assert "--allow-root" not in lab.lab_command(tmp_path, browser=True)


def test_an_unknown_command_is_refused(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["fly"])
    assert "invalid choice: 'fly'" in capsys.readouterr().err


def _problems(findings):
    return {finding.check: finding for finding in findings if finding.status == "problem"}


def test_the_environment_of_the_tests_is_sound(capsys):
    assert main(["doctor"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "All is well."


def test_findings_can_be_read_by_a_program(capsys):
    assert main(["doctor", "--json"]) == 0
    findings = json.loads(capsys.readouterr().out)
    assert {"python", "torch", "bokeh", "devices", "kernel", "extension anywidget"} <= {
        row["check"] for row in findings
    }
    assert all(set(row) == {"check", "found", "problem", "remedy", "serious", "status"} for row in findings)


def test_a_bokeh_outside_the_tested_range_is_said(monkeypatch, capsys):
    installed = metadata.version
    monkeypatch.setattr(doctor.metadata, "version", lambda name: "3.10.2" if name == "bokeh" else installed(name))
    bokeh = _problems(doctor.check_packages())["bokeh"]
    assert bokeh.found == "3.10.2"
    assert bokeh.problem == "outside the tested range <3.10,>=3.9"
    assert bokeh.remedy == 'pip install "bokeh<3.10,>=3.9"'
    assert main(["doctor"]) == 1
    assert "One thing to mend." in capsys.readouterr().out


def test_a_missing_package_is_said(monkeypatch):
    installed = metadata.version

    def version(name):
        if name == "anywidget":
            raise metadata.PackageNotFoundError(name)
        return installed(name)

    monkeypatch.setattr(doctor.metadata, "version", version)
    problems = _problems(doctor.check_packages())
    assert set(problems) == {"anywidget"}
    assert problems["anywidget"].remedy.startswith('pip install "anywidget')


def test_a_package_that_is_not_installed_itself_is_said(monkeypatch):
    monkeypatch.setattr(doctor, "DISTRIBUTION", "dyn-explorer-of-nowhere")
    (finding,) = doctor.check_packages()
    assert finding.remedy == "pip install dyn-explorer-of-nowhere"


def test_no_front_end_is_a_note_because_a_server_elsewhere_may_have_one(monkeypatch):
    monkeypatch.setattr(doctor, "_version", lambda name: None)
    (finding,) = doctor.check_front_end()
    assert finding.status == "note"
    assert finding.remedy == 'pip install "dyn-explorer[lab]"'


def test_missing_extensions_are_said(monkeypatch, tmp_path):
    monkeypatch.setattr("jupyter_core.paths.jupyter_path", lambda *parts: [str(tmp_path)])
    problems = _problems(doctor.check_extensions())
    assert [finding.remedy.split()[-1] for finding in problems.values()] == ["anywidget", "jupyterlab_widgets"]


def test_an_extension_that_is_switched_off_is_said(monkeypatch, tmp_path):
    (tmp_path / "labconfig").mkdir()
    (tmp_path / "labconfig" / "page_config.json").write_text('{"disabledExtensions": {"anywidget": true, "b": false}}')
    monkeypatch.setattr("jupyter_core.paths.jupyter_config_path", lambda: [str(tmp_path)])
    (finding,) = _problems(doctor.check_extensions()).values()
    assert finding.remedy == "jupyter labextension enable anywidget"


def _with_side_extension(monkeypatch, folder, version):
    extension = folder / "labextensions" / "dyn-explorer"
    extension.mkdir(parents=True)
    (extension / "package.json").write_text(json.dumps({"version": version}))
    monkeypatch.setattr("jupyter_core.paths.jupyter_path", lambda *names: [str(folder.joinpath(*names))])


def test_the_side_extension_is_not_needed_and_missed_all_the_same(monkeypatch, tmp_path):
    monkeypatch.setattr("jupyter_core.paths.jupyter_path", lambda *names: [str(tmp_path)])
    (finding,) = doctor.check_side()
    assert (finding.status, finding.remedy) == ("note", "make extension")
    monkeypatch.setattr(doctor, "_ROOT", tmp_path)
    (finding,) = doctor.check_side()
    assert finding.remedy == "pip install --force-reinstall --no-deps dyn-explorer"


@pytest.mark.parametrize(("version", "status"), [(metadata.version("dyn-explorer"), "ok"), ("0.0.1", "note")])
def test_the_side_extension_must_fit_the_package(monkeypatch, tmp_path, version, status):
    _with_side_extension(monkeypatch, tmp_path, version)
    (finding,) = doctor.check_side()
    assert (finding.check, finding.status) == ("extension dyn-explorer", status)
    assert finding.found.startswith(version)


def test_a_side_extension_that_is_switched_off_is_said(monkeypatch, tmp_path):
    _with_side_extension(monkeypatch, tmp_path, "0.0.1")
    monkeypatch.setattr(doctor, "_disabled_extensions", lambda: {"dyn-explorer"})
    (finding,) = doctor.check_side()
    assert (finding.status, finding.remedy) == ("note", "jupyter labextension enable dyn-explorer")


def test_missing_jupyter_is_said(monkeypatch):
    monkeypatch.setattr(doctor, "find_spec", lambda name: None)
    (extensions,) = doctor.check_extensions()
    (kernel,) = doctor.check_kernel()
    assert extensions.remedy == 'pip install "dyn-explorer[lab]"'
    assert kernel.remedy == "pip install ipykernel"
    assert list(doctor.check_devices()) == []


def test_a_kernel_of_another_environment_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "_kernel_interpreter", lambda name: str(tmp_path / "bin" / "python"))
    (kernel,) = doctor.check_kernel()
    assert kernel.status == "problem"
    assert kernel.remedy == f"{sys.executable} -m ipykernel install --sys-prefix --name python3"


def test_a_jupyter_of_another_environment_is_a_note(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor.shutil, "which", lambda name: str(tmp_path / "jupyter"))
    (server,) = doctor.check_server()
    assert server.status == "note"
    assert server.remedy == "dyn-explorer lab"


def test_a_machine_without_a_browser_gets_a_note(monkeypatch):
    monkeypatch.setattr(doctor, "find_chromium", lambda: None)
    (chromium,) = doctor.check_chromium()
    assert chromium.status == "note"
    assert "playwright install chromium" in chromium.remedy


def test_a_browser_on_the_path_comes_first(monkeypatch):
    monkeypatch.setattr(doctor.shutil, "which", lambda name: "a/chromium" if name == "chromium" else None)
    assert doctor.find_chromium() == "a/chromium"


def test_several_problems_are_counted_each_with_its_remedy(monkeypatch, capsys):
    broken = [doctor.Finding(name, "none", "is missing", f"mend {name}") for name in ("one", "two")]
    monkeypatch.setattr(doctor, "examine", lambda: broken)
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "mend it with: mend one" in out
    assert "2 to mend." in out

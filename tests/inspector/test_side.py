"""Inspectors at the side: one for each variable of a model, kept while its cell is run again."""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn

import dyn_explorer as dx
from dyn_explorer import DynExplorerError
from dyn_explorer.inspector import side

INPUTS = torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def network(seed: int = 0, channels: int = 6) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(1, channels, 3), nn.ReLU(), nn.Conv2d(channels, 5, 3), nn.Flatten(), nn.Linear(80, 3)
    )


@pytest.fixture
def variables(monkeypatch):
    """The person's variables; whatever is opened at the side is closed afterwards."""
    held = {"net": network(), "images": INPUTS, "labels": [0, 1, 2, 0, 1, 2], "_hidden": INPUTS}
    monkeypatch.setattr(side, "variables", lambda: held)
    monkeypatch.setattr(side, "_places", {})
    yield held
    for place in side._places.values():
        place.inspector.close()


class Lines:
    """Lines to the front end that were opened, instead of comms."""

    def __init__(self) -> None:
        self.opened: list[tuple[str, dict]] = []
        self.closed = 0

    def __call__(self, target_name: str, data: dict) -> Lines:
        self.opened.append((target_name, data))
        return self

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def lines(monkeypatch):
    lines = Lines()
    monkeypatch.setattr(side, "create_comm", lines)
    return lines


def test_a_tab_is_asked_for_and_the_cell_knows_of_it(variables, lines):
    inspector = dx.explore(variables["net"], variables["images"], where="side")
    address = {"model_id": inspector.model_id, "title": "net · images", "key": "net"}
    assert lines.opened == [(side.TARGET, address)]
    data, _ = inspector._repr_mimebundle_()
    assert data[side.MIMETYPE] == address
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == inspector.model_id


def test_an_inspector_in_a_cell_has_no_tab(variables, lines):
    with dx.explore(variables["net"], variables["images"]) as inspector:
        assert side.MIMETYPE not in inspector._repr_mimebundle_()[0]
    assert lines.opened == []


def test_the_cell_run_again_keeps_the_inspector_and_looks_at_the_new_weights(variables, lines):
    options = {"class_names": ["a", "b", "c"], "where": "side"}
    first = dx.explore(variables["net"], variables["images"], variables["labels"], **options).wait(60)
    before = first.results["dynamics"].eigenvalues
    with torch.no_grad():
        variables["net"][0].weight.mul_(-1)
    again = dx.explore(
        variables["net"], variables["images"], variables["labels"], **{**options, "class_names": list("abc")}
    )
    assert again is first
    assert not torch.equal(
        *(torch.as_tensor(values) for values in (first.wait(60).results["dynamics"].eigenvalues, before))
    )
    assert len(lines.opened) == 2
    assert lines.closed == 1


def test_another_model_in_the_variable_takes_over_the_view(variables, lines):
    first = dx.explore(variables["net"], variables["images"], where="side").wait(60)
    first.layer, first.rank = "0", 3
    first.options(opacity=0.25)
    variables["net"] = network(seed=1)
    second = dx.explore(variables["net"], variables["images"], where="side").wait(60)
    assert second is not first
    assert (second.layer, second.rank, second.options()["opacity"]) == ("0", 3, 0.25)
    assert first.comm is None
    assert [data["key"] for _, data in lines.opened] == ["net", "net"]
    assert lines.opened[1][1]["model_id"] == second.model_id


def test_a_view_that_does_not_fit_the_new_model_begins_anew_and_says_so(variables, lines):
    dx.explore(variables["net"], variables["images"], where="side").layer = "2"
    variables["net"] = nn.Sequential(nn.Flatten(), nn.Linear(64, 4))
    inspector = dx.explore(variables["net"], variables["images"], where="side").wait(60)
    assert inspector.layer == "1"
    assert "begins anew" in inspector._outbox.sections["status"]["text"]
    assert "no layer '2'" in inspector._outbox.sections["status"]["text"]


def test_other_inputs_or_options_make_another_inspector(variables, lines):
    dx.explore(variables["net"], variables["images"], where="side")
    dx.explore(variables["net"], variables["images"][:4], where="side")
    dx.explore(variables["net"], variables["_hidden"], layers=["0"], where="side")
    assert len({data["model_id"] for _, data in lines.opened}) == 3
    assert [data["title"] for _, data in lines.opened] == ["net · images", "net · inputs", "net · images"]


def test_one_that_was_closed_is_made_anew(variables, lines):
    dx.explore(variables["net"], variables["images"], where="side").close()
    assert dx.explore(variables["net"], variables["images"], where="side").wait(60).results


def test_a_model_without_a_name_has_its_class_as_tab(variables, lines):
    dx.explore(network(), INPUTS[:3], where="side")
    assert lines.opened[0][1]["title"] == "Sequential · inputs"


def test_somewhere_else_is_refused(variables):
    with pytest.raises(DynExplorerError, match="`where` \\(='left'\\) must be 'cell' or 'side'"):
        dx.explore(variables["net"], variables["images"], where="left")


def test_a_front_end_opens_variables_by_name(variables):
    answer = json.loads(repr(side.show("net", "images", "labels")))
    inspector = side._places["net"].inspector
    assert answer == {
        "ok": True,
        "model_id": inspector.model_id,
        "title": "net · images",
        "key": "net",
        "code": 'dx.explore(net, images, labels, where="side")',
    }
    assert inspector.wait(60).results["dynamics"]
    assert side.show("net", "images", "labels").content["model_id"] == inspector.model_id


def test_the_line_of_python_gives_the_tab_that_the_front_end_opened(variables, lines):
    by_name = side.show("net", "images", "labels").content["model_id"]
    by_line = dx.explore(variables["net"], variables["images"], variables["labels"], where="side")
    assert by_line.model_id == by_name


def test_two_models_have_two_tabs(variables):
    variables["other"] = network(seed=2)
    answers = [side.show(name, "images").content for name in ("net", "other")]
    assert [answer["key"] for answer in answers] == ["net", "other"]
    assert len({answer["model_id"] for answer in answers}) == 2


def test_a_tab_looks_again_after_a_cell(variables):
    first = side.show("net", "images", "labels").content
    assert side.again("net").content["model_id"] == first["model_id"]
    variables["net"] = network(seed=3)
    second = side.again("net").content
    assert (second["ok"], second["key"], second["title"]) == (True, "net", "net · images")
    assert second["model_id"] != first["model_id"]
    assert side._places["net"].looked_at[2] is variables["labels"]


@pytest.mark.parametrize("instead", [None, network])
def test_a_tab_whose_variable_is_no_model_any_more_keeps_its_model(variables, instead):
    model, first = variables["net"], side.show("net", "images").content
    variables["net"] = instead
    assert side.again("net").content["model_id"] == first["model_id"]
    assert side._places["net"].looked_at[0] is model


def test_what_cannot_be_opened_is_said(variables):
    assert "no variable 'gone' any more" in side.show("gone", "images").content["error"]
    assert "nothing of 'net' is open" in side.again("net").content["error"]
    refused = side.show("images", "images").content
    assert refused["ok"] is False
    assert "model" in refused["error"]
    assert side._places == {}

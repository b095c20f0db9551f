"""What may be chosen, what follows from a choice, and the way back."""

from __future__ import annotations

import json
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dyn_explorer import DynExplorerError
from dyn_explorer.inspector import state as state_module
from dyn_explorer.inspector.state import CHOICES, MIN_WINDOW, InspectorState, Limits, UndoHistory

LAYERS = {"conv1": None, "conv2": None, "block.conv": None, "aux": "it was not executed in this forward"}
AXES = ("channel", "layer", "sample")


def make_state(**limits) -> InspectorState:
    return InspectorState(
        limits=Limits(layers=dict(LAYERS), options={"axis": AXES, "method": ("exact", "projected")}, **limits),
        layer="conv1",
    )


@pytest.fixture
def state() -> InspectorState:
    made = make_state(n_samples=10, history=SimpleNamespace(epochs=(0, 2, 4)))
    made.meet_snapshots(16, 100)
    return made


GOOD = [
    ("layer", "conv2", "conv2"),
    ("layers", ["conv1", "conv2"], ("conv1", "conv2")),
    ("layers", (), ()),
    ("axis", "sample", "sample"),
    ("method", "projected", "projected"),
    ("sample", np.int64(9), 9),
    ("epoch", np.int64(2), 2),
    ("epoch", None, None),
    ("mode", np.uint8(3), 3),
    ("window", np.array([2, 9]), (2, 9)),
    ("window", [0, 3], (0, 3)),
    ("window", None, (0, 16)),
    ("rank", np.int32(15), 15),
    ("rank", 1, 1),
    ("rank", np.float32(0.5), 0.5),
    ("rank", None, None),
]


@pytest.mark.parametrize(("name", "given_value", "kept"), GOOD)
def test_a_good_value_is_kept_as_a_plain_python_value(state, name, given_value, kept):
    setattr(state, name, given_value)
    assert getattr(state, name) == kept
    assert type(getattr(state, name)) is type(kept)
    json.dumps(state.choices(), allow_nan=False)


BAD = [
    ("layer", "conv3", r"no layer 'conv3'; the nearest names are 'conv[12]'"),
    ("layer", "qqqq", "the nearest names are 'conv1'"),
    ("layer", "aux", "'aux' cannot be shown: it was not executed in this forward.*another layer"),
    ("layer", 3, "must be the name of a layer"),
    ("layer", None, "must be the name of a layer"),
    ("layer", ["conv1"], "must be the name of a layer"),
    ("layers", "conv1", "must be a sequence of layer names"),
    ("layers", 5, "must be a sequence of layer names"),
    ("layers", ("conv1", "aux"), "cannot be shown"),
    ("layers", ("conv1", 2), "must be the name of a layer"),
    ("axis", "time", "must be one of 'channel', 'layer', 'sample'"),
    ("axis", ["channel"], "must be one of"),
    ("method", None, "must be one of 'exact', 'projected'"),
    ("sample", 10, r"must lie in 0\.\.9, because there are 10 inputs"),
    ("sample", -1, r"must lie in 0\.\.9"),
    ("sample", True, "must be an integer"),
    ("sample", 1.0, "must be an integer"),
    ("sample", "1", "must be an integer"),
    ("epoch", 3, "must be None or an epoch of the history: 0, 2, 4"),
    ("epoch", 2.0, "must be None or an epoch"),
    ("epoch", True, "must be None or an epoch"),
    ("epoch", np.array([2, 4]), "must be None or an epoch"),
    ("mode", -1, "must lie in 0"),
    ("mode", float("nan"), "must be an integer"),
    ("window", (0, 17), "stop <= 16, the number of snapshots"),
    ("window", (-1, 5), "0 <= start"),
    ("window", (4, 6), "stop - start >= 3"),
    ("window", (9, 2), "stop - start >= 3"),
    ("window", (0.0, 5.0), "must be integers"),
    ("window", (False, 5), "must be integers"),
    ("window", (0, float("nan")), "must be integers"),
    ("window", (1, 2, 3), "must be a pair"),
    ("window", 5, "must be a pair"),
    ("window", "ab", "must be integers"),
    ("rank", 16, r"must lie in 1\.\.15 for the window \(0, 16\)"),
    ("rank", 0, r"must lie in 1\.\.15"),
    ("rank", -3, r"must lie in 1\.\.15"),
    ("rank", True, "must be an integer, an energy fraction"),
    ("rank", float("nan"), "must be an integer, an energy fraction"),
    ("rank", float("inf"), "strictly between 0 and 1"),
    ("rank", 1.0, "strictly between 0 and 1"),
    ("rank", 0.0, "strictly between 0 and 1"),
    ("rank", "all", "must be an integer, an energy fraction"),
    ("rank", 1 + 0j, "must be an integer, an energy fraction"),
]


@pytest.mark.parametrize(("name", "value", "message"), BAD)
def test_a_bad_value_is_refused_in_words_and_the_old_one_stays(state, name, value, message):
    before = state.choices()
    limits = state.limits
    with pytest.raises(DynExplorerError, match=message):
        setattr(state, name, value)
    assert state.choices() == before
    assert state.limits == limits


def test_every_choice_has_good_and_bad_examples():
    checked = set(CHOICES) - {"panel"}
    assert {name for name, *_ in GOOD} == checked
    assert {name for name, *_ in BAD} == checked


def test_before_anything_is_known_only_the_form_is_checked():
    state = make_state()
    state.window, state.rank, state.sample, state.mode = (5, 90), 70, 1000, 60
    with pytest.raises(DynExplorerError, match="stop <= the number of snapshots"):
        state.window = (0, 1)
    with pytest.raises(DynExplorerError, match=r"`rank` \(=0\) must lie in 1"):
        state.rank = 0
    assert (state.window, state.rank) == ((5, 90), 70)


# ---------------------------------------------------------------- what follows from a choice


def test_a_full_window_stays_full_when_other_snapshots_come(state):
    state.layer = "conv2"
    assert state.meet_snapshots(32, 100) == []
    assert state.window == (0, 32)
    state.layer = "conv1"
    assert state.meet_snapshots(8, 100) == []
    assert state.window == (0, 8)


def test_a_narrowed_window_is_kept_where_it_fits(state):
    state.window = (2, 9)
    state.layer = "conv2"
    assert state.meet_snapshots(32, 100) == []
    assert state.window == (2, 9)


def test_a_narrowed_window_that_does_not_fit_becomes_the_whole_with_a_note(state):
    state.window = (2, 16)
    state.layer = "conv2"
    (note,) = state.meet_snapshots(8, 100)
    assert state.window == (0, 8)
    assert "(2, 16)" in note
    assert "(0, 8)" in note


def test_a_window_widened_by_hand_counts_as_full_again(state):
    state.window = (2, 9)
    state.window = (0, 16)
    state.layer = "conv2"
    state.meet_snapshots(40, 100)
    assert state.window == (0, 40)


def test_the_rank_is_lowered_to_fit_with_a_note(state):
    state.rank = 12
    state.layer = "conv2"
    (note,) = state.meet_snapshots(8, 100)
    assert state.rank == 7
    assert "Rank 12 was lowered to 7" in note


def test_the_rank_is_limited_by_the_number_of_features_too(state):
    state.rank = 12
    state.layer = "conv2"
    assert "Rank 12 was lowered to 4" in state.meet_snapshots(16, 4)[0]
    with pytest.raises(DynExplorerError, match=r"1\.\.4"):
        state.rank = 5
    assert state.rank == 4


def test_an_energy_fraction_needs_no_fitting(state):
    state.rank = 0.9
    state.layer = "conv2"
    assert state.meet_snapshots(5, 2) == []
    assert state.rank == 0.9


def test_narrowing_the_window_lowers_the_rank(state):
    state.rank = 15
    state.window = (0, 6)
    assert state.rank == 5


def test_the_mode_is_fitted_to_the_rows(state):
    state.mode = 9
    state.meet_rows(4)
    assert state.mode == 3
    with pytest.raises(DynExplorerError, match=r"0\.\.3, because there are 4 modes"):
        state.mode = 4
    state.rank = 3  # other rows: what was known about the old ones no longer binds
    state.mode = 4


@pytest.mark.parametrize("change", [{"layer": "conv2"}, {"axis": "sample"}, {"sample": 3}, {"layers": ("conv2",)}])
def test_limits_of_old_snapshots_no_longer_bind(state, change):
    for name, value in change.items():
        setattr(state, name, value)
    state.window = (0, 300)
    assert state.window == (0, 300)


# ---------------------------------------------------------------- several at once


def test_choose_takes_all(state):
    state.choose({"rank": 5, "window": [1, 9], "layer": "conv2", "axis": "sample"})
    assert (state.layer, state.axis, state.window, state.rank) == ("conv2", "sample", (1, 9), 5)


@pytest.mark.parametrize(
    "bad",
    [
        {"layer": "conv2", "rank": -1},
        {"axis": "sample", "window": [0, 1]},
        {"layer": "conv2", "colour": "red"},
        {"layer": "conv2", 5: 1},
        {"layers": ["conv2"], "mode": None},
        "conv2",
        None,
    ],
)
def test_choose_takes_nothing_where_one_is_bad(state, bad):
    state.choose({"window": [2, 9], "rank": 4})
    before, limits = state.choices(), state.limits
    with pytest.raises(DynExplorerError):
        state.choose(bad)
    assert state.choices() == before
    assert state.limits == limits


def test_a_failed_choose_restores_a_layer_that_could_not_be_chosen_any_more(state):
    state.limits.layers["conv1"] = "it was not executed"
    with pytest.raises(DynExplorerError, match="rank"):
        state.choose({"layer": "conv2", "rank": 0})
    assert state.layer == "conv1"


def test_choices_survive_json(state):
    state.choose({"layers": ["conv1", "block.conv"], "window": [2, 9], "rank": 0.25, "mode": 2, "sample": 4})
    other = make_state(n_samples=10)
    other.choose(json.loads(json.dumps(state.choices())))
    assert other.choices() == state.choices()


# ---------------------------------------------------------------- a worker beside the hand


def test_a_working_copy_is_adopted_when_nothing_else_was_chosen(state):
    seen = []
    state.observe(lambda change: seen.append((change["name"], change["new"], state.is_automatic)))
    state.layer = "conv2"
    seen.clear()
    copy = state.working_copy()
    copy.meet_snapshots(8, 100)
    copy.meet_rows(3)
    assert state.window == (0, 16)
    assert state.adopt(copy)
    assert (state.window, state.limits.n_snapshots, state.limits.n_rows) == ((0, 8), 8, 3)
    assert seen == [("window", (0, 8), True)]


def test_a_working_copy_of_an_older_choice_changes_nothing(state):
    copy = state.working_copy()
    copy.meet_rows(2)
    state.rank = None
    state.mode = 9
    copy.mode = 1
    before, limits = state.choices(), state.limits
    assert not state.adopt(copy)
    assert state.choices() == before
    assert state.limits == limits


def test_a_working_copy_is_apart_from_the_state(state):
    copy = state.working_copy()
    state.layer = "conv2"
    state.window = (0, 40)
    assert (copy.layer, copy.window, copy.limits.n_snapshots) == ("conv1", (0, 16), 16)


def test_what_one_thread_does_automatically_is_a_choice_in_another(state):
    seen = []
    with state.automatic():
        thread = threading.Thread(target=lambda: seen.append(state.is_automatic))
        thread.start()
        thread.join()
        assert state.is_automatic
    assert seen == [False]
    assert not state.is_automatic


def test_observers_run_without_the_lock(state):
    def in_another_thread(_change):
        thread = threading.Thread(target=lambda: seen.append(state.working_copy().rank))
        thread.start()
        thread.join(timeout=10)

    seen = []
    state.observe(in_another_thread, "rank")
    state.rank = 3
    assert seen == [3]


# ---------------------------------------------------------------- any order of choices


def is_valid(state: InspectorState) -> bool:
    count = state.limits.n_snapshots
    if state.window is None:
        return count is None  # "all of them", until it is known how many that are
    start, stop = state.window
    window_fits = start >= 0 and stop - start >= MIN_WINDOW and (count is None or stop <= count)
    rank_fits = not isinstance(state.rank, int) or state.most_rank is None or 1 <= state.rank <= state.most_rank
    rows = state.limits.n_rows
    return window_fits and rank_fits and (rows is None or 0 <= state.mode < rows) and not LAYERS[state.layer]


whole = st.integers(-2, 40)
steps = st.one_of(
    st.tuples(st.just("layer"), st.sampled_from([*LAYERS, "nowhere"])),
    st.tuples(st.just("axis"), st.sampled_from([*AXES, "time"])),
    st.tuples(st.just("sample"), whole),
    st.tuples(st.just("window"), st.one_of(st.none(), st.tuples(whole, whole))),
    st.tuples(st.just("rank"), st.one_of(st.none(), whole, st.floats(-1, 2))),
    st.tuples(st.just("mode"), whole),
    st.tuples(st.just("meet"), st.tuples(st.integers(3, 40), st.integers(1, 60))),
    st.tuples(st.just("rows"), st.integers(1, 30)),
)


@given(st.lists(steps, max_size=30))
def test_no_order_of_choices_leads_to_an_invalid_state(sequence):
    state = make_state(n_samples=10)
    state.meet_snapshots(16, 100)
    for name, value in sequence:
        before = state.choices()
        try:
            if name == "meet":
                state.meet_snapshots(*value)
            elif name == "rows":
                state.meet_rows(value)
            else:
                setattr(state, name, value)
        except DynExplorerError:
            assert state.choices() == before
        assert is_valid(state), (name, value, state.choices(), state.limits)
        json.dumps(state.choices(), allow_nan=False)


# ---------------------------------------------------------------- undo


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is moved."""
    now = [100.0]
    monkeypatch.setattr(state_module.time, "monotonic", lambda: now[0])
    return now


def test_undo_and_redo_walk_the_same_way(clock):
    history = UndoHistory({"k": 0})
    for k in (1, 2, 3):
        history.push({"k": k})
    assert [history.undo(), history.undo(), history.undo()] == [{"k": 2}, {"k": 1}, {"k": 0}]
    assert history.undo() is None
    assert not history.can_undo
    assert [history.redo(), history.redo(), history.redo()] == [{"k": 1}, {"k": 2}, {"k": 3}]
    assert history.redo() is None
    assert not history.can_redo


def test_a_drag_of_one_control_is_one_step(clock):
    history = UndoHistory({"rank": 0})
    for k in range(1, 30):
        clock[0] += 0.3
        history.push({"rank": k}, "rank")
    assert history.undo() == {"rank": 0}
    assert history.redo() == {"rank": 29}


def test_a_pause_another_control_or_a_program_begins_a_new_step(clock):
    history = UndoHistory({"k": 0})
    history.push({"k": 1}, "rank")
    history.push({"k": 2}, "window")
    clock[0] += UndoHistory.ONE_DRAG + 0.1
    history.push({"k": 3}, "window")
    history.push({"k": 4})
    history.push({"k": 5})
    assert [history.undo()["k"] for _ in range(5)] == [4, 3, 2, 1, 0]


def test_a_change_after_undo_cuts_what_was_undone(clock):
    history = UndoHistory({"k": 0})
    history.push({"k": 1}, "rank")
    history.undo()
    history.push({"k": 2}, "rank")
    assert not history.can_redo
    assert history.undo() == {"k": 0}


def test_the_same_state_again_is_no_step():
    history = UndoHistory({"k": 0})
    history.push({"k": 0})
    assert not history.can_undo


def test_settling_replaces_the_present_state_only_if_it_is_still_the_same():
    history = UndoHistory({"k": 0})
    history.push({"k": 1})
    history.settle({"k": 0}, {"k": "wrong"})
    history.settle({"k": 1}, {"k": "fitted"})
    assert history.undo() == {"k": 0}
    assert history.redo() == {"k": "fitted"}


def test_the_history_is_bounded():
    history = UndoHistory({"k": 0})
    for k in range(1, 1000):
        history.push({"k": k})
    steps_back = 0
    while history.undo() is not None:
        steps_back += 1
    assert steps_back == UndoHistory.LONGEST - 1

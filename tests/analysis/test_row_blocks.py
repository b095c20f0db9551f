"""Dealing out the blocks of a tall matrix."""

from __future__ import annotations

import pytest
import torch

from dyn_explorer.analysis.row_blocks import over_blocks


@pytest.mark.parametrize("n_rows", [1, 5000, 200_000])
def test_every_row_is_seen_once(n_rows):
    matrix = torch.arange(n_rows * 8, dtype=torch.float32).reshape(n_rows, 8)
    seen = torch.zeros(n_rows)

    def chain(blocks) -> int:
        count = 0
        for rows, block in blocks:
            assert block.dtype == torch.float64
            assert torch.equal(block, matrix[rows].double())
            seen[rows] += 1
            count += len(block)
        return count

    assert sum(over_blocks(matrix, chain)) == n_rows
    assert torch.equal(seen, torch.ones(n_rows))


def test_workers_compute_on_one_thread_without_gradients_and_leave_the_callers_alone():
    before = torch.get_num_threads()
    matrix = torch.ones(400_000, 8, requires_grad=True)
    inside = over_blocks(matrix, lambda blocks: (torch.get_num_threads(), [block.requires_grad for _, block in blocks]))
    assert not any(flag for _, flags in inside for flag in flags)
    assert torch.get_num_threads() == before
    assert torch.is_grad_enabled()
    if before > 1:
        assert len(inside) > 1
        assert {threads for threads, _ in inside} == {1}


def test_a_workers_error_reaches_the_caller():
    def fail(blocks) -> None:
        next(blocks)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        over_blocks(torch.ones(400_000, 8), fail)


def test_where_a_thread_cannot_be_limited_the_caller_does_the_work(monkeypatch):
    monkeypatch.setattr("dyn_explorer.analysis.row_blocks._can_limit_a_thread", lambda: False)
    assert over_blocks(torch.ones(400_000, 8), lambda blocks: sum(1 for _ in blocks)) == [25]

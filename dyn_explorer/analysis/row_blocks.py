"""Work through a tall matrix block by block, on its own device."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TypeVar

import torch
from threadpoolctl import ThreadpoolController

Item = TypeVar("Item")
Result = TypeVar("Result")
Blocks = Iterator[tuple[slice, torch.Tensor]]

# One MiB in float64 stays in a core's cache; a GPU wants larger blocks because each costs several launches.
_BLOCK_ENTRIES = {"cpu": 2**17, "cuda": 2**23}
# Each worker holds a few copies of a block: together they must stay well below the matrix.
_BLOCKS_PER_WORKER = 8


def over_blocks(matrix: torch.Tensor, chain: Callable[[Blocks], Result]) -> list[Result]:
    """Call ``chain`` on the matrix's blocks of rows, each in float64 and with the rows it came from.

    On a CPU the blocks are dealt out to several workers, each of which computes on one thread: threads that share a
    block wait for each other at every step, and cost more than they bring as soon as the machine is busy.

    Parameters
    ----------
    matrix : Tensor (n_rows, n_columns)
    chain : callable
        Gets an iterator over ``(rows, block)``; without gradients. A device without float64 hands its blocks to the
        CPU.

    Returns
    -------
    list
        What each worker's chain returned.

    Example
    -------
    >>> import torch
    >>> sum(over_blocks(torch.ones(5, 2), lambda blocks: sum(block.sum().item() for _, block in blocks)))
    10.0
    """
    n_rows, n_columns = matrix.shape
    entries = _BLOCK_ENTRIES.get(matrix.device.type, _BLOCK_ENTRIES["cpu"])
    # Shorter blocks would spend their time on the triangle that a factorisation stacks above them.
    size = max(entries // n_columns, 4 * n_columns)
    starts = range(0, n_rows, size)
    workers = max(1, min(worker_count(matrix.device), len(starts) // _BLOCKS_PER_WORKER))
    return list(
        side_by_side(lambda index: chain(_blocks(matrix, starts[index::workers], size)), range(workers), workers)
    )


def worker_count(device: torch.device) -> int:
    """Workers that serve for computations on a device: torch's threads on a CPU, one elsewhere.

    Example
    -------
    >>> worker_count(torch.device("cpu")) >= 1
    True
    """
    return torch.get_num_threads() if device.type == "cpu" and _can_limit_a_thread() else 1


def side_by_side(work: Callable[[Item], Result], items: Sequence[Item], workers: int) -> Iterator[Result]:
    """Call ``work`` on every item, without gradients, each worker on one thread; results come in the items' order.

    With one worker, everything happens in the caller's thread, when its result is asked for. Closing the iterator
    drops the items that were not begun.

    Example
    -------
    >>> list(side_by_side(lambda item: item + 1, [1, 2, 3], 2))
    [2, 3, 4]
    """
    if workers == 1:
        for item in items:
            with torch.no_grad():
                result = work(item)
            yield result
        return

    def alone(item: Item) -> Result:
        with _one_thread_here(), torch.no_grad():
            return work(item)

    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(alone, items)


def _blocks(matrix: torch.Tensor, starts: range, size: int) -> Blocks:
    for start in starts:
        block = matrix[start : start + size]
        if block.device.type == "mps":
            block = block.cpu()
        yield slice(start, start + size), block.to(torch.float64)


@contextmanager
def _one_thread_here() -> Iterator[None]:
    """Hold torch's computations to one thread in a thread of our own; no other thread notices."""
    # Torch sets a new thread's counts when it first looks at them; only then can they be lowered.
    torch.get_num_threads()
    if _mkl_limit() is not None:
        _mkl_limit()(1)
    with _openmp().limit(limits=1):
        yield


def _can_limit_a_thread() -> bool:
    return _mkl_limit() is not None or not torch.backends.mkl.is_available()


@cache
def _mkl_limit() -> Callable[[int], int] | None:
    """MKL's own setting for the calling thread, which torch's ``set_num_threads`` puts above OpenMP's."""
    for path in (Path(torch.__file__).parent / "lib").glob("*torch_cpu.*"):
        with suppress(OSError, AttributeError):
            return ctypes.CDLL(str(path)).MKL_Set_Num_Threads_Local
    return None


@cache
def _openmp() -> ThreadpoolController:
    # OpenMP keeps its thread count per thread, so the limit stays in the worker.
    return ThreadpoolController().select(user_api="openmp")

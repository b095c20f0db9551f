"""Running out of memory: how to know it, and how to let go."""

from __future__ import annotations

import traceback

import torch

_CPU_SIGNS = ("DefaultCPUAllocator", "can't allocate memory", "not enough memory")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that a device or the CPU has no memory left.

    Example
    -------
    >>> is_out_of_memory(MemoryError()), is_out_of_memory(RuntimeError("shapes do not fit"))
    (True, False)
    """
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in _CPU_SIGNS)


def release_memory(error: BaseException) -> None:
    """Let go of the tensors in the frames that `error` passed through, and give cached memory back to the device."""
    traceback.clear_frames(error.__traceback__)
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        torch.cuda.empty_cache()

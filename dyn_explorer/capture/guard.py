"""The one context manager that borrows a live model and gives it back bit-identical."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType

import torch
from torch import nn

from dyn_explorer.analysis.wrappers import original_of_compiled

from .interrupts import HeldInterrupts
from .layers import unwrap
from .state import CopyBudget, remember, remember_global_generators

PARAMETER_BUDGET = 2 * 1024**3

# One loan at a time in the whole process, not one per model: all models share the random generators, and two models
# may share modules. The same thread may borrow again inside a loan.
_LENDING = threading.RLock()


def borrow(model: nn.Module, *, parameter_budget: int = PARAMETER_BUDGET) -> AbstractContextManager[nn.Module]:
    """Lend a model to a ``with`` block and give it back bit-identical, whatever happens inside.

    Given back: parameters, buffers and other tensor attributes (the same objects with the same bits, even if the
    block or the model's forward rebinds them), ``.grad``, ``requires_grad``, each module's ``training`` flag, hooks,
    submodules and ``__dict__``, the content of lists, dictionaries, sets, deques, arrays and random generators held by
    modules, and the global random generators of torch (CPU, and CUDA if in use), Python and NumPy. A Ctrl-C that
    arrives while the model is being given back waits until that is done. Version counters are put back too, so a
    ``backward()`` that was pending before the loan still works after it.

    Compiled modules run eagerly inside the block, so that hooks on their layers are called.

    Parameters
    ----------
    model : torch.nn.Module
        The live model. It is never moved, copied or switched to another mode.
    parameter_budget : int
        Bytes of parameters and gradients to copy at most; default 2 GiB. Parameters beyond it are watched, not copied:
        if the model's forward writes one of those, the loan ends with an error that says so (a forward that writes
        through ``.data`` escapes even that). Buffers and attributes are always copied.

    Returns
    -------
    context manager
        Its ``with`` block receives the plain module inside compiled or data-parallel wrappers.

    Raises
    ------
    DynExplorerError
        If the model cannot be looked at (see `unwrap`), or if a parameter beyond the budget was changed.

    Notes
    -----
    Objects of other classes that a module holds (a tokenizer, a logger) are not looked into. Nothing here makes it safe
    to train the model in another thread at the same moment.

    Example
    -------
    >>> import torch
    >>> model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    >>> with borrow(model) as lent:
    ...     _ = lent.train()(torch.randn(5, 3))
    >>> model[1].num_batches_tracked
    tensor(0)
    """
    return _Loan(model, parameter_budget)


class _Loan(AbstractContextManager):
    def __init__(self, model: nn.Module, parameter_budget: int) -> None:
        self._model = model
        self._budget = CopyBudget(parameter_budget)
        self._stack = ExitStack()
        self._interrupts = HeldInterrupts(_Loan.__enter__, _Loan.__exit__)

    def __enter__(self) -> nn.Module:
        self._interrupts.install()
        try:
            inner = self._lend()
            self._interrupts.deliver()
        except BaseException:
            self._give_back()
            raise
        return inner

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        try:
            self._give_back()
        except Exception as problem:
            if error is None:
                raise
            error.add_note(f"while the model was being given back: {problem}")

    def _lend(self) -> nn.Module:
        # A short timeout, because an interrupt is held back here and must be able to end the waiting.
        while not _LENDING.acquire(timeout=0.1):
            self._interrupts.deliver()
        self._stack.callback(_LENDING.release)
        # Not before: while another thread has the model on loan, its forward may be changing it.
        inner = unwrap(self._model)
        memories: list[Callable[[], None]] = []
        self._stack.callback(_put_back, memories)
        with torch.inference_mode(False), torch.no_grad():
            memories.extend(remember_global_generators())
            memories.extend(remember(self._model, self._budget))
        for module in self._model.modules():
            _run_eagerly(module)
        return inner

    def _give_back(self) -> None:
        try:
            with torch.inference_mode(False):
                self._stack.close()
        finally:
            self._interrupts.uninstall()
            self._interrupts.deliver()


def _put_back(memories: list[Callable[[], None]]) -> None:
    problem = None
    for put_back in memories:
        try:
            put_back()
        except Exception as error:  # noqa: BLE001 - what cannot be put back must not keep the rest from it
            problem = problem or error
    if problem is not None:
        raise problem


def _run_eagerly(module: nn.Module) -> None:
    attributes = object.__getattribute__(module, "__dict__")
    if attributes.get("_compiled_call_impl") is not None:
        attributes["_compiled_call_impl"] = None
    if (original := original_of_compiled(module)) is not None:
        attributes["forward"] = original

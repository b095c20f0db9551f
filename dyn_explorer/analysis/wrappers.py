"""What stands around a model: the wrappers of compiling and of training on several devices."""

from __future__ import annotations

from torch import nn

_PARALLEL = (nn.DataParallel, nn.parallel.DistributedDataParallel)


def original_of_compiled(module: nn.Module) -> nn.Module | None:
    """Return the module that ``torch.compile`` wrapped, or None if `module` is not such a wrapper.

    Example
    -------
    >>> from torch import nn
    >>> original_of_compiled(nn.ReLU()) is None
    True
    """
    return module._modules.get("_orig_mod") if type(module).__name__ == "OptimizedModule" else None


def without_wrappers(model: nn.Module) -> nn.Module:
    """The module inside compiled and data-parallel wrappers, however many; `model` itself where there is none.

    Example
    -------
    >>> from torch import nn
    >>> model = nn.ReLU()
    >>> without_wrappers(nn.DataParallel(nn.DataParallel(model))) is model
    True
    """
    while (inner := model.module if isinstance(model, _PARALLEL) else original_of_compiled(model)) is not None:
        model = inner
    return model

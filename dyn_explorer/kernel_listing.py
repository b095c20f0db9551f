"""What a kernel holds that could be explored: its models, and the tensors, arrays and loaders to feed them.

A front end asks a kernel for this with :func:`expression`, as a user expression of a silent request. It carries the
source of this file, because to import the package would import torch. So this file uses the standard library alone,
reads torch and NumPy only where the person has imported them, and calls no method that the person may have written.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

# Other cells wait while the kernel lists: what is not looked at within this time is counted instead.
SECONDS = 0.03
NAMES_BETWEEN_LOOKS_AT_THE_CLOCK = 16


class Listing:
    """A listing that Jupyter sends as JSON instead of as the representation of a string."""

    def __init__(self, content: dict) -> None:
        self.content = content

    def __repr__(self) -> str:
        return json.dumps(self.content)

    def _repr_json_(self) -> dict:
        return self.content


def listing(namespace: dict, *, seconds: float = SECONDS) -> Listing:
    """List the models of a namespace and what could be their inputs.

    Names that begin with an underscore are left out: IPython keeps the outputs of cells under such names. Parameters
    and tensors without an axis are no inputs.

    Parameters
    ----------
    namespace : dict
        Variables by name, as ``globals()`` gives them. It is only read.
    seconds : float
        The time after which no further name is looked at. Default 0.03.

    Returns
    -------
    Listing
        ``content`` is a dictionary that is valid JSON: ``torch``, whether the kernel has imported it (without it both
        lists are empty); ``models``, each with ``name``, ``class``, ``parameters`` (None where one has no shape yet),
        ``device`` (several joined by a comma, None without parameters), ``training`` and ``version`` (another text once
        the name stands for another model or a parameter was changed in place); ``inputs``, each with
        ``name``, ``kind`` (``"tensor"``, ``"array"`` or ``"loader"``) and ``class``, the first two with ``shape``
        (None where the tensor has none), ``dtype`` and ``device``; ``not_looked_at``, how many names were left when the
        time was over.

    Example
    -------
    >>> import torch
    >>> found = listing({"net": torch.nn.Linear(3, 2), "images": torch.zeros(5, 3), "epochs": 4}).content
    >>> {key: value for key, value in found["models"][0].items() if key != "version"}
    {'name': 'net', 'class': 'Linear', 'parameters': 8, 'device': 'cpu', 'training': True}
    >>> found["inputs"][0]["shape"], found["not_looked_at"]
    ([5, 3], 0)
    """
    torch = sys.modules.get("torch")
    content = {"torch": hasattr(torch, "nn"), "models": [], "inputs": [], "not_looked_at": 0}
    if content["torch"]:
        # Otherwise a subclass of Tensor would run its own code whenever its shape is read.
        with torch._C.DisableTorchFunctionSubclass():
            _fill(content, namespace, torch, time.perf_counter() + seconds)
    return Listing(content)


def expression() -> str:
    """Return a Python expression whose value, in a kernel, is the listing of the person's variables.

    Returns
    -------
    str
        One expression, to be sent as a user expression of an execute request with empty code, ``silent=True`` and
        ``store_history=False``. It leaves no name behind, also where the person has named a variable ``globals``.

    Example
    -------
    >>> type(compile(expression(), "<request>", "eval")).__name__
    'code'
    """
    source = Path(__file__).read_text(encoding="utf-8")
    variables = "__import__('IPython').get_ipython().user_ns"
    run = f"__import__('builtins').exec({source!r}, scope)"
    return f"(lambda scope: ({run}, scope['listing']({variables}))[1])({{'__name__': 'dyn_explorer_kernel_listing'}})"


def _fill(content: dict, namespace: dict, torch, deadline: float) -> None:
    numpy = sys.modules.get("numpy")
    array = getattr(numpy, "ndarray", None)
    loader = torch.utils.data.DataLoader
    variables = [(name, value) for name, value in list(namespace.items()) if not str(name).startswith("_")]
    for position, (name, value) in enumerate(variables):
        if position % NAMES_BETWEEN_LOOKS_AT_THE_CLOCK == 0 and time.perf_counter() > deadline:
            content["not_looked_at"] = len(variables) - position
            return
        # isinstance would ask a proxy for its __class__, which may be the person's own code.
        bases = type(value).__mro__
        if torch.nn.Module in bases:
            content["models"].append({"name": name, **_model(value, torch)})
        elif torch.Tensor in bases and torch.nn.Parameter not in bases and value.dim() > 0:
            content["inputs"].append({"name": name, "kind": "tensor", **_tensor(value)})
        elif array in bases and value.ndim > 0 and value.dtype.kind in "biuf":
            described = {"shape": list(value.shape), "dtype": str(value.dtype), "device": "cpu"}
            content["inputs"].append({"name": name, "kind": "array", "class": type(value).__name__, **described})
        elif loader in bases:
            content["inputs"].append({"name": name, "kind": "loader", "class": type(value).__name__})


def _model(model, torch) -> dict:
    parameters = _parameters(model)
    lazy = any(torch.nn.parameter.is_lazy(parameter) for parameter in parameters)
    return {
        "class": type(model).__name__,
        "parameters": None if lazy else sum(parameter.numel() for parameter in parameters),
        "device": ", ".join(sorted({str(parameter.device) for parameter in parameters})) or None,
        "training": bool(vars(model).get("training")),
        "version": f"{id(model)}-{sum(map(_changes, parameters))}",
    }


def _changes(tensor) -> int:
    """How often a tensor was changed in place; a tensor made in inference mode does not count that."""
    return 0 if tensor.is_inference() else tensor._version


def _parameters(model) -> list:
    """Return each parameter once, read from the dictionaries: ``parameters()`` may be the person's own."""
    seen, found, waiting = set(), {}, [model]
    while waiting:
        module = waiting.pop()
        if module is None or id(module) in seen:
            continue
        seen.add(id(module))
        held = vars(module)
        found.update((id(parameter), parameter) for parameter in held.get("_parameters", {}).values())
        waiting.extend(held.get("_modules", {}).values())
    return [parameter for parameter in found.values() if parameter is not None]


def _tensor(tensor) -> dict:
    try:
        shape = list(tensor.shape)
    except RuntimeError:
        # A nested tensor of rows of different lengths.
        shape = None
    return {
        "class": type(tensor).__name__,
        "shape": shape,
        "dtype": str(tensor.dtype).removeprefix("torch."),
        "device": str(tensor.device),
    }

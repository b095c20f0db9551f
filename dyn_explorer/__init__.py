"""See a neural network behave as a dynamical system, live, in JupyterLab.

>>> import dyn_explorer as dx
>>> images, labels = dx.demo.digits("test")
>>> inspector = dx.explore(dx.demo.load("trained"), images, labels)
>>> inspector.close()
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import analysis, capture, demo, views
    from .capture import History, list_layers, record, snapshots
    from .errors import DynExplorerError
    from .inspector import Inspector, SweepBoard, explore, explore_sweep
    from .spectra import layer_table
    from .sweeps import named_model, sweep
    from .tables import metrics_table
    from .trends import measure_trend, metrics_trend

__version__ = "0.1.0"

__all__ = [
    "DynExplorerError",
    "History",
    "Inspector",
    "SweepBoard",
    "analysis",
    "capture",
    "demo",
    "explore",
    "explore_sweep",
    "layer_table",
    "list_layers",
    "measure_trend",
    "metrics_table",
    "metrics_trend",
    "named_model",
    "record",
    "snapshots",
    "sweep",
    "views",
]

# Where each name lives.
_HOMES = {
    "DynExplorerError": "errors",
    "History": "capture",
    "Inspector": "inspector",
    "SweepBoard": "inspector",
    "explore": "inspector",
    "explore_sweep": "inspector",
    "layer_table": "spectra",
    "list_layers": "capture",
    "measure_trend": "trends",
    "metrics_table": "tables",
    "metrics_trend": "trends",
    "named_model": "sweeps",
    "record": "capture",
    "snapshots": "capture",
    "sweep": "sweeps",
}


def __getattr__(name: str):
    if name in _HOMES:
        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    elif name in __all__:
        value = import_module(f"{__name__}.{name}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _load() -> None:
    """Load everything now, so that opening an inspector waits for nothing.

    Where a part of the installation is missing, ``dyn-explorer doctor`` must start all the same; whoever uses such a
    name gets the same ImportError again.
    """
    try:
        for name in _HOMES:
            __getattr__(name)
    except ImportError:
        return


_load()

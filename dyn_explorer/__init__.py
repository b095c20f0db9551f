"""See a neural network behave as a dynamical system, live, in JupyterLab.

>>> import dyn_explorer as dx
>>> images, labels = dx.demo.digits("test")
>>> inspector = dx.explore(dx.demo.load("trained"), images, labels)
>>> inspector.close()
"""

from . import analysis, demo, views
from .capture import list_layers, record, snapshots
from .errors import DynExplorerError
from .inspector import Inspector, explore

__version__ = "0.1.0"

__all__ = [
    "DynExplorerError",
    "Inspector",
    "analysis",
    "demo",
    "explore",
    "list_layers",
    "record",
    "snapshots",
    "views",
]

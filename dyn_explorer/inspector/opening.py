"""How a person opens an inspector."""

from __future__ import annotations

from dyn_explorer import capture
from dyn_explorer.errors import DynExplorerError

from . import side
from .widget import Inspector


def explore(
    model,
    inputs,
    labels=None,
    *,
    class_names=None,
    layers=None,
    device=None,
    checkpoints=None,
    history=None,
    where="cell",
) -> Inspector:
    """Open a live model in an inspector.

    It returns at once; the model is run in a worker, borrowed and given back bit-identical.

    Parameters
    ----------
    model : torch.nn.Module
        On any device, in train or eval mode; looked at where it is and as it is.
    inputs : tensor, array, DataLoader, list of tensors, or one batch as the model's forward takes it
        Samples first, as in (n_samples, channels, height, width); the first 256 are looked at.
    labels : sequence of int, optional
        Class of each input.
    class_names : sequence of str, optional
        Names of the classes 0, 1, ...
    layers : sequence of str, optional
        Layers taken together at the start; default one layer, the last convolution.
    device : str or torch.device, optional
        Where the inputs are moved; the model stays where it is.
    checkpoints : mapping of int to state dict or file, optional
        States of the model by epoch, for snapshots along training.
    history : History, or several in a list or a mapping of names, optional
        Of the run that trains the model: `Inspector.step` adds to it, and epochs with weights can be looked at through
        ``inspector.epoch``. Further runs, up to four in all, are drawn beside it in the Training panel. Their epochs,
        probe batches and models may differ; what is computed from weights needs those that fit `model`, and the panel
        says where they do not.
    where : {"cell", "side"}
        ``"side"`` opens a tab beside the notebook where JupyterLab has this package's extension, and is ``"cell"``
        elsewhere. There is one tab for each variable that holds a model. When the cell runs again with the same model,
        inputs and labels, its inspector stays and is refreshed; with others, a new one takes over its view, and the old
        one is closed.

    Returns
    -------
    Inspector
        Shows itself as the last line of a notebook cell.

    Raises
    ------
    DynExplorerError
        If `model` has no layer to look at or cannot be looked at (scripted, sharded, on the meta device), or `where` is
        neither of the two.

    Examples
    --------
    >>> import dyn_explorer as dx
    >>> images, labels = dx.demo.digits("test")
    >>> inspector = dx.explore(dx.demo.load("trained"), images, labels)
    >>> inspector.layer
    'conv3'
    >>> inspector.close()
    """
    if where not in ("cell", "side"):
        raise DynExplorerError(f"`where` (={where!r}) must be 'cell' or 'side'.")
    options = {
        "class_names": class_names,
        "layers": layers,
        "device": device,
        "checkpoints": checkpoints,
        "history": history,
    }
    capture.unwrap(model)
    if where == "cell":
        return Inspector(model, inputs, labels, **options)
    place = side.take_place((model, inputs, labels), options)
    place.announce()
    return place.inspector

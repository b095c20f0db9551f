"""Hypergraphs of images for other programs: HIF JSON, XGI and HyperNetX."""

from __future__ import annotations

import json
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dyn_explorer.errors import DynExplorerError

if TYPE_CHECKING:
    from dyn_explorer.analysis.class_hypergraph import ClassHypergraph


def to_hif(found: ClassHypergraph, path: str | PathLike | None = None) -> dict:
    """The hypergraph in the Hypergraph Interchange Format, which XGI, HyperNetX and others read.

    Parameters
    ----------
    found : ClassHypergraph
    path : str or path, optional
        Write it there as JSON, too.

    Returns
    -------
    dict
        ``network-type``, ``metadata``, ``incidences`` with weights, ``nodes`` (images, by number, with their class) and
        ``edges`` (such as "+0", with direction, sign, purity and entropy; null where undefined).

    References
    ----------
    Coll et al. (2025), *HIF: the hypergraph interchange format for higher-order networks*, arXiv:2507.11520.

    Example
    -------
    >>> from dyn_explorer.analysis import class_hypergraph
    >>> found = class_hypergraph([[2.0], [-1.0]], ["cat", "dog"], quantile=0.5)
    >>> to_hif(found)["incidences"][0]
    {'edge': '+0', 'node': 0, 'weight': 2.0}
    """
    names = found.edge_names()
    weights = found.weights.tocsc()
    weights.sort_indices()
    edge = np.repeat(np.arange(len(names)), np.diff(weights.indptr))
    entries = zip(edge.tolist(), weights.indices.tolist(), weights.data.tolist(), strict=True)
    data = {
        "network-type": "undirected",
        "metadata": {"rule": found.rule, "share": found.share, "made by": "dyn_explorer"},
        "incidences": [{"edge": names[e], "node": image, "weight": weight} for e, image, weight in entries],
        "nodes": [
            {"node": image, "attrs": {"class": label}}
            for image, label in enumerate(found.classes[found.codes].tolist())
        ],
        "edges": [{"edge": name, "attrs": _attributes(found, number)} for number, name in enumerate(names)],
    }
    if path is not None:
        Path(path).write_text(json.dumps(data, allow_nan=False))
    return data


def _attributes(found: ClassHypergraph, edge: int) -> dict:
    values = {"purity": found.purity[edge], "entropy": found.entropy[edge]}
    shown = {name: float(value) if np.isfinite(value) else None for name, value in values.items()}
    return {"direction": int(found.direction[edge]), "sign": int(found.sign[edge]), **shown}


def to_xgi(found: ClassHypergraph):
    """The hypergraph as an `xgi.Hypergraph`, with the names and attributes of `to_hif`.

    Parameters
    ----------
    found : ClassHypergraph

    Returns
    -------
    xgi.Hypergraph

    Raises
    ------
    DynExplorerError
        If XGI is not installed.

    Example
    -------
    >>> from dyn_explorer.analysis import class_hypergraph
    >>> to_xgi(class_hypergraph([[2.0], [-1.0]], ["cat", "dog"], quantile=0.5)).edges.members()
    [{0}, {1}]
    """
    try:
        import xgi
    except ImportError as error:
        raise DynExplorerError("XGI is not installed: pip install 'dyn-explorer[hypergraph]'") from error
    data = to_hif(found)
    made = xgi.Hypergraph()
    made.add_nodes_from((node["node"], node["attrs"]) for node in data["nodes"])
    members = found.hypergraph.edges()
    made.add_edges_from(
        (images.tolist(), edge["edge"], edge["attrs"]) for images, edge in zip(members, data["edges"], strict=True)
    )
    return made


def to_hypernetx(found: ClassHypergraph):
    """The hypergraph as a `hypernetx.Hypergraph`, with the names of `to_hif`; its empty hyperedges are left out.

    Parameters
    ----------
    found : ClassHypergraph

    Returns
    -------
    hypernetx.Hypergraph

    Raises
    ------
    DynExplorerError
        If HyperNetX is not installed. It needs pandas below 3, so it is no extra of this package.

    Example
    -------
    >>> from dyn_explorer.analysis import class_hypergraph
    >>> found = class_hypergraph([[2.0], [-1.0]], ["cat", "dog"], quantile=0.5)
    >>> try:
    ...     other = to_hypernetx(found)
    ... except DynExplorerError:
    ...     other = to_hif(found)  # to be read where HyperNetX is
    """
    try:
        import hypernetx
    except ImportError as error:
        raise DynExplorerError(
            "HyperNetX is not installed. It needs pandas below 3: pip install hypernetx 'pandas<3', or write "
            "found.to_hif('classes.json') and read that where HyperNetX is"
        ) from error
    edges = zip(found.edge_names(), found.hypergraph.edges(), strict=True)
    return hypernetx.Hypergraph({name: images.tolist() for name, images in edges if len(images)})

"""Named sets of choices: what others have published."""

from __future__ import annotations

from types import MappingProxyType

from dyn_explorer.errors import DynExplorerError

from .layers import LayerInfo
from .recording import Recording
from .select import is_convolution
from .snapshots import Snapshots, snapshots

#: Options of `snapshots` by the name of what was published with them.
PRESETS = MappingProxyType(
    {
        "dmd_xai": MappingProxyType(
            {"size": (128, 128), "normalise": "softmax", "colour": "jet", "order": "lexicographic", "drop": False}
        )
    }
)


def dmd_xai_snapshots(
    recording: Recording,
    sample: int = 0,
    *,
    max_columns: int | None = None,
    subsample: str = "even",
    seed: int = 0,
) -> Snapshots:
    """Lay out snapshots as the public code of the DMD_XAI paper does, without its picture files.

    Emulated: all channels of all convolutions as they come out of the layer; softmax over the positions of each map;
    bilinear resizing to 128 x 128; stretching to 0..1 and the 256 jet colours, 0 to 255; one column of length 49,152
    per channel, planes red, green, blue; columns in the order of the names ``layer-{l}-{name}-{k}.png``, where 10 comes
    before 2; dead and repeated maps kept; nothing centred. `l` counts the convolutions from 0.

    Not emulated: the picture files, that is a size of 2 x 2 inches with its resampling, JPEG losses, and the bicubic
    resizing back to 128 x 128. Within a plane the pixels stand row by row, not column by column; a decomposition does
    not depend on the order of the rows. A map that is constant but for rounding becomes zero; the published code makes
    a picture of the rounding where the processor leaves any.

    Parameters
    ----------
    recording : Recording
        Of all two-dimensional convolutions. Those that were not recorded, and those with one value per channel (in
        squeeze-and-excitation blocks), are not used.
    sample : int
        The image.
    max_columns, subsample, seed
        As for `snapshots`; the published code uses all columns (26,000 of a ResNet-50 would take 5 GB).

    Returns
    -------
    Snapshots
        `matrix` has shape (49152, n_channels); `options` are the choices, ``PRESETS["dmd_xai"]``.

    Raises
    ------
    DynExplorerError
        If no convolution was recorded, or `snapshots` refuses.

    References
    ----------
    Okkath Krishnanunni, González Ballester & Benitez, "Unveiling learning trends in convolutional neural networks with
    dynamic mode decomposition", Eng. Appl. Artif. Intell. 144 (2025) 110146, doi:10.1016/j.engappai.2025.110146; code:
    github.com/sikha2552/DMD_XAI.

    Example
    -------
    >>> import torch
    >>> from dyn_explorer.capture import record
    >>> recording = record(torch.nn.Sequential(torch.nn.Conv2d(1, 12, 3)), torch.rand(1, 1, 8, 8))
    >>> result = dmd_xai_snapshots(recording)
    >>> result.matrix.shape, result.labels[2]
    (torch.Size([49152, 12]), '0 · channel 10')
    """
    layers = [layer.name for layer in recording.layers if _is_usable(layer, recording)]
    if not layers:
        raise DynExplorerError(
            "the preset 'dmd_xai' needs a recorded two-dimensional convolution with more than one value per channel, "
            "and there is none; record(model, inputs, layers=select_layers(model, kinds='convolution'))"
        )
    choices = dict(PRESETS["dmd_xai"], max_columns=max_columns, subsample=subsample, seed=seed)
    return snapshots(recording, layers, "channel", sample, **choices)


def _is_usable(layer: LayerInfo, recording: Recording) -> bool:
    if layer.name not in recording.activations or not is_convolution(layer):
        return False
    shape = recording.activations[layer.name].shape
    return len(shape) == 4 and shape[2] * shape[3] > 1

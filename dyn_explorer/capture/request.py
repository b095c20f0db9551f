"""What was asked of `snapshots`, as the axes see it."""

from __future__ import annotations

from dataclasses import dataclass

from dyn_explorer.errors import DynExplorerError

from .epochs import EpochRecording
from .layout import check_finite
from .maps import Maps, to_maps
from .options import Options
from .recording import Recording

_NAMES_SHOWN = 4


@dataclass(frozen=True, eq=False)
class Request:
    """What was asked of `snapshots`, with the layers checked and in execution order.

    Parameters
    ----------
    recording : Recording or EpochRecording
        Where the activations are.
    layers : tuple of str
        Recorded layers.
    sample : int
        The sample for axes that look at one.
    options : Options
        The other choices.
    """

    recording: Recording | EpochRecording
    layers: tuple[str, ...]
    sample: int
    options: Options

    @property
    def layers_in_words(self) -> str:
        """The layers' names, or their number if they are many."""
        if len(self.layers) == 1:
            return self.layers[0]
        if len(self.layers) > _NAMES_SHOWN:
            return f"{len(self.layers)} layers ({self.layers[0]} to {self.layers[-1]})"
        return f"{', '.join(self.layers[:-1])} and {self.layers[-1]}"

    def maps(self) -> dict[str, Maps]:
        """Return the maps of each layer for the sample, finite."""
        n_samples = self.recording.n_samples
        if not 0 <= self.sample < n_samples:
            raise DynExplorerError(f"`sample` (={self.sample}) must lie in 0..{n_samples - 1}")
        return {name: self._maps_of(name) for name in self.layers}

    def _maps_of(self, name: str) -> Maps:
        activation = self.recording.activations[name][self.sample]
        check_finite(activation, name, f"sample {self.sample}")
        return to_maps(activation, max(self.recording.channel_dims[name] - 1, 0), name)

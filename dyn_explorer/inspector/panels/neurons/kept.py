"""What the Neurons panel has computed and keeps while it lasts."""

from __future__ import annotations

from dataclasses import dataclass

from dyn_explorer import analysis, capture
from dyn_explorer.errors import Cancelled, DynExplorerError
from dyn_explorer.inspector.jobs import Job
from dyn_explorer.inspector.recorder import SEED, Memo
from dyn_explorer.inspector.source import Source

from .measure import column, layers_ranks, network_ranks, stamp
from .result import Column, LayerRanks, NetworkRanks

KEPT_NETWORKS = 8
KEPT_COLUMNS = 512
COARSE = 2  # bins where only G is shown


@dataclass(frozen=True, eq=False)
class Look:
    """What is looked at: a model through `source`, its inputs and labels, with one kind of BatchNorm statistics."""

    source: Source
    recording: capture.Recording
    bn_stats: str
    job: Job

    @property
    def key(self) -> tuple:
        """Changes with the model's weights and its inputs."""
        return (self.recording.revision, self.bn_stats)


class Kept:
    """Ranks of networks and layers, columns of the heat map, truncations; each made once."""

    def __init__(self) -> None:
        self._networks, self._layers = Memo(KEPT_NETWORKS), Memo(KEPT_NETWORKS)
        self._columns, self._truncations = Memo(KEPT_COLUMNS), Memo(KEPT_NETWORKS)
        self._stamps, self._untrained = Memo(KEPT_NETWORKS), Memo(KEPT_NETWORKS)

    def ranks(self, look: Look, layer: str) -> tuple[NetworkRanks, LayerRanks]:
        """All hidden layers, and the chosen one, which may be another.

        Raises
        ------
        DynExplorerError
            If the chosen layer has no linear map, or a training loop is running.
        """
        source, recording, job = look.source, look.recording, look.job

        def network() -> NetworkRanks:
            source.check_free()
            job.progress(0.0, "reading the layers")
            return network_ranks(source.model, recording, look.bn_stats, job)

        def one_layer() -> NetworkRanks:
            source.check_free()
            if layer not in recording.shapes:
                raise DynExplorerError(f"layer {layer!r} was not executed in this forward pass; choose another layer.")
            return layers_ranks(source.model, recording, [layer], look.bn_stats, job)

        found = self._networks.get(look.key, network)
        if layer in found.layers:
            return found, found.layers[layer]
        one = self._layers.get((*look.key, layer), one_layer)
        if one.reasons:
            raise DynExplorerError(one.reasons[layer])
        return found, one.layers[layer]

    def known_column(self, look: Look, epoch: int | None, network: NetworkRanks) -> Column | None:
        """The column of an epoch, if it is that of `network` or was measured before."""
        key = self._column_key(look, epoch)
        if epoch == look.source.epoch or key in self._columns:
            return self._columns.get(key, lambda: column(network, network.names))
        return None

    def column(self, look: Look, epoch: int | None, names: list[str]) -> Column:
        """The column of any epoch; None is the model as it is now."""

        def measured() -> Column:
            model, history = look.source.live_model, look.source.history
            if epoch is not None:
                model = capture.copy_with(model, history.state(epoch), f"epoch {epoch}")
            return self._measured(look, model, names)

        return self._columns.get(self._column_key(look, epoch), measured)

    def untrained(
        self, look: Look, names: list[str], *, only_known: bool = False
    ) -> tuple[dict[str, float] | None, str]:
        """G of an untrained copy by layer, or why there is none; None if it is not known yet and is not to be made."""
        key = (self._stamp(look), look.bn_stats, *names)

        def measured() -> tuple[dict[str, float], str]:
            try:
                found = self._measured(look, capture.untrained_copy(look.source.live_model, seed=SEED), names)
            except Cancelled:
                raise
            except DynExplorerError as error:
                return {}, f"No untrained copy: {error}"
            return dict(zip(names, found.gradient.tolist(), strict=True)), ""

        return (None, "") if only_known and key not in self._untrained else self._untrained.get(key, measured)

    def truncation(self, look: Look, pooling: str, *, only_known: bool = False) -> analysis.Truncation | None:
        """The network with its activations made the identity, from each on; None as for `untrained`."""
        key = (*look.key, pooling)
        recording, options = look.recording, {"bn_stats": look.bn_stats, "pooling": pooling, "cancel": look.job.cancel}

        def made() -> analysis.Truncation:
            return analysis.truncation(look.source.model, recording.inputs, recording.labels, **options)

        return None if only_known and key not in self._truncations else self._truncations.get(key, made)

    def _measured(self, look: Look, model, names: list[str]) -> Column:
        return column(layers_ranks(model, look.recording, names, look.bn_stats, look.job, bins=COARSE), names)

    def _column_key(self, look: Look, epoch: int | None) -> tuple:
        if epoch is None:
            return look.key
        return (id(look.source.history), epoch, self._stamp(look), look.bn_stats)

    def _stamp(self, look: Look) -> int:
        return self._stamps.get(look.recording.revision, lambda: stamp(look.recording))

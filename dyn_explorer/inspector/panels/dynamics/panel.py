"""The Dynamics panel: figures, controls and the code behind them."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from dyn_explorer import analysis, capture, views
from dyn_explorer.errors import DynExplorerError
from dyn_explorer.inspector.jobs import Job
from dyn_explorer.inspector.recorder import Layout
from dyn_explorer.inspector.source import SnapshotSet, Source
from dyn_explorer.inspector.state import MIN_WINDOW, InspectorState
from dyn_explorer.views import theme

from ..base import Card, Panel, Settings
from . import tables
from .code import code
from .options import ALL_RESIDUALS, AXES, METHODS, SHUFFLES, DynamicsOptions
from .result import GALLERY, Comparison, DynamicsResult, as_map, contribution, gallery, maps
from .sidebar import sidebar

if TYPE_CHECKING:
    import pandas as pd


class DynamicsPanel(Panel):
    """Eigenvalue circle, mode energies, singular values, the chosen mode and its course."""

    key = "dynamics"
    title = "Dynamics"
    about = (
        "Dynamic mode decomposition fits one linear map that sends each snapshot to the next. Its eigenvalues say how "
        "each mode grows, decays and turns. Read them with the rank: at full rank the eigenvalues are the roots of one "
        "polynomial, whose coefficients say how the last snapshot depends on all others, whatever the data. A pale "
        "eigenvalue has a large residual: it comes from the regression, not from the data. A metric inside the band "
        "of shuffled columns, or equal to that of an untrained copy, is no trace of learned dynamics."
    )
    Options = DynamicsOptions
    tap_chooses = "mode"
    menus = MappingProxyType({"axis": tuple(key for key, _, _ in AXES), "method": tuple(key for key, _, _ in METHODS)})
    cards = (
        Card(
            "circle",
            "Eigenvalues",
            "Inside the circle modes decay, outside they grow; size is strength, pale is a large residual. Tap one.",
            square=True,
            legend=(
                ("●", theme.STABLE, "stable"),
                ("▲", theme.GROWING, "growing"),
                ("■", theme.DECAYING, "decaying"),
                ("□", theme.NEUTRAL, "pale: residual ≥ 1"),
            ),
        ),
        Card("image", "Chosen mode over the input", "The mode's map, enlarged, over the input.", square=True),
        Card("energies", "Mode energies", "What each mode carries in the first snapshot. Tap a bar to choose it."),
        Card("singular", "Singular values", "What the rank keeps of the snapshots, and what it cuts."),
        Card("course", "Time dynamics", "What the chosen mode adds from snapshot to snapshot."),
        Card("gallery", "Stable modes", "Strongest first, with their modulus. Tap one to choose it.", wide=True),
        Card(
            "maps",
            "Reconstruction, and the maps without dynamics",
            "A snapshot, the same rebuilt from the modes, the mode nearest 1 and the rest, and the first principal "
            "component of the columns (EigenCAM), which knows no order.",
            wide=True,
        ),
    )

    def make_views(self) -> dict[str, views.View]:
        """A view per card."""
        return {
            "circle": views.EigenvalueCircle(),
            "image": views.ModeImage(),
            "energies": views.ModeEnergies(),
            "singular": views.SingularValues(),
            "course": views.TimeDynamics(),
            "gallery": views.MapRow(GALLERY, "Modes have no maps along this axis."),
            "maps": views.MapRow(5, "Snapshots are no maps along this axis.", lines=2),
        }

    def layers_needed(self, settings: Settings, source: Source) -> tuple[str, ...]:
        """The chosen layers; along depth, without a choice, every layer of the chosen one's kind."""
        if settings.preset != "none":
            return tuple(info.name for info in source.layers.values() if _is_usable_convolution(info))
        if settings.layers:
            return tuple(settings.layers)
        if settings.axis != "layer":
            return (settings.layer,)
        kind = source.layers[settings.layer].kind
        usable = [info for info in source.layers.values() if info.disabled_because is None]
        same = tuple(info.name for info in usable if info.kind == kind)
        return same if len(same) >= MIN_WINDOW else tuple(info.name for info in usable if _has_map(info))

    def compute(self, source: Source, state: InspectorState, settings: Settings, job: Job) -> DynamicsResult:
        """Record, factor, decompose, lift the chosen mode."""
        if state.untouched and settings.axis == "channel" and self._has_no_maps(source, settings, job):
            state.axis = "sample"
            settings = replace(settings, choices=state.choices())
            job.note("This layer has no maps, so each snapshot is its response to one input.")
        found = self._snapshots(source, settings, job)
        state.limits.n_samples = len(source.recording.inputs)
        n_features, n_snapshots = found.snapshots.matrix.shape
        for note in state.meet_snapshots(n_snapshots, n_features):
            job.note(note)
        rank = full_rank(state.window, n_features) if settings.preset != "none" and state.rank is None else state.rank
        result = source.fit(found, rank=rank, window=state.window, method=state.method)
        state.meet_rows(len(result.rows))
        mode = min(state.mode, len(result.rows) - 1)
        return DynamicsResult(
            dmd=result,
            snapshots=found.snapshots,
            mode=mode,
            map=as_map(contribution(result, mode), found.snapshots),
            picture=source.picture(settings.sample) if settings.axis in ("channel", "layer", "path") else None,
            stable=analysis.stable_modes(result, tol=settings.stable_tol),
            metrics=analysis.dynamics_metrics(result, stable_tol=settings.stable_tol),
            residuals=analysis.mode_residuals(result, relative=True),
            observable_residuals=analysis.mode_residuals(result, kind="observable"),
        )

    def _has_no_maps(self, source: Source, settings: Settings, job: Job) -> bool:
        layers = self.layers_needed(settings, source)
        shapes = source.record(layers, job).shapes
        return all(len(shapes.get(name, ())) == 1 for name in layers)

    def _snapshots(self, source: Source, settings: Settings, job: Job) -> SnapshotSet:
        return source.snapshot_set(self.layers_needed(settings, source), layout_of(settings), job)

    def refine(self, source: Source, result: DynamicsResult, settings: Settings, job: Job) -> DynamicsResult:
        """What the metrics are compared with, and the maps beside the chosen mode."""
        found = self._snapshots(source, settings, job)
        dmd = result.dmd
        shown, is_stable = gallery(result) if result.map.ndim == 2 else ([], False)
        pictures = maps(result, settings.step, settings.terms, found.compressed)
        contours = analysis.pseudospectrum(dmd, cancel=job.cancel) if settings.pseudospectrum else None
        shuffled = analysis.shuffled_columns_null(
            found.compressed,
            shuffles=SHUFFLES,
            rank=dmd.rank,
            window=dmd.window,
            method=dmd.method,
            stable_tol=settings.stable_tol,
            cancel=job.cancel,
        )
        untrained, reason = self._untrained(source, dmd, settings, job)
        return replace(result, comparison=Comparison(shuffled, untrained, reason, shown, is_stable, pictures, contours))

    def _untrained(self, source: Source, dmd, settings: Settings, job: Job):
        try:
            found = source.untrained_snapshot_set(self.layers_needed(settings, source), layout_of(settings), job)
            start, stop = dmd.window
            window = (start, min(stop, found.compressed.n_snapshots))
            rank = min(dmd.rank, window[1] - window[0] - 1)
            fitted = analysis.dmd(found.compressed, rank=rank, window=window, method=dmd.method)
        except DynExplorerError as error:
            return None, str(error)
        return analysis.dynamics_metrics(fitted, stable_tol=settings.stable_tol), ""

    def show(self, result: DynamicsResult, settings: Settings) -> None:
        """Draw what follows the hand."""
        chosen = {"selected": result.mode, "tol": settings.stable_tol}
        most = np.inf if settings.most_residual >= ALL_RESIDUALS else settings.most_residual
        self.views["circle"].update(result.dmd, residuals=result.residuals, most_residual=most, **chosen)
        self.views["energies"].update(result.dmd, **chosen)
        self.views["singular"].update(result.dmd)
        self.views["course"].update(result.dmd, labels=result.snapshots.labels, selected=result.mode)
        signed = settings.part == "real"
        values = result.map.real if signed else np.abs(result.map)
        self.views["image"].update(values, picture=result.picture, opacity=settings.opacity, signed=signed)
        if not settings.pseudospectrum:
            self.views["circle"].show_pseudospectrum(None)
        if result.comparison is not None:
            self._show_comparison(result, result.comparison)

    def _show_comparison(self, result: DynamicsResult, comparison: Comparison) -> None:
        self.views["circle"].show_pseudospectrum(comparison.pseudospectrum)
        shown = [(caption, values) for _, caption, values in comparison.gallery]
        self.views["gallery"].update(shown, rows=[row for row, _, _ in comparison.gallery], selected=result.mode)
        if shown and not comparison.gallery_is_stable:
            self.views["gallery"].summary = "No mode lies in the stability band; these are the strongest instead."
        self.views["maps"].update(comparison.maps)

    def controls(self, settings: Settings, result: DynamicsResult | None) -> list[dict]:
        """Snapshots, decomposition, scaling, and how the modes are drawn."""
        return sidebar(settings, result)

    def numbers(self, result: DynamicsResult) -> list[dict]:
        """What everything else depends on."""
        return tables.numbers(result)

    def metrics(self, result: DynamicsResult) -> dict:
        """Each metric beside its nulls."""
        return tables.metrics(result)

    def meaning(self, result: DynamicsResult) -> str:
        """What a snapshot is here."""
        return result.snapshots.column_meaning

    def table(self, result: DynamicsResult) -> pd.DataFrame:
        """One row per mode, a conjugate pair being one."""
        return tables.mode_table(result)

    def code(self, settings: Settings, source: Source) -> str:
        """The view's numbers without the widget."""
        return code(settings, layout_of(settings), self.layers_needed(settings, source), source)


def full_rank(window: tuple[int, int], n_features: int) -> int:
    """What the published code uses: as many directions as there are, singular or not."""
    return min(window[1] - window[0] - 1, n_features)


def layout_of(settings: Settings) -> Layout:
    """How these settings lay snapshots out."""
    axis = "channel" if settings.preset != "none" else settings.axis
    sample = 0 if axis in ("sample", "epoch") else settings.sample
    path = {"path": settings.path, "steps": settings.steps} if axis == "path" else {}
    return Layout(
        axis=axis,
        sample=sample,
        normalise=settings.normalise,
        centre=settings.centre,
        order=settings.order,
        seed=settings.seed if settings.order == "random" else 0,
        max_columns=settings.max_columns,
        preset=settings.preset,
        **path,
    )


def _is_usable_convolution(info: capture.LayerInfo) -> bool:
    return info.kind.startswith("Conv") and info.disabled_because is None


def _has_map(info: capture.LayerInfo) -> bool:
    return info.kind.startswith(("Conv", "ReLU", "GELU", "SiLU", "BatchNorm2d", "MaxPool", "AvgPool"))

"""The Dynamics panel: figures, controls and the code behind them."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pandas as pd

from dyn_explorer import analysis, capture, views
from dyn_explorer.errors import DynExplorerError
from dyn_explorer.inspector import controls
from dyn_explorer.inspector.jobs import Job
from dyn_explorer.inspector.source import SnapshotSet, Source
from dyn_explorer.inspector.state import MIN_WINDOW, InspectorState
from dyn_explorer.views import theme

from ..base import Card, Panel, Settings
from . import tables
from .options import ALL_RESIDUALS, AXES, METHODS, PARTS, RANK_PRESETS, DynamicsOptions
from .result import GALLERY, Comparison, DynamicsResult, as_map, gallery, maps

SHUFFLES = 20


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
            "maps": views.MapRow(5, "Snapshots are no maps along this axis."),
        }

    def layers_needed(self, settings: Settings, source: Source) -> tuple[str, ...]:
        """The chosen layers; along depth, without a choice, every layer of the chosen one's kind."""
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
        found = self._snapshots(source, settings, job)
        state.limits.n_samples = len(source.recording.inputs)
        n_features, n_snapshots = found.snapshots.matrix.shape
        for note in state.meet_snapshots(n_snapshots, n_features):
            job.note(note)
        result = source.fit(found, rank=state.rank, window=state.window, method=state.method)
        state.meet_rows(len(result.rows))
        mode = min(state.mode, len(result.rows) - 1)
        values = result.modes([int(result.rows[mode])])[:, 0]
        return DynamicsResult(
            dmd=result,
            snapshots=found.snapshots,
            mode=mode,
            map=as_map(values, found.snapshots),
            picture=source.picture(settings.sample) if settings.axis != "sample" else None,
            stable=analysis.stable_modes(result, tol=settings.stable_tol),
            metrics=analysis.dynamics_metrics(result, stable_tol=settings.stable_tol),
            residuals=analysis.mode_residuals(result, relative=True),
            observable_residuals=analysis.mode_residuals(result, kind="observable"),
        )

    def _snapshots(self, source: Source, settings: Settings, job: Job) -> SnapshotSet:
        return source.snapshot_set(self.layers_needed(settings, source), settings.axis, settings.sample, job)

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
            found = source.untrained_snapshot_set(
                self.layers_needed(settings, source), settings.axis, settings.sample, job
            )
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
        """Axis, window, rank, method, and how the modes are drawn."""
        made = [controls.menu("axis", "Snapshots are", settings.axis, list(AXES))]
        if result is not None:
            made += self._range_controls(settings, result)
        made.append(controls.menu("method", "Method", settings.method, list(METHODS)))
        made += [
            controls.slider(
                "dynamics.most_residual",
                "Hide residuals above",
                settings.most_residual,
                0.02,
                ALL_RESIDUALS,
                0.02,
                "Eigenvalues with a larger residual are not drawn; at the right end all are.",
            ),
            controls.toggle(
                "dynamics.pseudospectrum",
                "Pseudospectrum contours",
                settings.pseudospectrum,
                "How nearly each number is an eigenvalue: log₁₀ τ = -2, -1.5, -1, -0.5, -0.25; dark is near.",
            ),
            controls.slider(
                "dynamics.stable_tol",
                "Stability band ±",
                settings.stable_tol,
                0.01,
                0.3,
                0.01,
                "A mode counts as stable when its modulus is this close to 1 (our choice; the paper gives none).",
            ),
            controls.menu("dynamics.part", "Mode shown as", settings.part, list(PARTS)),
            controls.slider("dynamics.opacity", "Mode opacity", settings.opacity, 0, 1, 0.05),
        ]
        if result is not None and result.map.ndim == 2:
            made += self._map_controls(settings, result)
        return made

    def _range_controls(self, settings: Settings, result: DynamicsResult) -> list[dict]:
        n_features, count = result.snapshots.matrix.shape
        start, stop = settings.window or result.window
        rank = settings.rank if isinstance(settings.rank, int) else result.rank
        return [
            controls.span("window", "Window", (start, stop), 0, count, MIN_WINDOW, "Snapshots that take part."),
            controls.rank(
                "rank",
                settings.rank,
                rank,
                min(stop - start - 1, n_features),
                list(RANK_PRESETS),
                "How many directions of the snapshots are kept before the fit.",
            ),
        ]

    def _map_controls(self, settings: Settings, result: DynamicsResult) -> list[dict]:
        last = result.window[1] - result.window[0] - 1
        count = len(result.dmd.rows)
        return [
            controls.slider(
                "dynamics.step",
                "Snapshot rebuilt",
                min(settings.step, last),
                0,
                last,
                1,
                "Step of the window.",
                digits=0,
            ),
            controls.slider(
                "dynamics.terms",
                "Modes used",
                min(settings.terms, count),
                0,
                count,
                1,
                "Strongest first; 0 takes all.",
                digits=0,
            ),
        ]

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
        layers = list(self.layers_needed(settings, source))
        window = None if settings.window is None else tuple(settings.window)
        device = "" if source.device is None else f", device={str(source.device)!r}"
        return "\n".join(
            [
                "import dyn_explorer as dx",
                "",
                f"recording = dx.record(model, inputs, layers={layers!r}, max_samples={source.most_inputs}, "
                f"seed=0{device})",
                f"snapshots = dx.snapshots(recording, {layers!r}, axis={settings.axis!r}, sample={settings.sample})",
                "compressed = dx.analysis.compress(snapshots.matrix)",
                f"result = dx.analysis.dmd(compressed, rank={settings.rank!r}, window={window!r}, "
                f"method={settings.method!r})",
                "eigenvalues, amplitudes, energies = result.eigenvalues, result.amplitudes, result.energies",
                f"stable = dx.analysis.stable_modes(result, tol={settings.stable_tol})",
                f"metrics = dx.analysis.dynamics_metrics(result, stable_tol={settings.stable_tol})",
                "residuals = dx.analysis.mode_residuals(result, relative=True)",
                f"null = dx.analysis.shuffled_columns_null(compressed, shuffles={SHUFFLES}, rank=result.rank, "
                f"window=result.window, method=result.method, stable_tol={settings.stable_tol})",
                f"mode = result.modes([int(result.rows[{settings.mode}])])[:, 0]",
            ]
        )


def _has_map(info: capture.LayerInfo) -> bool:
    return info.kind.startswith(("Conv", "ReLU", "GELU", "SiLU", "BatchNorm2d", "MaxPool", "AvgPool"))

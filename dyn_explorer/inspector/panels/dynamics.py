"""The Dynamics panel: dynamic mode decomposition of feature maps."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd
from traitlets import CFloat, Enum, HasTraits, TraitError, validate

from dyn_explorer import analysis, capture, views
from dyn_explorer.errors import DynExplorerError
from dyn_explorer.inspector import controls
from dyn_explorer.inspector.jobs import Job
from dyn_explorer.inspector.source import Source
from dyn_explorer.inspector.state import MIN_WINDOW, InspectorState
from dyn_explorer.views import theme
from dyn_explorer.views.mode_energies import row_shares

from .base import Card, Panel, Settings

AXES = (
    ("channel", "Channels", "One image; each snapshot is one channel's map, channel after channel."),
    ("layer", "Layers", "One image; each snapshot is one layer's mean map, so that depth is time."),
    ("sample", "Inputs", "One layer; each snapshot is its whole response to one input."),
)
METHODS = (
    ("exact", "Exact", "Modes from the images of the snapshots; the usual choice."),
    ("projected", "Projected", "Modes inside the span of the snapshots; smoother, with the same eigenvalues."),
)
PARTS = (
    ("magnitude", "Magnitude |φ|", "How strongly each place takes part in the mode."),
    ("real", "Real part Re φ", "With its sign; colours diverge from zero."),
)
RANK_PRESETS = (
    (None, "All", "Every direction above 1e-10 of the largest singular value."),
    (0.99, "99 %", "The smallest rank that keeps 99 % of the energy."),
    (0.9, "90 %", "The smallest rank that keeps 90 % of the energy."),
)


@dataclass(frozen=True, eq=False)
class DynamicsResult:
    """What the Dynamics panel shows.

    Attributes
    ----------
    dmd : DMDResult
        The decomposition; its eigenvalues, amplitudes, energies, singular values, rank and window are also here.
    snapshots : Snapshots
        The matrix it was fitted to, with the meaning of its columns.
    mode : int
        Row of the chosen mode.
    map : ndarray (h, w) complex or (n_features,) complex
        The chosen mode, in the shape of a map where it has one.
    picture : ndarray (H, W, 3) uint8 or None
        The input under the map.
    stable : ndarray of int
        Indices of the stable modes, strongest first.
    """

    dmd: analysis.DMDResult
    snapshots: capture.Snapshots
    mode: int
    map: np.ndarray
    picture: np.ndarray | None
    stable: np.ndarray

    eigenvalues = property(lambda self: self.dmd.eigenvalues)
    amplitudes = property(lambda self: self.dmd.amplitudes)
    energies = property(lambda self: self.dmd.energies)
    singular_values = property(lambda self: self.dmd.singular_values)
    rank = property(lambda self: self.dmd.rank)
    window = property(lambda self: self.dmd.window)
    modes = property(lambda self: self.dmd.modes)


class DynamicsOptions(HasTraits):
    """How the Dynamics panel draws what it computed."""

    opacity = CFloat(0.7, min=0, max=1)
    part = Enum([key for key, _, _ in PARTS], "magnitude")
    stable_tol = CFloat(0.05, min=0, max=1)

    @validate("opacity", "stable_tol")
    def _finite(self, proposal) -> float:
        if np.isnan(proposal["value"]):
            raise TraitError("it is not a number")
        return proposal["value"]


class DynamicsPanel(Panel):
    """Eigenvalue circle, mode energies, singular values, the chosen mode and its course."""

    key = "dynamics"
    title = "Dynamics"
    about = (
        "Dynamic mode decomposition fits one linear map that sends each snapshot to the next. Its eigenvalues say how "
        "each mode grows, decays and turns. Read them with the rank: at full rank they only say how the last snapshot "
        "depends on all others, whatever the data."
    )
    Options = DynamicsOptions
    tap_chooses = "mode"
    menus = MappingProxyType({"axis": tuple(key for key, _, _ in AXES), "method": tuple(key for key, _, _ in METHODS)})
    cards = (
        Card(
            "circle",
            "Eigenvalues",
            "Inside the circle modes decay, outside they grow; size is strength. Tap one to choose it.",
            square=True,
            legend=(
                ("●", theme.STABLE, "stable"),
                ("▲", theme.GROWING, "growing"),
                ("■", theme.DECAYING, "decaying"),
            ),
        ),
        Card("image", "Chosen mode over the input", "The mode's map, enlarged, over the input.", square=True),
        Card("energies", "Mode energies", "What each mode carries in the first snapshot. Tap a bar to choose it."),
        Card("singular", "Singular values", "What the rank keeps of the snapshots, and what it cuts."),
        Card("course", "Time dynamics", "What the chosen mode adds from snapshot to snapshot."),
    )

    def make_views(self) -> dict[str, views.View]:
        """The five figures."""
        return {
            "circle": views.EigenvalueCircle(),
            "image": views.ModeImage(),
            "energies": views.ModeEnergies(),
            "singular": views.SingularValues(),
            "course": views.TimeDynamics(),
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
        layers = self.layers_needed(settings, source)
        found = source.snapshot_set(layers, settings.axis, settings.sample, job)
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
            map=as_map(values, found.snapshots.map_shape),
            picture=source.picture(settings.sample) if settings.axis != "sample" else None,
            stable=analysis.stable_modes(result, tol=settings.stable_tol),
        )

    def show(self, result: DynamicsResult, settings: Settings) -> None:
        """Draw all five figures."""
        chosen = {"selected": result.mode}
        self.views["circle"].update(result.dmd, tol=settings.stable_tol, **chosen)
        self.views["energies"].update(result.dmd, tol=settings.stable_tol, **chosen)
        self.views["singular"].update(result.dmd)
        self.views["course"].update(result.dmd, labels=result.snapshots.labels, **chosen)
        signed = settings.part == "real"
        values = result.map.real if signed else np.abs(result.map)
        self.views["image"].update(values, picture=result.picture, opacity=settings.opacity, signed=signed)

    def controls(self, settings: Settings, result: DynamicsResult | None) -> list[dict]:
        """Axis, window, rank, method, and how the mode is drawn."""
        made = [controls.menu("axis", "Snapshots are", settings.axis, list(AXES))]
        if result is not None:
            n_features, count = result.snapshots.matrix.shape
            start, stop = settings.window or result.window
            rank = settings.rank if isinstance(settings.rank, int) else result.rank
            made += [
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
        return [
            *made,
            controls.menu("method", "Method", settings.method, list(METHODS)),
            controls.menu("dynamics.part", "Mode shown as", settings.part, list(PARTS)),
            controls.slider("dynamics.opacity", "Mode opacity", settings.opacity, 0, 1, 0.05),
            controls.slider(
                "dynamics.stable_tol",
                "Stability band ±",
                settings.stable_tol,
                0.01,
                0.3,
                0.01,
                "A mode counts as stable when its modulus is this close to 1 (our choice; the paper gives none).",
            ),
        ]

    def numbers(self, result: DynamicsResult) -> list[dict]:
        """Rank, condition and what was left out, beside what they qualify."""
        dmd, dropped = result.dmd, len(result.snapshots.dropped)
        count = result.window[1] - result.window[0]
        return [
            number("snapshots", f"{count} of {result.snapshots.matrix.shape[1]}", "In the window."),
            number("rank", f"{dmd.rank} of {count - 1}", "Directions kept. At the most, the fit says nothing."),
            number("condition", f"{dmd.condition:.2g}", "σ₁ / σᵣ; above about 1e8 float32 activations are noise."),
            number("error", f"{dmd.reconstruction_error:.2%}", "Relative error of the modes' own reconstruction."),
            number("stable", f"{len(result.stable)} of {len(dmd.rows)}", "Modes inside the stability band."),
            number("dropped", str(dropped), "Dead or duplicate columns left out, because they make the fit singular."),
        ]

    def meaning(self, result: DynamicsResult) -> str:
        """What a snapshot is here."""
        return result.snapshots.column_meaning

    def table(self, result: DynamicsResult) -> pd.DataFrame:
        """One row per mode, a conjugate pair being one."""
        dmd = result.dmd
        rows = np.asarray(dmd.rows)
        value = dmd.eigenvalues[rows]
        return pd.DataFrame(
            {
                "mode": np.arange(1, len(rows) + 1),
                "pair": value.imag != 0,
                "real": value.real,
                "imag": value.imag,
                "modulus": np.abs(value),
                "turn": np.abs(np.angle(value)) / (2 * np.pi),
                "strength": dmd.strengths[rows],
                "energy": dmd.energies[rows],
                "share": row_shares(dmd),
            }
        )

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
                f"result = dx.analysis.dmd(snapshots.matrix, rank={settings.rank!r}, window={window!r}, "
                f"method={settings.method!r})",
                "eigenvalues, amplitudes, energies = result.eigenvalues, result.amplitudes, result.energies",
                f"stable = dx.analysis.stable_modes(result, tol={settings.stable_tol})",
                f"mode = result.modes([int(result.rows[{settings.mode}])])[:, 0]",
            ]
        )


def number(label: str, value: str, hint: str) -> dict:
    """One figure in digits."""
    return {"label": label, "value": value, "help": hint}


def as_map(values: np.ndarray, map_shape: tuple[int, ...] | None) -> np.ndarray:
    """A mode in the shape of a picture where it has one: volumes and channels are averaged by magnitude and phase.

    Raises
    ------
    DynExplorerError
        If the mode is not finite.
    """
    if not np.isfinite(values).all():
        raise DynExplorerError("the chosen mode is not finite; lower the rank.")
    if map_shape is None or len(map_shape) == 1:
        return values
    shaped = values.reshape(-1, *map_shape[-2:])
    return shaped[0] if len(shaped) == 1 else np.abs(shaped).mean(axis=0)


def _has_map(info: capture.LayerInfo) -> bool:
    return info.kind.startswith(("Conv", "ReLU", "GELU", "SiLU", "BatchNorm2d", "MaxPool", "AvgPool"))

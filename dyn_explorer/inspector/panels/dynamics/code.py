"""Python that rebuilds a view of the Dynamics panel."""

from __future__ import annotations

from dyn_explorer.inspector.recorder import SEED, Layout
from dyn_explorer.inspector.source import Source

from ..base import Settings
from .options import SHUFFLES


def code(settings: Settings, layout: Layout, layers: tuple[str, ...], source: Source) -> str:
    """Lines that need only ``model`` and ``inputs`` (and ``checkpoints`` along epochs)."""
    window = None if settings.window is None else tuple(settings.window)
    tol = settings.stable_tol
    full = layout.preset != "none" and settings.rank is None
    rank = f"min({_width(window)} - 1, len(snapshots.matrix))" if full else repr(settings.rank)
    return "\n".join(
        [
            "import dyn_explorer as dx",
            "",
            *_recording(layout, list(layers), source),
            _snapshots(layout, list(layers)),
            "compressed = dx.analysis.compress(snapshots.matrix)",
            f"result = dx.analysis.dmd(compressed, rank={rank}, window={window!r}, method={settings.method!r})",
            "eigenvalues, amplitudes, energies = result.eigenvalues, result.amplitudes, result.energies",
            f"stable = dx.analysis.stable_modes(result, tol={tol})",
            f"metrics = dx.analysis.dynamics_metrics(result, stable_tol={tol})",
            "residuals = dx.analysis.mode_residuals(result, relative=True)",
            f"null = dx.analysis.shuffled_columns_null(compressed, shuffles={SHUFFLES}, rank=result.rank, "
            f"window=result.window, method=result.method, stable_tol={tol})",
            f"mode = result.modes([int(result.rows[{settings.mode}])])[:, 0]",
        ]
    )


def _recording(layout: Layout, layers: list[str], source: Source) -> list[str]:
    device = "" if source.device is None else f", device={str(source.device)!r}"
    common = f"max_samples={source.most_inputs}, seed={SEED}{device}"
    if layout.axis == "epoch":
        return [f"recording = dx.capture.record_epochs(model, checkpoints, inputs, {layers!r}, {common})"]
    if layout.axis != "path":
        return [f"recording = dx.record(model, inputs, layers={layers!r}, {common})"]
    after = f"images[{layout.sample + 1} % len(images)]"
    to = f", to={after}" if layout.path == "morph" else ""
    return [
        f"images = dx.record(model, inputs, layers={layers!r}, {common}).inputs",
        f"recording = dx.capture.record_path(model, images[{layout.sample}], {layers!r}, kind={layout.path!r}, "
        f"steps={layout.steps}{to}, seed={SEED}{device})",
    ]


def _snapshots(layout: Layout, layers: list[str]) -> str:
    if layout.preset != "none":
        return f"snapshots = dx.capture.{layout.preset}_snapshots(recording, {layout.sample})"
    options = "".join(f", {name}={value!r}" for name, value in layout.options.items())
    return f"snapshots = dx.snapshots(recording, {layers!r}, axis={layout.axis!r}, sample={layout.sample}{options})"


def _width(window: tuple[int, int] | None) -> str:
    return "len(snapshots.labels)" if window is None else str(window[1] - window[0])

"""Python that rebuilds a view of the Filters panel."""

from __future__ import annotations

from dyn_explorer.inspector.recorder import SEED
from dyn_explorer.inspector.source import Source

from ..base import Settings
from .options import KEPT, PERMUTATIONS, SHUFFLES, STEPS
from .profile import LayerProfiles


def code(settings: Settings, source: Source, part: str, *, has_field: bool, profiles: LayerProfiles | None) -> str:
    """Lines that need only ``model`` and ``inputs``; ``labels`` to compare classes, ``history`` to look at an epoch."""
    device = "" if source.device is None else f", device={str(source.device)!r}"
    given = profiles is not None and profiles.classes is not None and source.has_labels
    layer, base = settings.layer, settings.layer.partition("#")[0]
    chosen = f", part={part!r}" if part else ""
    lines = [
        "import dyn_explorer as dx",
        "",
        *_epoch(source),
        f"weight = dx.capture.layer_weight(model, {base!r}{chosen}, fold_batchnorm={settings.fold_batchnorm})",
        "form = {'groups': weight.groups, 'transposed': weight.transposed}",
        f"directions = dx.analysis.filter_svd(weight.values, **form, keep={KEPT})",
        "spectrum = dx.analysis.weight_spectrum(weight.values, **form, found=directions)",
        "shuffled = [",
        "    dx.analysis.weight_spectrum(weight.values, **form, shuffle=shuffle)",
        f"    for shuffle in range({SHUFFLES})",
        "]",
        f"order = dx.analysis.strongest_first(directions)[:{KEPT}]",
        f"direction = min({settings.direction}, len(order) - 1)",
        "group, place = order[direction]",
        "pattern, outward = directions.right[group, place], directions.left[group, :, place]",
        f"recording = dx.record(model, inputs, layers=[{layer!r}]{', labels=labels' * given}, "
        f"max_samples={source.most_inputs}, seed={SEED}{device})",
        f"output = {{'bias': weight.bias, 'scale': weight.scale, 'channel_dim': recording.channel_dims[{layer!r}]}}",
        "if not weight.part:",
        f"    outputs = recording.activations[{layer!r}]",
        "    signals = dx.analysis.direction_signals(outputs, directions, direction, **output)",
        *_box(layer, has_field),
        *_made(settings),
        *_profiles(settings, layer, profiles),
        f"table = dx.layer_table(model, fold_batchnorm={settings.fold_batchnorm})",
    ]
    return "\n".join(lines)


def _box(layer: str, has_field: bool) -> list[str]:
    """What the input that drives the direction furthest is looked at through."""
    if not has_field:
        return []
    return [
        "    if signals.ndim == 3:",
        f"        field = dx.capture.receptive_field(model, recording.inputs[:1], {layer!r})",
        "        sample = int(signals.flatten(1).amax(dim=1).argmax())",
        "        row, column = divmod(int(signals[sample].argmax()), signals.shape[2])",
        "        top, left, bottom, right = field.box(row, column)",
    ]


def _made(settings: Settings) -> list[str]:
    if not settings.make_image:
        return []
    return [
        "    made = dx.capture.maximise(",
        f"        model, recording.inputs, {settings.layer!r}, steps={STEPS}, seed={SEED},",
        "        score=lambda outputs: dx.analysis.direction_signals(outputs, directions, direction, **output)",
        "        .reshape(len(outputs), -1).mean(dim=1),",
        "    )",
    ]


def _profiles(settings: Settings, layer: str, found: LayerProfiles | None) -> list[str]:
    if found is None:
        return []
    given = ", directions=directions, bias=weight.bias, scale=weight.scale" * (settings.profile == "svd")
    lines = [
        "profiles = dx.analysis.profiles(",
        f"    recording.activations[{layer!r}], kind={settings.profile!r}, tau={settings.tau},",
        f"    channel_dim=recording.channel_dims[{layer!r}]{given},",
        ")",
        "profile_similarity = dx.analysis.profile_similarity(profiles)",
    ]
    if found.classes is not None:
        lines += [
            "class_profiles = dx.analysis.class_profiles(profiles, recording.labels)",
            "class_similarity = dx.analysis.profile_similarity(class_profiles)",
            "profile_separation = dx.analysis.profile_separation(",
            f"    profile_similarity, recording.labels, permutations={PERMUTATIONS}",
            ")",
        ]
    return lines


def _epoch(source: Source) -> list[str]:
    if source.epoch is None:
        return []
    return [f"model = dx.capture.copy_with(model, {source.history_code}.state({source.epoch}), 'epoch {source.epoch}')"]

"""The figures of profiles in the Filters panel."""

from __future__ import annotations

from dyn_explorer import analysis, views
from dyn_explorer.views import theme

from ..base import Card, Settings
from .options import PERMUTATIONS
from .profile import LayerProfiles
from .result import FiltersResult

WORDS = {"svd": "direction", "channel": "channel", "element": "channel (row, column)", "spatial": "(row, column)"}
OFF = "Profiles are off; choose a kind at the left."
CARDS = (
    Card(
        "profile",
        "Influential neurons of the input",
        "The neurons with the largest scores that make up the share τ of their sum, and one more, as in "
        "DeepDataProfiler (0.1 there, 0.5 here); weights are shares of what is accepted. Beside: the profile of its "
        "class: the mean over the inputs that a neuron counts in, fainter where those are few. Grey: the same over all "
        "inputs, which is what a class drawn by chance has. Directions are those that are kept (at most 20 of a "
        "group). Tap a direction.",
        half=True,
        legend=(
            ("■", theme.STABLE, "input"),
            ("■", theme.GROWING, "its class"),
            ("━", theme.NEUTRAL, "all inputs"),
        ),
    ),
    Card(
        "alike",
        "How alike profiles are",
        "Jaccard index of the sets of influential neurons, sorted by class; grey where neither has any. The summary "
        "gives the mean within and between classes, beside the same with permuted labels (our measure). Tap a row to "
        "choose the input, or of classes the input most like the class.",
        half=True,
    ),
)


def make_views() -> dict[str, views.View]:
    """A view per card."""
    return {"profile": views.ProfileBars(), "alike": views.ProfileMap()}


def draw(shown: dict[str, views.View], result: FiltersResult, settings: Settings) -> None:
    """Draw the chosen input's profile and the similarities, or say why there are none."""
    profiles = result.profiles
    if settings.profile == "off" or result.profiles_reason:
        for name in ("profile", "alike"):
            shown[name].blank(OFF if settings.profile == "off" else f"No profiles: {result.profiles_reason}")
    elif profiles is not None:
        for name in ("profile", "alike"):
            shown[name].figure.visible = True
        _draw_bars(shown["profile"], result, profiles, settings.sample)
        if profiles.classes is None:
            shown["alike"].blank(profiles.reason)
        else:
            _draw_map(shown["alike"], profiles, settings)


def _draw_bars(view: views.ProfileBars, result: FiltersResult, profiles: LayerProfiles, sample: int) -> None:
    found, everyone, classes = profiles.found, profiles.everyone, profiles.classes
    of_class = {}
    if classes is not None:
        code = int(classes.codes[sample])
        of_class = {
            "of_class": classes.profiles.weights[code],
            "class_counts": classes.profiles.counts[code],
            "class_size": int((classes.codes == code).sum()),
            "class_name": classes.names[code],
        }
    # Only directions that the grid of patterns shows can be chosen.
    rows = [int(k) if found.kind == "svd" and k < len(result.directions) else -1 for k in profiles.neurons]
    view.update(
        profiles.names(),
        found.weights[sample],
        everyone=everyone.weights[0],
        counts=everyone.counts[0],
        n_inputs=len(found.weights),
        word=WORDS["channel" if found.kind == "element" and not profiles.grid else found.kind],
        name=f"input {sample}",
        rows=rows,
        selected=result.direction,
        total=profiles.total,
        **of_class,
    )


def _draw_map(view: views.ProfileMap, profiles: LayerProfiles, settings: Settings) -> None:
    classes = profiles.classes
    if settings.compare == "classes":
        code = int(classes.codes[settings.sample])
        view.update(
            classes.similarity,
            classes.names,
            names=[f"class {name}" for name in classes.names],
            rows=classes.exemplars,
            word="class",
            note=in_words(profiles),
            selected=classes.exemplars[code],
        )
        return
    view.update(
        classes.of_inputs,
        [classes.names[code] for code in classes.codes[classes.order]],
        names=[f"input {sample}" for sample in classes.order],
        rows=classes.order.tolist(),
        note=in_words(profiles),
        selected=settings.sample,
    )


def in_words(profiles: LayerProfiles) -> str:
    """The mean similarities of inputs beside their null."""
    found = profiles.classes.separation
    return (
        f"Of inputs the mean is {found.within:.3f} within classes and {found.between:.3f} between: "
        f"{found.difference:+.3f}, and {null_in_words(found)} with permuted labels "
        f"({PERMUTATIONS} draws)."
    )


def null_in_words(found: analysis.ProfileSeparation) -> str:
    """The difference that permuted labels leave."""
    return f"{round(found.null.mean(), 3) + 0.0:+.3f} ± {found.null.std():.3f}"

"""Descriptions of the controls that a panel shows; the browser draws them, a change comes back by name."""

from __future__ import annotations

import re


def menu(name: str, label: str, value, options: list[tuple[str, str, str]], hint: str = "") -> dict:
    """One of several named options, each (value, label, one-sentence help)."""
    shown = [{"value": key, "label": text, "help": about} for key, text, about in options]
    return {"kind": "menu", "name": name, "label": label, "value": value, "options": shown, "help": hint}


def slider(name: str, label: str, value, low, high, step, hint: str = "", *, digits: int = 2) -> dict:
    """A number between two limits."""
    return {
        "kind": "slider",
        "name": name,
        "label": label,
        "value": value,
        "min": low,
        "max": high,
        "step": step,
        "digits": digits,
        "help": hint,
    }


def span(name: str, label: str, value, low: int, high: int, least: int, hint: str = "") -> dict:
    """Two integers (start, stop) between two limits, at least `least` apart."""
    return {
        "kind": "span",
        "name": name,
        "label": label,
        "value": list(value),
        "min": low,
        "max": high,
        "least": least,
        "help": hint,
    }


def rank(name: str, value, effective: int, most: int, presets: list[tuple[object, str, str]], hint: str = "") -> dict:
    """A rank slider over 1..most with presets that let the data choose; shows the rank in force."""
    shown = [{"value": key, "label": text, "help": about} for key, text, about in presets]
    return {
        "kind": "rank",
        "name": name,
        "label": "Rank r",
        "value": value,
        "effective": effective,
        "min": 1,
        "max": most,
        "presets": shown,
        "help": hint,
    }


def stops(name: str, label: str, value, places: list[tuple[object, str]], hint: str = "") -> dict:
    """A slider from one value to the next, each (value, label), that can play them one after the other."""
    return {
        "kind": "stops",
        "name": name,
        "label": label,
        "value": value,
        "values": [place for place, _ in places],
        "labels": [text for _, text in places],
        "help": hint,
    }


def toggle(name: str, label: str, value: bool, hint: str = "") -> dict:
    """Something that is on or off."""
    return {"kind": "toggle", "name": name, "label": label, "value": value, "help": hint}


def grouped(title: str, controls: list[dict], *, folded: bool = False) -> list[dict]:
    """The same controls under a heading that folds them away."""
    return [{**control, "group": title, "folded": folded} for control in controls]


def in_page_words(text: str, controls: list[dict]) -> str:
    """A message in the words of the page: an argument that a menu there stands for becomes the menu's own labels.

    Examples
    --------
    >>> axes = menu("axis", "Snapshots are", "channel", [("channel", "Channels", ""), ("sample", "Inputs", "")])
    >>> in_page_words("use axis='sample', or size=3", [axes])
    'use “Snapshots are: Inputs”, or size=3'
    """
    menus = {control["name"].split(".")[-1]: control for control in controls if control["kind"] == "menu"}

    def words(found: re.Match) -> str:
        control = menus.get(found["name"], {"options": []})
        labels = [option["label"] for option in control["options"] if option["value"] == found["value"]]
        return f"“{control['label']}: {labels[0]}”" if labels else found[0]

    return re.sub(r"\b(?P<name>\w+)='(?P<value>\w+)'", words, text)

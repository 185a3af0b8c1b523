"""Colours: readable on their ground, and each with a dark twin of its own."""

import pytest

from widgets.ui.theme import DARK, LIGHT, SWAP


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_no_colour_stands_for_two_things():
    assert len(set(LIGHT.values())) == len(LIGHT) == len(DARK) == len(SWAP)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("text", ["ink", "quiet", "first", "second", "neutral"])
def test_text_and_marks_can_be_read(theme, text):
    assert contrast(theme[text], theme["paper"]) >= 4.5
    if text in ("ink", "quiet"):
        assert contrast(theme[text], theme["box"]) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["stated", "partly", "missing"])
def test_words_can_be_read_on_each_ground(theme, ground):
    assert contrast(theme["ink"], theme[ground]) >= 4.5

"""Figures of the trials room: boxes and arrows drawn from the records."""

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

from widgets.ui.theme import LIGHT, layout, no_axis

Figure = dict[str, Any]
FLOW_WIDTH = 50  # characters in a box of the flow


def _box(x0: float, y0: float, x1: float, y1: float, colour: str, dashed: bool = False) -> dict[str, Any]:
    return {
        "type": "rect", "x0": x0, "y0": y0, "x1": x1, "y1": y1, "fillcolor": LIGHT["box"], "layer": "below",
        "line": {"color": colour, "width": 1.5, "dash": "4px,3px" if dashed else "solid"},
    }  # fmt: skip


def _lines(text: str, width: int) -> list[str]:
    return wrap(text, width, break_long_words=False)


def _words_in(text: str, x: float, y: float, width: int, **more: Any) -> dict[str, Any]:
    return {"text": "<br>".join(_lines(text, width)), "x": x, "y": y, "showarrow": False, "font": {"size": 12}} | more


def _arrow(x: float, y_from: float, y_to: float, x_from: float | None = None) -> dict[str, Any]:
    return {
        "x": x, "y": y_to, "ax": x if x_from is None else x_from, "ay": y_from, "xref": "x", "yref": "y",
        "axref": "x", "ayref": "y", "showarrow": True, "arrowhead": 2, "arrowwidth": 1.5,
        "arrowcolor": LIGHT["quiet"], "text": "",
    }  # fmt: skip


def _canvas(title: str, shapes: list, annotations: list, width: float, top: float, **more: Any) -> Figure:
    return {
        "data": [{"type": "scatter", "x": [None], "y": [None], "showlegend": False, "hoverinfo": "skip"}],
        "layout": layout(
            title,
            margin={"l": 8, "r": 8, "t": 56, "b": 8},
            xaxis=no_axis(range=[0, width]),
            yaxis=no_axis(range=[0, top]),
            shapes=shapes,
            annotations=annotations,
            **more,
        ),
    }


def questions(columns: Sequence[tuple[str, str, Mapping[str, str]]], parts: Mapping[str, str], title: str) -> Figure:
    """One column per trial: its name, its allocation, and the parts of its question."""
    shapes, annotations = [], []
    top = len(parts) + 0.6
    for c, (name, allocation, texts) in enumerate(columns):
        middle = c + 0.5
        randomised = not allocation.startswith("not")
        annotations.append(_words_in(f"<b>{name}</b>", middle, top - 0.02, 40, yanchor="top", font={"size": 14}))
        annotations.append(
            _words_in(allocation, middle, top - 0.26, 40, yanchor="top", font={"size": 12, "color": LIGHT["quiet"]})
        )
        for r, part in enumerate(parts):
            y = len(parts) - 1 - r
            shapes.append(_box(c + 0.03, y + 0.04, c + 0.97, y + 0.94, LIGHT["quiet"], not randomised))
            annotations.append(
                _words_in(
                    parts[part],
                    c + 0.06,
                    y + 0.92,
                    40,
                    xanchor="left",
                    yanchor="top",
                    font={"size": 11, "color": LIGHT["quiet"]},
                )
            )
            annotations.append(_words_in(texts[part], middle, y + 0.42, 26, yanchor="middle"))
    return _canvas(title, shapes, annotations, len(columns), top, height=640)


def flow(
    head: Sequence[tuple[str, str, bool]],
    arms: Sequence[tuple[str, Sequence[tuple[str, str, bool]]]],
    title: str,
) -> Figure:
    """Boxes from top to bottom: `head` for all patients, then one column per arm.

    Each box is (stage, text, stated); a box whose count is not stated has a dashed edge.
    """
    levels = [[box] for box in head] + [list(row) for row in zip(*(boxes for _, boxes in arms), strict=True)]
    lines = [max(len(_lines(f"{stage}: {text}", FLOW_WIDTH)) for stage, text, _ in level) for level in levels]
    heights = [0.62 + 0.26 * count for count in lines]
    tops = [sum(heights[level:]) for level in range(len(levels))]
    shapes, annotations = [], []
    middle = len(arms) / 2
    gap = 0.13
    for number, (level, top, height) in enumerate(zip(levels, tops, heights, strict=True)):
        shared = number < len(head)
        for c, (stage, text, stated) in enumerate(level):
            centre = middle if shared else c + 0.5
            colour = LIGHT["quiet"] if shared else (LIGHT["first"], LIGHT["second"])[c]
            shapes.append(_box(centre - 0.46, top - height + gap, centre + 0.46, top - gap, colour, not stated))
            annotations.append(_words_in(f"{stage}: {text}", centre, top - height / 2, FLOW_WIDTH))
            if number:
                start = middle if number == len(head) else centre
                annotations.append(_arrow(centre, top + gap, top - gap, start))
    return _canvas(title, shapes, annotations, len(arms), tops[0], height=int(70 + 62 * tops[0]))

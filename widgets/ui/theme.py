"""Colours, dashes and marks. Arms differ by colour and dash and mark and by a label beside them.

Figures are drawn in the light theme; the page swaps each colour for its dark twin when
JupyterLab is dark, so a colour must not stand for two things in LIGHT.
"""

from typing import Any

LIGHT = {
    "paper": "#ffffff",
    "ink": "#1f1f1f",
    "quiet": "#595959",
    "grid": "#dedede",
    "box": "#f3f3f1",
    "first": "#0b5fa5",  # the experimental arm
    "second": "#a84300",  # the arm it is compared with
    "neutral": "#6b6b6a",
    "stated": "#d5e6d8",
    "partly": "#f4e6bd",
    "missing": "#e7e7e6",
}
DARK = {
    "paper": "#111111",
    "ink": "#ededed",
    "quiet": "#b8b8b8",
    "grid": "#444444",
    "box": "#262626",
    "first": "#7cbcf5",
    "second": "#ffa25f",
    "neutral": "#a0a0a0",
    "stated": "#24452b",
    "partly": "#574814",
    "missing": "#333333",
}
SWAP = {LIGHT[name]: DARK[name] for name in LIGHT}

FONT = "system-ui, 'Segoe UI', 'Liberation Sans', Arial, sans-serif"


def layout(title: str, **more: Any) -> dict[str, Any]:
    """The layout every figure starts from: our font and colours, no template, nothing to drag."""
    base: dict[str, Any] = {
        "template": "none",
        "title": {
            "text": title, "x": 0, "xref": "container", "xanchor": "left", "pad": {"l": 8, "t": 14},
            "y": 1, "yref": "container", "yanchor": "top", "font": {"size": 16},
        },
        "font": {"family": FONT, "size": 13, "color": LIGHT["ink"]},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 64, "r": 24, "t": 64, "b": 56},
        "height": 430,
        "dragmode": False,
        "hovermode": "closest",
        "hoverlabel": {"bgcolor": LIGHT["box"], "font": {"color": LIGHT["ink"]}},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "uirevision": "keep",
    }  # fmt: skip
    return base | more


def axis(title: str, **more: Any) -> dict[str, Any]:
    """An axis with quiet grid lines that cannot be dragged."""
    return {
        "title": {"text": title, "standoff": 8},
        "gridcolor": LIGHT["grid"],
        "linecolor": LIGHT["quiet"],
        "zeroline": False,
        "ticks": "outside",
        "tickcolor": LIGHT["quiet"],
        "fixedrange": True,
        "automargin": True,
    } | more


def no_axis(**more: Any) -> dict[str, Any]:
    """An axis that is only a coordinate."""
    return {"visible": False, "fixedrange": True} | more


def pattern(fill: str, lines: str) -> dict[str, Any]:
    """Hatching that is not colour alone: `lines` over `fill`."""
    return {"shape": "/", "bgcolor": fill, "fgcolor": lines, "fillmode": "overlay", "solidity": 0.35, "size": 6}

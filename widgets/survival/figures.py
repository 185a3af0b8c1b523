"""Figures of the survival room: published numbers in, plotly figures (as dicts) out."""

from collections.abc import Callable, Mapping, Sequence
from math import log
from textwrap import wrap
from typing import Any

from widgets.survival.published import Landmark
from widgets.ui.theme import LIGHT, axis, layout, no_axis, pattern

Figure = dict[str, Any]
COLOUR = {"combined": LIGHT["first"], "systemic": LIGHT["second"]}
DASH = {"combined": "solid", "systemic": "6px,4px"}
SYMBOL = {
    ("2012", "combined"): "diamond-open",
    ("2012", "systemic"): "cross-open",
    ("2017", "combined"): "circle",
    ("2017", "systemic"): "square",
}
# Arms stand a little apart, so that their intervals can be told apart.
APART = {"combined": -0.8, "systemic": 0.8}

SCALES: dict[str, Callable[[float], float]] = {
    "survival": lambda s: 100 * s,
    "cumulative_hazard": lambda s: -log(s),
    "log_log": lambda s: log(-log(s)),
}


def overall_survival(
    points: Sequence[Landmark],
    medians: Sequence[Mapping[str, Any]],
    scale: str,
    interval: bool,
    words: Mapping[str, Any],
    arm_names: Mapping[str, str],
) -> Figure:
    """Landmarks above, medians in a strip below on the same time axis; nothing is joined."""
    on_scale = SCALES[scale]
    groups = list(dict.fromkeys((point.report, point.arm) for point in points))
    traces: list[dict[str, Any]] = []
    for report, arm in groups:
        own = [point for point in points if (point.report, point.arm) == (report, arm)]
        times = [point.months + APART[arm] for point in own]
        name = words["names"][report].format(arm=arm_names[arm])
        if interval:
            traces.append(_limits(times, [(on_scale(p.lower), on_scale(p.upper)) for p in own], arm))
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": name,
                "x": times,
                "y": [on_scale(point.survival) for point in own],
                "marker": _marker(report, arm, 11),
                "customdata": [point.months for point in own],
                "hovertemplate": [
                    f"{name}<br>{p.months}: {100 * p.survival:.1f} % "
                    f"({100 * p.lower:.1f}–{100 * p.upper:.1f})<extra></extra>"
                    for p in own
                ],
            }
        )
        traces.append(_labels(own, times, scale, interval, arm_names[arm]))
    ticks = [12, 24, 30, 36, 48, 60, 72, 84, 96, 108]
    time = axis(words["x"], tickvals=ticks, ticktext=[str(t) for t in ticks], domain=[0, 1], anchor="y2")
    time |= {"type": "log", "range": [log(20, 10), log(125, 10)]} if scale == "log_log" else {"range": [0, 112]}
    ranges = {"survival": [0, 100], "cumulative_hazard": [0, 3.7], "log_log": [-1.6, 1.5]}
    rows = len(medians)
    return {
        "data": traces + _medians(medians, interval),
        "layout": layout(
            words["title" if scale == "survival" else "title_computed"],
            height=410 + 22 * rows,
            margin={"l": 76, "r": 40, "t": 88 if len(groups) <= 2 else 112, "b": 56},
            xaxis=time,
            yaxis=axis(words["y"][scale], range=ranges[scale], domain=[0.2 + 0.04 * rows, 1]),
            yaxis2=axis(
                words["strip"],
                range=[0.3, rows + 0.7],
                domain=[0, 0.08 + 0.04 * rows],
                tickvals=list(range(rows, 0, -1)),
                ticktext=[f"{arm_names[median['arm']]} {median['report']}" for median in medians],
                showgrid=False,
            ),
        ),
    }


def _marker(report: str, arm: str, size: int) -> dict[str, Any]:
    colour = COLOUR[arm]
    return {"symbol": SYMBOL[report, arm], "size": size, "color": colour, "line": {"width": 2, "color": colour}}


def _labels(
    own: Sequence[Landmark], times: Sequence[float], scale: str, interval: bool, arm_name: str
) -> dict[str, Any]:
    """The estimates as text, at the end of each interval that looks away from the other arm."""
    on_scale = SCALES[scale]
    best = own[0].arm == "combined"  # the arm whose survival lies higher
    above = best == (scale == "survival")
    ends = [on_scale(p.upper if best else p.lower) if interval else on_scale(p.survival) for p in own]
    if interval:
        side = "left" if own[0].report == "2012" else "center"
        place = f"{'top' if above else 'bottom'} {side}"
    else:
        place = f"middle {'left' if best else 'right'}"
    texts = []
    for point in own:
        value = (
            point.published.result.estimate
            if scale == "survival"
            else f"{on_scale(point.survival):.2f}".replace("-", "−")
        )
        texts.append(f"  {arm_name} {value}  " if point.months in (30, 96) else f"  {value}  ")
    return {
        "type": "scatter",
        "mode": "text",
        "x": times,
        "y": ends,
        "text": texts,
        "textposition": place,
        "textfont": {"color": COLOUR[own[0].arm]},
        "cliponaxis": False,
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _limits(times: Sequence[float], limits: Sequence[tuple[float, float]], arm: str) -> dict[str, Any]:
    xs: list[float | None] = []
    ys: list[float | None] = []
    for time, (lower, upper) in zip(times, limits, strict=True):
        xs += [time, time, None]
        ys += [lower, upper, None]
    return _line(xs, ys, arm)


def _line(xs: Sequence, ys: Sequence, arm: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": xs,
        "y": ys,
        "line": {"color": COLOUR[arm], "width": 2, "dash": DASH[arm]},
        "hoverinfo": "skip",
        "showlegend": False,
    } | more


def _medians(medians: Sequence[Mapping[str, Any]], interval: bool) -> list[dict[str, Any]]:
    traces = []
    for row, median in enumerate(reversed(medians), start=1):
        arm, limits = median["arm"], interval and median["lower"] is not None
        if limits:
            traces.append(_line([median["lower"], median["upper"]], [row, row], arm, yaxis="y2"))
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [median["estimate"]],
                "y": [row],
                "yaxis": "y2",
                "showlegend": False,
                "marker": _marker(median["report"], arm, 10),
                "hovertemplate": f"{median['text']}<extra></extra>",
            }
        )
        traces.append(
            {
                "type": "scatter",
                "mode": "text",
                "x": [median["upper"] if limits else median["estimate"]],
                "y": [row],
                "yaxis": "y2",
                "text": [f"   {median['text']}" if interval else f"   {median['estimate']}"],
                "textposition": "middle right",
                "textfont": {"color": COLOUR[arm]},
                "cliponaxis": False,
                "hoverinfo": "skip",
                "showlegend": False,
            }
        )
    return traces


def differences(rows: Sequence[Mapping[str, Any]], measure: str, words: Mapping[str, Any]) -> Figure:
    """One row per contrast: estimate, interval, the line of no effect. `rows` from top to bottom."""
    height = len(rows)
    no_effect = 1 if measure == "ratio" else 0
    traces: list[dict[str, Any]] = []
    for place, row in enumerate(rows):
        y = height - place
        colour = LIGHT["neutral"] if row["kind"] == "hr" else LIGHT["ink"]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": [row["lower"], row["upper"]],
                "y": [y, y],
                "line": {"color": colour, "width": 2, "dash": "dot" if row["report"] == "2012" else "solid"},
                "hoverinfo": "skip",
                "showlegend": False,
            }
        )
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [row["estimate"]],
                "y": [y],
                "marker": {
                    "symbol": {"2012": "diamond-open", "2017": "circle"}[row["report"]]
                    if row["kind"] == "contrast"
                    else "square-x-open",
                    "size": 12,
                    "color": colour,
                    "line": {"width": 2},
                },
                "customdata": [row["months"]],
                "hovertemplate": f"{row['label']}: {row['text']}<extra></extra>",
                "showlegend": False,
            }
        )
        traces.append(
            {
                "type": "scatter",
                "mode": "text",
                "x": [row["upper"]],
                "y": [y],
                "text": [f"   {row['text']}"],
                "textposition": "middle right",
                "hoverinfo": "skip",
                "showlegend": False,
                "cliponaxis": False,
            }
        )
    ranges = {"points": [-24, 66], "per_100": [-24, 60], "ratio": [log(0.3, 10), log(2.4, 10)]}
    ticks = {"ratio": {"type": "log", "tickvals": [0.3, 0.5, 0.7, 1, 1.5, 2]}}
    return {
        "data": traces,
        "layout": layout(
            words["title"][measure],
            height=150 + 56 * height,
            xaxis=axis(words["x"][measure], range=ranges[measure], **ticks.get(measure, {})),
            yaxis=axis(
                "",
                range=[0.4, height + 0.7],
                tickvals=[height - place for place in range(height)],
                ticktext=[row["label"] for row in rows],
                showgrid=False,
            ),
            shapes=[
                {
                    "type": "line", "x0": no_effect, "x1": no_effect, "yref": "paper", "y0": 0, "y1": 1,
                    "line": {"color": LIGHT["quiet"], "width": 1.5, "dash": "4px,4px"},
                }
            ],
            annotations=[
                {
                    "x": log(no_effect, 10) if measure == "ratio" else no_effect, "y": 1, "yref": "paper",
                    "yanchor": "bottom", "text": words["no_effect"], "showarrow": False,
                    "font": {"size": 12, "color": LIGHT["quiet"]},
                }
            ],
        ),
    }  # fmt: skip


def icon_arrays(
    counts: Mapping[str, tuple[int, int, int]],
    interval: bool,
    title: str,
    arm_titles: Mapping[str, str],
    kinds: Mapping[str, str],
) -> Figure:
    """One hundred squares per arm. `counts` gives alive at the lower limit, estimate, upper limit."""
    traces: list[dict[str, Any]] = []
    gap = 12.5
    for position, arm in enumerate(counts):
        lower, estimate, upper = counts[arm]
        bands = (
            [
                ("alive", 0, lower),
                ("perhaps_alive", lower, estimate),
                ("perhaps_dead", estimate, upper),
                ("dead", upper, 100),
            ]
            if interval
            else [("plain_alive", 0, estimate), ("plain_dead", estimate, 100)]
        )
        traces += [
            _squares(range(start, stop), arm, kind, kinds[kind], position * gap)
            for kind, start, stop in bands
            if stop > start
        ]
    return {
        "data": traces,
        "layout": layout(
            title,
            height=470,
            margin={"l": 16, "r": 16, "t": 64, "b": 96},
            bargap=0,
            barmode="overlay",
            xaxis=no_axis(range=[-0.6, gap + 10.1]),
            yaxis=no_axis(range=[-0.2, 11.2], scaleanchor="x"),
            legend={"orientation": "h", "x": 0, "y": -0.02, "yanchor": "top"},
            annotations=[
                {
                    "x": position * gap + 4.5, "y": 10.35, "yanchor": "bottom", "text": arm_titles[arm],
                    "showarrow": False, "font": {"size": 15, "color": COLOUR[arm]},
                }
                for position, arm in enumerate(counts)
            ],
        ),
    }  # fmt: skip


def _squares(numbers: Sequence[int], arm: str, kind: str, name: str, shift: float) -> dict[str, Any]:
    """Squares number 0 to 99, filled from the top left, row by row."""
    fill = {
        "alive": COLOUR[arm], "plain_alive": COLOUR[arm], "perhaps_alive": COLOUR[arm],
        "perhaps_dead": LIGHT["missing"], "dead": LIGHT["missing"], "plain_dead": LIGHT["missing"],
    }[kind]  # fmt: skip
    hatch = {"perhaps_alive": LIGHT["paper"], "perhaps_dead": COLOUR[arm]}.get(kind)
    return {
        "type": "bar",
        "name": f"{name}",
        "x": [shift + number % 10 for number in numbers],
        "base": [9 - number // 10 for number in numbers],
        "y": [0.86] * len(numbers),
        "width": 0.86,
        "marker": {
            "color": fill,
            "line": {"color": COLOUR[arm] if kind != "dead" else LIGHT["quiet"], "width": 1},
            "pattern": pattern(fill, hatch) if hatch else {"shape": ""},
        },
        "hovertemplate": f"{name}<extra></extra>",
        "showlegend": arm == "combined",
    }


def statements(
    columns: Sequence[str],
    rows: Sequence[tuple[str, Sequence[tuple[str, str]]]],
    title: str,
    states: Mapping[str, str],
) -> Figure:
    """A grid of what is said: `rows` hold a name and, per column, a state and its text."""
    colour = {"stated": LIGHT["stated"], "partly": LIGHT["partly"], "missing": LIGHT["missing"]}
    sign = {"stated": "●", "partly": "◐", "missing": "○"}
    height = len(rows)
    shapes, annotations = [], []
    for r, (name, cells) in enumerate(rows):
        y = height - 1 - r
        annotations.append(_text(name, -0.01, y + 0.5, xref="paper", xanchor="right", align="right"))
        for c, (state, text) in enumerate(cells):
            shapes.append(
                {
                    "type": "rect", "x0": c + 0.01, "x1": c + 0.99, "y0": y + 0.04, "y1": y + 0.96,
                    "fillcolor": colour[state], "line": {"width": 0}, "layer": "below",
                }
            )  # fmt: skip
            lines = "<br>".join(wrap(f"{sign[state]} {text}", 34))
            annotations.append(_text(lines, c + 0.03, y + 0.5, xanchor="left"))
    annotations += [
        _text(f"<b>{name}</b>", c + 0.03, 1, yref="paper", xanchor="left", yanchor="bottom")
        for c, name in enumerate(columns)
    ]
    key = "   ".join(f"{sign[state]} {states[state]}" for state in sign)
    annotations.append(_text(key, 0, -0.01, xref="paper", yref="paper", xanchor="left", yanchor="top"))
    return {
        "data": [{"type": "scatter", "x": [None], "y": [None], "showlegend": False}],
        "layout": layout(
            title,
            height=130 + 46 * height,
            margin={"l": 230, "r": 16, "t": 76, "b": 40},
            xaxis=no_axis(range=[0, len(columns)]),
            yaxis=no_axis(range=[0, height]),
            shapes=shapes,
            annotations=annotations,
        ),
    }


def _text(text: str, x: float, y: float, **more: Any) -> dict[str, Any]:
    return {"text": text, "x": x, "y": y, "showarrow": False, "align": "left", "font": {"size": 13}} | more


def binomial_target(
    probabilities: Sequence[float], alive: int, words: Mapping[str, Any], title: str, seen: str, short: str
) -> Figure:
    """The binomial distribution under the target; what was seen, or more, stands out."""
    n = len(probabilities) - 1
    hatched = pattern(LIGHT["first"], LIGHT["paper"])
    parts = [
        (short, range(alive), LIGHT["missing"], {"shape": ""}),
        (seen, range(alive, n + 1), LIGHT["first"], hatched),
    ]
    return {
        "data": [
            {
                "type": "bar",
                "name": name,
                "x": list(numbers),
                "y": [100 * probabilities[k] for k in numbers],
                "marker": {
                    "color": colour, "line": {"color": LIGHT["quiet"], "width": 1},
                    "pattern": shape,
                },
                "hovertemplate": "%{x}: %{y:.2f} %<extra></extra>",
            }
            for name, numbers, colour, shape in parts
        ],
        "layout": layout(
            title,
            height=360,
            margin={"l": 64, "r": 24, "t": 88, "b": 56},
            bargap=0.1,
            xaxis=axis(words["x"], range=[-0.6, n + 0.6], showgrid=False),
            yaxis=axis(words["y"], rangemode="tozero"),
            shapes=[
                {
                    "type": "line", "x0": alive - 0.5, "x1": alive - 0.5, "yref": "paper", "y0": 0, "y1": 1,
                    "line": {"color": LIGHT["ink"], "width": 1.5, "dash": "4px,4px"},
                }
            ],
        ),
    }  # fmt: skip

"""Exhibits of the survival room. They share one selection."""

from decimal import Decimal
from math import comb
from pathlib import Path
from typing import Any

import traitlets

from widgets.records.library import Published, records
from widgets.survival import figures, published
from widgets.survival.binomial import clopper_pearson, exceedance, least_passing
from widgets.survival.published import ARMS, REPORTS, TRIAL, Contrast, Landmark
from widgets.ui.exhibit import Exhibit, Lab, State, View
from widgets.ui.table import Mark, Row, Table
from widgets.ui.words import catalogue

FOLDER = Path(__file__).parent
ALPHA = 0.05  # of the single-arm test; the reports state none


class SurvivalSelection(traitlets.HasTraits):
    """What the exhibits of this room have in common."""

    report = traitlets.Enum(["2012", "2017", "both"], "2017")
    arms = traitlets.Enum(["both", *ARMS], "both")
    interval = traitlets.Bool(True)
    scale = traitlets.Enum(list(figures.SCALES), "survival")
    measure = traitlets.Enum(["points", "per_100", "ratio"], "points")
    months = traitlets.Enum([time for times in REPORTS.values() for time in times], 96)
    endpoint = traitlets.Enum(["all", "pfs", "hepatic", "extrahepatic", "harms"], "all")


class SurvivalExhibit(Exhibit):
    selection_type = SurvivalSelection
    folder = FOLDER


def _room() -> dict[str, Any]:
    return catalogue(FOLDER)


def _reports(report: str) -> list[str]:
    return list(REPORTS) if report == "both" else [report]


def _times(months: int | str) -> str:
    return _room()["times"][str(months)]


def rounded(value: float, digits: int) -> Decimal:
    """A computed value at the precision it is shown with."""
    return round(Decimal(value), digits)


def signed(value: float, digits: int = 1) -> str:
    """A difference with its sign, as people write it: +1.7, −16.4, 0."""
    number = rounded(value, digits)
    return f"{'+' if number > 0 else '−' if number < 0 else ''}{abs(number)}"


def p_value(p: float) -> str:
    """A computed P value: two significant digits, never 0."""
    return "< 0.0001" if p < 0.0001 else f"{p:.2g}"


class OverallSurvival(SurvivalExhibit):
    """Overall survival in CLOCC as the reports print it: landmarks and medians, nothing between them."""

    controls = ("report", "arms", "interval", "scale")

    def on_event(self, event: dict[str, Any]) -> None:
        """A click on a landmark sets the time that the icon arrays show; their own control is its twin."""
        if event.get("kind") == "click" and event["points"] and event["points"][0]["customdata"]:
            self.selection.months = event["points"][0]["customdata"]

    def render(self, state: State) -> View:
        arms = ARMS if state["arms"] == "both" else (state["arms"],)
        reports = _reports(state["report"])
        points = [
            published.landmark(report, arm, months)
            for report in reports
            for arm in arms
            for months in REPORTS[report]
        ]
        medians = [records().result(f"{TRIAL}.{report}.os.median.{arm}") for report in reports for arm in arms]
        names = _room()["arms"]
        figure = figures.overall_survival(
            points, [self._median(one) for one in medians], state["scale"], state["interval"], self.words, names
        )
        rows = [self._landmark_row(point, state) for point in points] + [self._median_row(one) for one in medians]
        return View(figure, self._say(points, state), Table(self.words["caption"], rows), self._key(points))

    def _median(self, one: Published) -> dict[str, Any]:
        result, limits = one.result, one.result.limits
        text = f"{result.estimate} {result.unit}" + (f" ({limits.lower}–{limits.upper})" if limits else "")
        return {
            "arm": result.arm,
            "report": one.analysis.id,
            "estimate": float(result.estimate),
            "lower": float(limits.lower) if limits else None,
            "upper": float(limits.upper) if limits else None,
            "text": text,
        }

    def _landmark_row(self, point: Landmark, state: State) -> Row:
        result, limits = point.published.result, point.published.result.limits
        values: list[Any] = [result.estimate, limits.lower, limits.upper]
        method = limits.method
        if state["scale"] != "survival":
            on_scale = figures.SCALES[state["scale"]]
            ends = sorted((point.lower, point.upper), key=on_scale)
            values = [rounded(on_scale(value), 2) for value in (point.survival, *ends)]
            method = "on_scale"
        unit = self.words["unit"][state["scale"]]
        return self._row(point.published, self.words["landmark"], _times(point.months), values, unit, method)

    def _median_row(self, one: Published) -> Row:
        limits = one.result.limits
        words = _room()["methods"]["NOT_STATED"]
        values = [one.result.estimate, limits.lower if limits else words, limits.upper if limits else words]
        return self._row(
            one, self.words["median"], "–", values, one.result.unit, limits.method if limits else "NOT_STATED"
        )

    def _row(self, one: Published, quantity: str, time: str, values: list[Any], unit: str, method: str) -> Row:
        columns, limits = _room()["columns"], one.result.limits
        estimate, lower, upper = values
        cells = {
            columns["quantity"]: quantity,
            columns["report"]: one.analysis.id,
            columns["arm"]: _room()["arms"][one.result.arm],
            columns["time"]: time,
            columns["estimate"]: estimate,
            columns["lower"]: lower,
            columns["upper"]: upper,
            columns["level"]: limits.level if limits else _room()["methods"]["NOT_STATED"],
            columns["unit"]: unit,
            columns["method"]: _room()["methods"][method],
        }
        return Row(cells, (Mark.of(one),))

    def _say(self, points: list[Landmark], state: State) -> str:
        words = self.words["summary"]
        said = {}
        for point in points:
            result = point.published.result
            form = words["estimate"] if state["interval"] else words["bare"]
            limits = {"lower": result.limits.lower, "upper": result.limits.upper} if state["interval"] else {}
            said[point.report, point.arm, point.months] = form.format(estimate=result.estimate, **limits)
        parts = []
        for report in _reports(state["report"]):
            if state["arms"] == "both":
                values = {f"{arm[0]}{months}": text for (r, arm, months), text in said.items() if r == report}
                parts.append(words[report].format(combined=values.get("c30"), systemic=values.get("s30"), **values))
            else:
                values = {f"e{months}": text for (r, _, months), text in said.items() if r == report}
                arm = _room()["arms"][state["arms"]].lower()
                parts.append(words["one"][report].format(arm=arm, **values))
        if len(parts) == 1:
            return parts[0]
        return words["both"].format(first=parts[0], second=parts[1])

    def _key(self, points: list[Landmark]) -> str:
        last = [point for point in points if point.months == points[-1].months]
        return f"{last[-1].months} months " + "/".join(str(p.published.result.estimate) for p in last)


class Differences(SurvivalExhibit):
    """Combined against systemic treatment at each landmark, each with its interval."""

    controls = ("report", "measure")

    def render(self, state: State) -> View:
        measure = state["measure"]
        contrasts = [
            (published.risk_ratio if measure == "ratio" else published.difference)(report, months)
            for report in _reports(state["report"])
            for months in REPORTS[report]
        ]
        drawn = [self._drawn(one, measure) for one in contrasts]
        rows = [self._row(one, measure) for one in contrasts]
        parts = [
            self.words["summary"][measure].format(time=_times(one.months), **self._numbers(one, measure))
            for one in contrasts
        ]
        if state["report"] != "2012":
            hazard = records().result(f"{TRIAL}.2017.os.hr")
            rows.append(self._published_row(hazard))
            rows.append(self._median_row())
            if measure == "ratio":
                drawn.append(self._drawn_hazard_ratio(hazard))
                limits = hazard.result.limits
                parts.append(
                    self.words["summary"]["hr"].format(
                        estimate=hazard.result.estimate, lower=limits.lower, upper=limits.upper
                    )
                )
        summary = self.words["summary"]["lead"][measure].format(parts="; ".join(parts))
        key = f"{contrasts[-1].months} months {drawn[len(contrasts) - 1]['text']}"
        return View(figures.differences(drawn, measure, self.words), summary, Table(self.words["caption"], rows), key)

    def _numbers(self, one: Contrast, measure: str) -> dict[str, str]:
        values = (one.estimate, one.lower, one.upper)
        if measure == "ratio":
            texts = [str(rounded(value, 2)) for value in values]
        else:
            texts = [signed(value, 0 if measure == "per_100" else 1) for value in values]
        return dict(zip(("estimate", "lower", "upper"), texts, strict=True))

    def _drawn(self, one: Contrast, measure: str) -> dict[str, Any]:
        numbers = self._numbers(one, measure)
        return {
            "kind": "contrast",
            "report": one.report,
            "months": one.months,
            "label": self.words["row"].format(time=_times(one.months), report=one.report),
            "estimate": one.estimate,
            "lower": one.lower,
            "upper": one.upper,
            "text": "{estimate} ({lower} to {upper})".format(**numbers),
        }

    def _drawn_hazard_ratio(self, one: Published) -> dict[str, Any]:
        limits = one.result.limits
        return {
            "kind": "hr",
            "report": one.analysis.id,
            "months": None,
            "label": self.words["hr_row"],
            "estimate": float(one.result.estimate),
            "lower": float(limits.lower),
            "upper": float(limits.upper),
            "text": f"{one.result.estimate} ({limits.lower} to {limits.upper})",
        }

    def _row(self, one: Contrast, measure: str) -> Row:
        digits = {"points": 1, "per_100": 0, "ratio": 2}[measure]
        columns = _room()["columns"]
        cells = {
            columns["quantity"]: self.words["quantity"][measure],
            columns["report"]: one.report,
            columns["time"]: _times(one.months),
            columns["estimate"]: rounded(one.estimate, digits),
            columns["lower"]: rounded(one.lower, digits),
            columns["upper"]: rounded(one.upper, digits),
            columns["unit"]: self.words["unit"][measure],
            columns["p"]: p_value(one.p),
            columns["method"]: _room()["methods"][one.method],
        }
        return Row(cells, tuple(Mark.of(source) for source in one.published))

    def _published_row(self, one: Published) -> Row:
        columns, limits = _room()["columns"], one.result.limits
        p = records().result(f"{TRIAL}.2017.os.p")
        cells = {
            columns["quantity"]: self.words["quantity"]["hr"],
            columns["report"]: one.analysis.id,
            columns["time"]: "–",
            columns["estimate"]: one.result.estimate,
            columns["lower"]: limits.lower,
            columns["upper"]: limits.upper,
            columns["unit"]: self.words["unit"]["ratio"],
            columns["p"]: str(p.result.estimate),
            columns["method"]: _room()["methods"]["published"],
        }
        return Row(cells, (Mark.of(one), Mark.of(p)))

    def _median_row(self) -> Row:
        columns = _room()["columns"]
        one, other = (records().result(f"{TRIAL}.2017.os.median.{arm}") for arm in ARMS)
        unknown = self.words["not_computable"]
        cells = {
            columns["quantity"]: self.words["quantity"]["median"],
            columns["report"]: one.analysis.id,
            columns["time"]: "–",
            columns["estimate"]: one.result.estimate - other.result.estimate,
            columns["lower"]: unknown,
            columns["upper"]: unknown,
            columns["unit"]: one.result.unit,
            columns["p"]: _room()["methods"]["NOT_STATED"],
            columns["method"]: _room()["arms"]["difference"],
        }
        return Row(cells, (Mark.of(one), Mark.of(other)))


class IconArrays(SurvivalExhibit):
    """The same patients as one hundred squares per arm; what the interval leaves open is hatched."""

    controls = ("months", "interval")

    def render(self, state: State) -> View:
        months = state["months"]
        report = next(report for report, times in REPORTS.items() if months in times)
        points = {arm: published.landmark(report, arm, months) for arm in ARMS}
        counts = {
            arm: tuple(int(rounded(100 * value, 0)) for value in (point.lower, point.survival, point.upper))
            for arm, point in points.items()
        }
        words, names = self.words, _room()["arms"]
        setting = {"time": _times(months), "report": _room()["reports"][report]}
        figure = figures.icon_arrays(
            counts,
            state["interval"],
            words["title"].format(**setting),
            {arm: words["arm"].format(arm=names[arm], alive=counts[arm][1]) for arm in counts},
            words["kinds"],
        )
        columns = _room()["columns"]
        rows = [
            Row(
                {
                    columns["arm"]: names[arm],
                    columns["time"]: _times(months),
                    columns["alive"]: counts[arm][1],
                    columns["fewest"]: counts[arm][0],
                    columns["most"]: counts[arm][2],
                    columns["method"]: _room()["methods"][points[arm].published.result.limits.method],
                },
                (Mark.of(points[arm].published),),
            )
            for arm in ARMS
        ]
        said = {
            arm: words["summary"]["one"].format(estimate=estimate, lower=lower, upper=upper)
            if state["interval"]
            else str(estimate)
            for arm, (lower, estimate, upper) in counts.items()
        }
        summary = words["summary"]["with" if state["interval"] else "without"].format(**said, **setting)
        key = ", ".join(f"{arm} {'/'.join(map(str, counts[arm]))}" for arm in ARMS)
        return View(figure, summary, Table(words["caption"].format(**setting), rows), key)


# The quantities looked for under each endpoint, by their names in the results.
GROUPS = {
    "pfs": ("pfs.rate", "pfs.median", "pfs.hr", "pfs.p"),
    "hepatic": ("hepatic.p", "hepatic.incidence"),
    "extrahepatic": ("extrahepatic.p", "extrahepatic.incidence"),
    "harms": ("toxicity", "quality_of_life"),
}


class OtherEndpoints(SurvivalExhibit):
    """What each report says of progression, harms and quality of life, and what it does not."""

    controls = ("endpoint",)

    def render(self, state: State) -> View:
        wanted = state["endpoint"]
        quantities = [q for group, qs in GROUPS.items() if wanted in ("all", group) for q in qs]
        columns, grid, rows = _room()["columns"], [], []
        for quantity in quantities:
            cells = []
            for report in REPORTS:
                found = self._found(report, quantity)
                kind, text = self._text(found)
                cells.append((kind, text))
                rows.append(
                    Row(
                        {
                            columns["quantity"]: self.words["quantities"][quantity],
                            columns["report"]: report,
                            columns["between"]: text,
                        },
                        tuple(Mark.of(one) for one in found),
                    )
                )
            grid.append((self.words["quantities"][quantity], cells))
        figure = figures.statements(
            [_room()["reports"][report] for report in REPORTS], grid, self.words["title"], self.words["states"]
        )
        stated = sum(kind != "missing" for _, cells in grid for kind, _ in cells)
        key = f"{stated} of {2 * len(grid)} stated in what was read"
        return View(figure, self._say(wanted), Table(self.words["caption"], rows), key)

    def _found(self, report: str, quantity: str) -> list[Published]:
        """The numbers of a report for a quantity: one for both arms, or one per arm."""
        prefix = f"{TRIAL}.{report}.{quantity}"
        return [
            one for address, one in records().results.items() if address == prefix or address.startswith(f"{prefix}.")
        ]

    def _text(self, found: list[Published]) -> tuple[str, str]:
        words = self.words
        first = found[0].result
        if not first.stated:
            return "missing", words["not_stated"]
        if first.measure == "P_VALUE":
            test = words["tests"][first.test]
            return "partly", words["p"].format(relation=first.relation, p=first.estimate, test=test)
        texts = []
        for one in found:
            limits = one.result.limits
            texts.append(
                words["each"].format(estimate=one.result.estimate, lower=limits.lower, upper=limits.upper)
                if limits
                else str(one.result.estimate)
            )
        unit = "" if first.unit == "1" else first.unit
        text = (
            words["against"].format(combined=texts[0], systemic=texts[1], unit=unit)
            if len(texts) == 2
            else f"{texts[0]} {unit}"
        ).strip()
        if first.limits is None:
            return "partly", words["no_interval"].format(text=text)
        return "stated", text

    def _say(self, wanted: str) -> str:
        summary = self.words["summary"][wanted]
        if wanted == "pfs":
            hazard, p = (records().result(f"{TRIAL}.{one}").result for one in ("2012.pfs.hr", "2017.pfs.p"))
            hr = self.words["each"].format(
                estimate=hazard.estimate, lower=hazard.limits.lower, upper=hazard.limits.upper
            )
            return summary.format(hr=hr, p=f"{p.relation} {p.estimate}")
        if wanted in ("hepatic", "extrahepatic"):
            p = records().result(f"{TRIAL}.2017.{wanted}.p").result
            return summary.format(p=f"{p.relation} {p.estimate}")
        return summary


class TargetSelection(traitlets.HasTraits):
    """One arm against a target: how many alive, of how many, against which rate (per cent)."""

    alive = traitlets.Int(37, min=0, max=1000)
    n = traitlets.Int(60, min=1, max=1000)
    target = traitlets.Float(38.0, min=0.1, max=99.9)


class SingleArmTarget(Lab):
    """A single-arm target, tried on any arm: exact binomial P value and interval."""

    selection_type = TargetSelection
    controls = ("alive", "n", "target")
    folder = FOLDER

    def examples(self) -> list[tuple[str, State]]:
        target = float(records().result(f"{TRIAL}.2012.os.target").result.estimate)
        return [
            (
                self.words["examples"][arm],
                {"alive": published.alive(point), "n": published.randomised(point), "target": target},
            )
            for arm in ARMS
            for point in [published.landmark("2012", arm, 30)]
        ]

    def render(self, state: State) -> View:
        alive, n, target = state["alive"], state["n"], state["target"]
        words, columns = self.words, self.words["columns"]
        if alive > n:
            message = words["impossible"].format(alive=alive, n=n)
            return View({"data": [], "layout": {"height": 120}}, message, Table(words["caption"], []), message)
        rate = target / 100
        p = exceedance(alive, n, rate)
        lower, upper = clopper_pearson(alive, n)
        least = least_passing(n, rate, ALPHA)
        shown = {
            "alive": alive,
            "n": n,
            "rate": rounded(100 * alive / n, 1),
            "lower": rounded(100 * lower, 1),
            "upper": rounded(100 * upper, 1),
            "target": f"{target:g}",
            "p": p_value(p),
            "least": words["never"] if least is None else least,
        }
        probabilities = [comb(n, k) * rate**k * (1 - rate) ** (n - k) for k in range(n + 1)]
        figure = figures.binomial_target(
            probabilities,
            alive,
            words,
            words["title"].format(**shown),
            words["seen"].format(**shown),
            words["short"].format(**shown),
        )
        summary = words["passes" if p <= ALPHA else "fails"].format(**shown, alpha=ALPHA)
        row = Row({columns[name]: value for name, value in shown.items()}, self._marks(state))
        return View(figure, summary, Table(words["caption"], [row]), f"P = {shown['p']}")

    def _marks(self, state: State) -> tuple[Mark, ...]:
        """The sources, where the numbers are those of an arm of the trial."""
        arm = next((arm for arm, (_, one) in zip(ARMS, self.examples(), strict=True) if one == state), None)
        if arm is None:
            return ()
        addresses = (f"{TRIAL}.2012.os.rate.{arm}.30", f"{TRIAL}.2012.os.target")
        return tuple(Mark.of(records().result(address)) for address in addresses)

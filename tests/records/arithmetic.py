"""What the published numbers of one report must satisfy among themselves.

A checker takes the numbers of one report and yields a complaint for each that does not fit.
Printed numbers are rounded, so a checker asks whether *some* unrounded numbers fit.
"""

import math
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import product
from statistics import NormalDist

from widgets.records.library import NOT_AN_ARM, Published, Records
from widgets.records.schema import WHOLE_NUMBERS, Result
from widgets.survival.binomial import clopper_pearson

Report = dict[str, Result]
NORMAL = NormalDist()


def reports(library: Records) -> dict[str, list[Published]]:
    """The stated numbers of each report, by its address."""
    found: dict[str, list[Published]] = {}
    for one in library.results.values():
        found.setdefault(f"{one.trial}.{one.analysis.id}", []).append(one)
    return found


def complaints(numbers: list[Published]) -> Iterator[str]:
    """Everything in one report that does not fit."""
    report = {one.result.id: one.result for one in numbers if one.result.stated}
    for check in CHECKS:
        for result_id, message in check(report):
            yield f"{result_id}: {message}"


# --- rounding -----------------------------------------------------------------------------------


def half_unit(number: Decimal) -> float:
    """Half a unit in the last printed place: the most that rounding can have changed."""
    return 0.5 * 10.0 ** number.as_tuple().exponent


def rounds_to(value: float, printed: Decimal) -> bool:
    return abs(value - float(printed)) <= half_unit(printed) * (1 + 1e-9)


def unrounded(number: Decimal) -> tuple[float, float]:
    """The least and the greatest number that is printed so."""
    return float(number) - half_unit(number), float(number) + half_unit(number)


def span(function: Callable[..., float], *printed: Decimal) -> tuple[float, float]:
    """The range of a function that is monotone in each of its rounded arguments."""
    values = [function(*corner) for corner in product(*map(unrounded, printed))]
    return min(values), max(values)


def meet(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


# --- counts and percentages ---------------------------------------------------------------------


def totals(report: Report):
    """Counts by arm add up to the total."""
    for name, total in report.items():
        if name.endswith(".total") and total.measure in WHOLE_NUMBERS:
            stem = name.removesuffix("total")
            parts = [one.estimate for one in report.values() if one.id == f"{stem}{one.arm}"]
            if len(parts) > 1 and sum(parts) != total.estimate:
                yield name, f"{total.estimate} is not {' + '.join(map(str, parts))}"


def exclusions(report: Report):
    """Who was excluded and who was left make up the denominator."""
    for name, whole in report.items():
        arm = name.removeprefix("denominator.")
        parts = [report.get(f"{part}.{arm}") for part in ("excluded", "left")]
        if name != arm and all(parts) and sum(part.estimate for part in parts) != whole.estimate:
            yield name, f"{parts[0].estimate} excluded, {parts[1].estimate} left, {whole.estimate} in all"


def percentages(report: Report):
    """A percentage is that of its count; without a printed count, of some whole number."""
    for name, one in report.items():
        if one.measure != "PERCENTAGE" or not one.of:
            continue
        count = report.get(re.sub(r"\.percentage(?=\.|$)", "", name)) if ".percentage" in name else None
        if count and count.of != one.of:
            yield name, f"percentage of {one.of}, count of {count.of}"
        counts = [int(count.estimate)] if count else range(one.of + 1)
        if not any(rounds_to(100 * k / one.of, one.estimate) for k in counts):
            yield name, f"{one.estimate} % of {one.of} is not {count.estimate if count else 'a whole number'}"


def exact_intervals(report: Report):
    """An exact binomial interval is reproduced, to the printed digit, by the whole number behind the rate."""
    for name, one in report.items():
        enrolled = report.get(f"n.{one.arm}")
        if not one.limits or one.limits.method != "CLOPPER_PEARSON":
            continue
        n = int(enrolled.estimate)
        k = round(n * one.estimate / 100)
        printed = (one.estimate, one.limits.lower, one.limits.upper)
        exact = (k / n, *clopper_pearson(k, n, float(one.limits.level)))
        if not all(rounds_to(100 * value, number) for value, number in zip(exact, printed, strict=True)):
            yield name, f"{k} of {n} gives {[round(100 * value, 2) for value in exact]}, printed {printed}"


# --- survival -----------------------------------------------------------------------------------

TRANSFORMS: dict[str, Callable[[float], float]] = {
    "none": lambda s: s,
    "log": math.log,
    "logit": lambda s: math.log(s / (1 - s)),
    "arcsine": lambda s: math.asin(math.sqrt(s)),
    "log-log": lambda s: math.log(-math.log(s)),
}


def symmetric(one: Result, transform: Callable[[float], float]) -> bool:
    """Whether both limits can lie at the same distance from the estimate on this scale."""

    def imbalance(estimate: float, lower: float, upper: float) -> float:
        return transform(lower / 100) + transform(upper / 100) - 2 * transform(estimate / 100)

    least, most = span(imbalance, one.estimate, one.limits.lower, one.limits.upper)
    return least <= 0 <= most


def log_log_intervals(report: Report):
    for name, one in report.items():
        if one.limits and one.limits.method == "LOG_LOG_GREENWOOD" and not symmetric(one, TRANSFORMS["log-log"]):
            yield name, "limits are not symmetric on the scale of ln(−ln S)"


def falling(report: Report):
    """Survival never rises, and the median lies where it passes 50 %."""
    rates = [one for one in report.values() if one.measure == "LANDMARK_SURVIVAL"]
    for one, other in product(rates, rates):
        same = (one.arm, one.endpoint, one.population) == (other.arm, other.endpoint, other.population)
        if same and one.months < other.months and one.estimate < other.estimate:
            yield other.id, f"{other.estimate} % after {one.estimate} %"
    for name, median in report.items():
        for rate in rates if median.measure == "MEDIAN" else ():
            same = (rate.arm, rate.endpoint, rate.population) == (median.arm, median.endpoint, median.population)
            if same and (rate.estimate > 50) != (median.estimate > rate.months):
                yield name, f"median {median.estimate}, yet {rate.estimate} % at {rate.months} months"


def differences(report: Report):
    """A printed difference is that of the printed rates."""
    for name, one in report.items():
        rates = [
            rate.estimate
            for rate in report.values()
            if one.measure == "DIFFERENCE" and rate.id == name.replace("difference", f"rate.{rate.arm}")
        ]
        if len(rates) == 2 and one.estimate != abs(rates[0] - rates[1]):
            yield name, f"{one.estimate} is not the difference of {rates[0]} and {rates[1]}"


def names(report: Report):
    """The arm and the time in a name are those of the number."""
    arms = {one.arm for one in report.values()} - NOT_AN_ARM
    for name, one in report.items():
        arm, time = arms.intersection(name.split(".")), re.search(r"\.(\d+)$", name)
        if arm and one.arm not in arm:
            yield name, f"is about {one.arm}"
        if time and one.months != int(time[1]):
            yield name, f"stands at {one.months} months"


# --- hazard ratios ------------------------------------------------------------------------------

# The formulas for a Cox estimate, a log-rank P and the events behind both agree only nearly.
SLACK = 0.05


def standard_error(level: Decimal) -> Callable[[float, float], float]:
    """Of a log hazard ratio, from the limits of its interval at `level` per cent."""
    z = NORMAL.inv_cdf(0.5 + float(level) / 200)
    return lambda lower, upper: math.log(upper / lower) / (2 * z)


def hazard_ratios(report: Report):
    """Estimate, interval, P value and events tell the same."""
    for name, hr in report.items():
        if hr.measure != "HAZARD_RATIO" or not hr.limits:
            continue
        lower, upper = hr.limits.lower, hr.limits.upper
        if not meet(span(lambda low, high: math.sqrt(low * high), lower, upper), unrounded(hr.estimate)):
            yield name, f"{hr.estimate} is not in the middle of {lower} to {upper}"
        se = standard_error(hr.limits.level)
        p = report.get(name.removesuffix("hr") + "p")
        if p and p.relation == "=":
            z = span(lambda ratio, low, high: abs(math.log(ratio)) / se(low, high), hr.estimate, lower, upper)  # noqa: B023
            wald = tuple(2 * NORMAL.cdf(-value) for value in (z[1] * (1 + SLACK), z[0] * (1 - SLACK)))
            if not meet(wald, unrounded(p.estimate)):
                yield p.id, f"P {p.estimate}, from the interval {wald[0]:.4f} to {wald[1]:.4f}"
        expected = _error_from_events(report, hr)
        least, most = span(se, lower, upper)
        if expected and not least * (1 - SLACK) <= expected <= most * (1 + SLACK):
            yield name, f"standard error {least:.3f} to {most:.3f}, from the events {expected:.3f}"


def _error_from_events(report: Report, hr: Result) -> float | None:
    """sqrt(1/a + 1/b) for the events of two arms; of a total, half to each."""
    same = [
        one
        for one in report.values()
        if one.measure in ("DEATHS", "EVENTS") and (one.endpoint, one.population) == (hr.endpoint, hr.population)
    ]
    by_arm = [float(one.estimate) for one in same if one.arm not in NOT_AN_ARM]
    total = [float(one.estimate) / 2 for one in same if one.arm == "ALL"] * 2
    events = by_arm if len(by_arm) == 2 else total
    return math.sqrt(sum(1 / count for count in events)) if len(events) == 2 else None


def designs(report: Report):
    """What a trial was planned to detect: rates, median, events and power belong to one hazard ratio."""
    hr = report.get("pfs.hr")
    if not hr or not hr.estimator or hr.estimator.value != "DESIGN_ASSUMPTION":
        return
    control, treated = report["pfs.rate.surgery.36"], report["pfs.rate.perioperative.36"]
    ratio = span(lambda s, t: math.log(t / 100) / math.log(s / 100), control.estimate, treated.estimate)
    if not meet(ratio, unrounded(hr.estimate)):
        yield hr.id, f"{hr.estimate}, from the rates {ratio[0]:.4f} to {ratio[1]:.4f}"
    if not rounds_to(1 / (1 + float(report["pfs.median.increase"].estimate) / 100), hr.estimate):
        yield "pfs.median.increase", f"does not make a hazard ratio of {hr.estimate}"
    z = NORMAL.inv_cdf(1 - float(report["alpha"].estimate) / 2) + NORMAL.inv_cdf(
        float(report["power"].estimate) / 100
    )
    needed = 4 * z * z / math.log(float(hr.estimate)) ** 2  # Schoenfeld, Biometrics 1983;39:499
    if abs(needed / float(report["events.required"].estimate) - 1) > 0.01:
        yield "events.required", f"Schoenfeld's formula asks for {needed:.0f}"


CHECKS = (
    totals, exclusions, percentages, exact_intervals, log_log_intervals, falling, differences, names,
    hazard_ratios, designs,
)  # fmt: skip

"""What CLOCC's reports print about survival, and what can be computed from the print alone.

Times are in months, survival between 0 and 1, intervals at the printed level. Nothing here
interpolates between landmarks or compares a number of one report with a number of another.
"""

from math import exp, log, sqrt
from statistics import NormalDist
from typing import NamedTuple

from widgets.records.library import NOT_AN_ARM, Published, records
from widgets.records.schema import Result

TRIAL = "clocc"
REPORTS = {"2012": (30,), "2017": (36, 60, 96)}
ARMS = ("combined", "systemic")


class Landmark(NamedTuple):
    """Survival of one arm at one time, as printed."""

    report: str
    arm: str
    months: int
    survival: float
    lower: float
    upper: float
    published: Published


class Contrast(NamedTuple):
    """Combined against systemic at one time, computed from two printed estimates.

    `estimate`, `lower`, `upper` are in the measure's own unit; `p` is two-sided, without any
    allowance for the choice of the time.
    """

    report: str
    months: int
    estimate: float
    lower: float
    upper: float
    p: float
    method: str
    published: tuple[Published, Published]


def landmark(report: str, arm: str, months: int) -> Landmark:
    """One printed landmark. Raises KeyError where the report prints none for that arm and time."""
    published = records().result(f"{TRIAL}.{report}.os.rate.{arm}.{months}")
    limits = published.result.limits
    return Landmark(
        report, arm, months,
        float(published.result.estimate) / 100, float(limits.lower) / 100, float(limits.upper) / 100,
        published,
    )  # fmt: skip


def z_of(level: float) -> float:
    """The normal quantile of a two-sided interval at `level` per cent."""
    return NormalDist().inv_cdf(0.5 + level / 200)


def standard_error(point: Landmark) -> float:
    """Standard error of a printed survival estimate, recovered from its printed limits.

    Log-log Greenwood limits are symmetric for ln(-ln S), so their distance gives the standard error
    there, and the delta method carries it back to S (Kalbfleisch & Prentice 2002, section 1.4).
    For a binomial proportion of all randomised it is sqrt(p(1-p)/n).
    """
    if _method(point) == "CLOPPER_PEARSON":
        return sqrt(point.survival * (1 - point.survival) / randomised(point))
    z = z_of(float(point.published.result.limits.level))
    transformed = (log(-log(point.lower)) - log(-log(point.upper))) / (2 * z)
    return -point.survival * log(point.survival) * transformed


def difference(report: str, months: int) -> Contrast:
    """Survival of the combined arm minus the systemic arm, in percentage points.

    2017 (Kaplan-Meier): normal interval from the standard errors recovered from the printed
    log-log limits. 2012 (binomial): Newcombe's interval from the counts (Stat Med 1998;17:873,
    method 10).
    """
    a, b = _pair(report, months)
    gap = a.survival - b.survival
    se = sqrt(standard_error(a) ** 2 + standard_error(b) ** 2)
    z = z_of(float(a.published.result.limits.level))
    lower, upper = gap - z * se, gap + z * se
    if _method(a) == "CLOPPER_PEARSON":
        (la, ua), (lb, ub) = (_wilson(point, z) for point in (a, b))
        lower = gap - sqrt((a.survival - la) ** 2 + (ub - b.survival) ** 2)
        upper = gap + sqrt((ua - a.survival) ** 2 + (b.survival - lb) ** 2)
    p = 2 * NormalDist().cdf(-abs(gap) / se)
    return Contrast(
        report, months, 100 * gap, 100 * lower, 100 * upper, p, f"difference.{_method(a)}",
        (a.published, b.published),
    )  # fmt: skip


def risk_ratio(report: str, months: int) -> Contrast:
    """Risk of having died by then, combined over systemic: (1 - S) / (1 - S).

    Normal interval on the log scale by the delta method; for the binomial proportions of 2012 this
    is Katz's interval (Biometrics 1978;34:469).
    """
    a, b = _pair(report, months)
    ratio = (1 - a.survival) / (1 - b.survival)
    se = sqrt(sum((standard_error(point) / (1 - point.survival)) ** 2 for point in (a, b)))
    z = z_of(float(a.published.result.limits.level))
    p = 2 * NormalDist().cdf(-abs(log(ratio)) / se)
    return Contrast(
        report, months, ratio, ratio * exp(-z * se), ratio * exp(z * se), p, f"ratio.{_method(a)}",
        (a.published, b.published),
    )  # fmt: skip


def proportional_difference(report: str, months: int) -> float:
    """The difference in percentage points if the printed hazard ratio held throughout: S**HR - S of the systemic arm.

    Under proportional hazards the survival of one arm is that of the other to the power of the hazard ratio.
    """
    systemic = landmark(report, "systemic", months).survival
    hazard_ratio = float(records().result(f"{TRIAL}.{report}.os.hr").result.estimate)
    return 100 * (systemic**hazard_ratio - systemic)


def _pair(report: str, months: int) -> list[Landmark]:
    """Both arms at one time; a binomial proportion at its full precision, which the counts give."""
    points = [landmark(report, arm, months) for arm in ARMS]
    return [
        point._replace(survival=alive(point) / randomised(point)) if _method(point) == "CLOPPER_PEARSON" else point
        for point in points
    ]


def randomised(point: Landmark) -> int:
    """How many patients the same report randomised to the arm."""
    return int(records().result(f"{TRIAL}.{point.report}.n.{point.arm}").result.estimate)


def alive(point: Landmark) -> int:
    """The whole number of patients that a proportion of all randomised stands for.

    Raises ValueError for a Kaplan-Meier estimate, which is not a proportion of counted patients.
    """
    if _method(point) != "CLOPPER_PEARSON":
        raise ValueError(f"{point.published.address} is a Kaplan-Meier estimate, not a count")
    return round(point.survival * randomised(point))


def _method(point: Landmark) -> str:
    return point.published.result.limits.method


def _wilson(point: Landmark, z: float) -> tuple[float, float]:
    """Wilson's score interval (J Am Stat Assoc 1927;22:209)."""
    n, p = randomised(point), point.survival
    centre, spread = p + z * z / (2 * n), z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (centre - spread) / (1 + z * z / n), (centre + spread) / (1 + z * z / n)


def overall_survival(address: str) -> dict:
    """What a report such as `clocc.2017` prints about overall survival, as `Summary.from_dict` reads it.

    Numbers are texts with the digits as printed, since digits tell the rounding. Only what is said of
    the report's own population counts; binomial proportions are left out, as they lie on no
    Kaplan-Meier curve. Raises KeyError for an unknown report, ValueError if it gives a number twice
    or intervals of several levels.
    """
    numbers = records().analysis(address)
    source, population = numbers[0].source, numbers[0].analysis.population
    results = [
        one.result
        for one in numbers
        if one.result.stated
        and one.result.population in (None, population)
        and not (one.result.estimator and one.result.estimator.value == "BINOMIAL_ALL_RANDOMISED")
    ]

    def find(endpoint, measure, arm):
        return [r for r in results if (r.endpoint, r.measure, r.arm) == (endpoint, measure, arm)]

    def only(endpoint, measure, arm="BETWEEN"):
        found = find(endpoint, measure, arm)
        if len(found) > 1:
            raise ValueError(f"{address} gives {' and '.join(r.id for r in found)}: which is meant?")
        return found[0] if found else None

    def count(result):
        return result and int(result.estimate)

    arms = [r.arm for r in results if (r.endpoint, r.measure) == ("ENROLMENT", "COUNT") and r.arm not in NOT_AN_ARM]
    levels = {r.limits.level for r in results if r.endpoint == "OS" and r.limits}
    if len(levels) > 1:
        raise ValueError(f"{address} has intervals of several levels: {', '.join(map(str, sorted(levels)))}")
    return {
        "title": f"{source.title}: overall survival",
        "source": source.citation + (f", doi {source.doi}" if source.doi else ""),
        "level": f"{levels.pop() if levels else 95}%",
        "arms": {
            arm: {
                "n": count(only("ENROLMENT", "COUNT", arm)),
                "deaths": count(only("OS", "DEATHS", arm)),
                "landmarks": [
                    {"months": float(r.months), **_as_printed(r, "survival")}
                    for r in sorted(find("OS", "LANDMARK_SURVIVAL", arm), key=lambda r: r.months)
                ],
                "median": _as_printed(only("OS", "MEDIAN", arm)),
            }
            for arm in arms
        },
        "hazard_ratio": _as_printed(only("OS", "HAZARD_RATIO")),
        "p_value": _as_printed(only("OS", "P_VALUE")).get("estimate"),
        "median_follow_up": _as_printed(only("FOLLOW_UP", "MEDIAN_FOLLOW_UP", "ALL")).get("estimate"),
    }


def _as_printed(result: Result | None, estimate: str = "estimate") -> dict[str, str]:
    """Estimate and limits as texts with their unit; empty if the report does not give the number."""
    if result is None:
        return {}
    unit = {"%": "%", "1": ""}.get(result.unit, f" {result.unit}")
    bound = "" if result.relation == "=" else result.relation
    numbers = {estimate: f"{bound}{result.estimate}{unit}"}
    if result.limits:
        numbers |= {side: f"{getattr(result.limits, side)}{unit}" for side in ("lower", "upper")}
    return numbers

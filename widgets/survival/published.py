"""What CLOCC's reports print about survival, and what can be computed from the print alone.

Times are in months, survival between 0 and 1, intervals at the printed level. Nothing here
interpolates between landmarks or compares a number of one report with a number of another.
"""

from math import exp, log, sqrt
from statistics import NormalDist
from typing import NamedTuple

from widgets.records.library import Published, records

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

"""What is computed from CLOCC's printed survival, against a second computation and against values in print."""

import math

import pytest
from scipy import stats

from widgets.records.library import records
from widgets.survival import published
from widgets.survival.published import (
    ARMS,
    REPORTS,
    alive,
    difference,
    landmark,
    randomised,
    risk_ratio,
    standard_error,
    z_of,
)

TIMES = [(report, months) for report in REPORTS for months in REPORTS[report]]
Z = stats.norm.ppf(0.975)


def printed(report: str, arm: str, months: int) -> tuple[float, float, float]:
    result = records().result(f"clocc.{report}.os.rate.{arm}.{months}").result
    return tuple(float(number) / 100 for number in (result.estimate, result.limits.lower, result.limits.upper))


def greenwood(report: str, arm: str, months: int) -> float:
    """Standard error of S: the limits are S ** exp(± z·t), so t, then the delta method by a difference quotient."""
    s, lower, upper = printed(report, arm, months)
    t = math.log(math.log(lower) / math.log(upper)) / (2 * Z)
    step = 1e-6
    back = [math.exp(-math.exp(math.log(-math.log(s)) + sign * step)) for sign in (1, -1)]
    return t * abs(back[0] - back[1]) / (2 * step)


# --- differences and ratios ---------------------------------------------------------------------


@pytest.mark.parametrize("months", REPORTS["2017"])
def test_contrasts_of_2017_by_a_second_computation(months):
    (a, *_), (b, *_) = (printed("2017", arm, months) for arm in ARMS)
    errors = [greenwood("2017", arm, months) for arm in ARMS]

    se = math.hypot(*errors)
    gap = difference("2017", months)
    assert (gap.estimate, gap.lower, gap.upper) == pytest.approx(
        (100 * (a - b), 100 * (a - b - Z * se), 100 * (a - b + Z * se)), abs=0.01
    )
    assert gap.p == pytest.approx(stats.chi2.sf(((a - b) / se) ** 2, 1), rel=1e-3)

    ratio, log_se = risk_ratio("2017", months), math.hypot(errors[0] / (1 - a), errors[1] / (1 - b))
    interval = stats.lognorm.interval(0.95, log_se, scale=(1 - a) / (1 - b))
    assert (ratio.estimate, ratio.lower, ratio.upper) == pytest.approx(((1 - a) / (1 - b), *interval), rel=1e-4)
    assert ratio.p == pytest.approx(2 * stats.norm.sf(abs(math.log(ratio.estimate)) / log_se), rel=1e-4)


def test_contrasts_of_2012_by_a_second_computation():
    """From 37 of 60 and 34 of 59: Newcombe's hybrid score interval and Katz's interval, by scipy."""
    counts = [(37, 60), (34, 59)]
    wilson = [stats.binomtest(*count).proportion_ci(method="wilson") for count in counts]
    (p, q), ((la, ua), (lb, ub)) = (k / n for k, n in counts), wilson
    gap = difference("2012", 30)
    assert (gap.estimate, gap.lower, gap.upper) == pytest.approx((
        100 * (p - q), 100 * (p - q - math.hypot(p - la, ub - q)), 100 * (p - q + math.hypot(ua - p, q - lb)),
    ))  # fmt: skip
    assert gap.p == pytest.approx(
        2 * stats.norm.sf((p - q) / math.hypot(*((k * (n - k) / n**3) ** 0.5 for k, n in counts)))
    )

    katz = stats.contingency.relative_risk(60 - 37, 60, 59 - 34, 59)
    ratio = risk_ratio("2012", 30)
    assert ratio.estimate == pytest.approx(katz.relative_risk)
    assert (ratio.lower, ratio.upper) == pytest.approx(tuple(katz.confidence_interval(0.95)))


# Computed by hand from the abstract when the facts were collected; P values to one digit.
@pytest.mark.parametrize("months, estimate, lower, upper, p", [
    (36, 1.7, -16, 20, 0.9),
    (60, 12.8, -5, 30, 0.15),
    (96, 27.0, 12.5, 41, 0.0003),
])  # fmt: skip
def test_differences_of_2017_in_print(months, estimate, lower, upper, p):
    gap = difference("2017", months)
    assert gap.estimate == pytest.approx(estimate, abs=0.05)
    assert (gap.lower, gap.upper) == pytest.approx((lower, upper), abs=0.7)
    assert gap.p == pytest.approx(p, rel=0.15)


@pytest.mark.parametrize("report, months", TIMES)
def test_a_contrast_says_what_it_rests_on(report, months):
    for contrast in (difference(report, months), risk_ratio(report, months)):
        assert contrast.lower < contrast.estimate < contrast.upper and 0 < contrast.p < 1
        assert [one.address for one in contrast.published] == [
            f"clocc.{report}.os.rate.{arm}.{months}" for arm in ARMS
        ]
        # 2012 and 2017 are two analyses of the same patients, by two methods: never one number from both.
        assert {one.analysis.id for one in contrast.published} == {contrast.report} == {report}
        assert contrast.method.endswith({"2012": "CLOPPER_PEARSON", "2017": "LOG_LOG_GREENWOOD"}[report])
    excludes = difference(report, months).lower > 0
    assert excludes == (difference(report, months).p < 0.05)


# --- landmarks ----------------------------------------------------------------------------------


@pytest.mark.parametrize("arm", ARMS)
@pytest.mark.parametrize("report, months", TIMES)
def test_a_landmark_is_what_is_printed(report, arm, months):
    point = landmark(report, arm, months)
    assert (point.survival, point.lower, point.upper) == printed(report, arm, months)
    assert (point.report, point.arm, point.months) == (report, arm, months)


@pytest.mark.parametrize("arm", ARMS)
@pytest.mark.parametrize("months", REPORTS["2017"])
def test_the_standard_error_gives_the_printed_limits_back(arm, months):
    point = landmark("2017", arm, months)
    s, error = point.survival, standard_error(point)
    t = error / (s * -math.log(s))
    limits = [s ** math.exp(sign * Z * t) for sign in (1, -1)]
    assert limits == pytest.approx([point.lower, point.upper], abs=0.001)


def test_people_are_counted_where_everybody_was_and_not_under_a_curve():
    assert [(alive(point), randomised(point)) for point in (landmark("2012", arm, 30) for arm in ARMS)] == [
        (37, 60),
        (34, 59),
    ]
    for arm in ARMS:
        with pytest.raises(ValueError, match=rf"clocc\.2017\.os\.rate\.{arm}\.60 is a Kaplan-Meier estimate"):
            alive(landmark("2017", arm, 60))


@pytest.mark.parametrize("report, arm, months, near", [
    ("2018", "combined", 36, "clocc.2017.os.rate.combined.36"),
    ("2017", "combind", 36, "clocc.2017.os.rate.combined.36"),
    ("2017", "combined", 30, "clocc.2017.os.rate.combined.36"),  # a time of the other report
    ("2012", "combined", 36, "clocc.2012.os.rate.combined.30"),
])  # fmt: skip
def test_what_no_report_prints_is_answered_with_what_there_is(report, arm, months, near):
    with pytest.raises(KeyError, match=f"no published number.*{near}"):
        landmark(report, arm, months)


@pytest.mark.parametrize("contrast", [difference, risk_ratio])
@pytest.mark.parametrize("report, months", [("2012", 36), ("2017", 30), ("2015", 36)])
def test_no_contrast_across_reports(contrast, report, months):
    with pytest.raises(KeyError, match=rf"clocc\.{report}\.os\.rate"):
        contrast(report, months)


def test_the_times_and_arms_offered_are_those_in_the_data():
    own = [one for one in records().results.values() if one.trial == published.TRIAL and one.result.stated]
    rates = [one for one in own if one.result.endpoint == "OS" and one.result.measure == "LANDMARK_SURVIVAL"]
    assert {(one.analysis.id, one.result.arm, int(one.result.months)) for one in rates} == {
        (report, arm, months) for report, months in TIMES for arm in ARMS
    }


@pytest.mark.parametrize("level", [80, 95, 95.66, 99])
def test_the_normal_quantile_of_a_level(level):
    assert 2 * stats.norm.cdf(z_of(level)) - 1 == pytest.approx(level / 100)

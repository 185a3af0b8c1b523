import subprocess
import sys

import numpy as np
import pytest
from tests.survival.frozen_results import agree, batch, frozen_set, patients, same
from hypothesis import given, settings

from widgets.survival.estimators import (
    TRANSFORMS,
    confidence_interval,
    kaplan_meier,
    milestone_difference,
    nelson_aalen,
    quantile,
    reverse_kaplan_meier,
    risk_table,
    rmst,
    rmst_difference,
    smoothed_hazard,
    value_at,
)


def groups(frozen):
    """(R's results, times, status) of all patients and of each arm."""
    yield frozen.r["pooled"], frozen.time, frozen.status
    for arm in (0, 1):
        chosen = frozen.arm == arm
        yield frozen.r[f"arm{arm}"], frozen.time[chosen], frozen.status[chosen]


class TestAgainstR:
    def test_curve_and_variance(self, frozen):
        for r, time, status in groups(frozen):
            table = risk_table(time, status)
            agree(value_at(kaplan_meier(table), r["time"]), [r["survival"], r["variance"]])
            agree(
                value_at(nelson_aalen(table), r["time"]),
                [r["cumulative_hazard"], r["cumulative_hazard_variance"]],
            )

    @pytest.mark.parametrize("transform", TRANSFORMS)
    def test_limits_and_quantiles(self, frozen, transform):
        for r, time, status in groups(frozen):
            curve = kaplan_meier(risk_table(time, status))
            limits = r["limits"][transform]
            agree(
                confidence_interval(*value_at(curve, r["time"]), transform),
                [limits["lower"], limits["upper"]],
                absolute=1e-15,
            )
            for i, p in enumerate((0.25, 0.5)):
                theirs = [limits["quantiles"][k][i] for k in ("quantile", "lower", "upper")]
                agree(quantile(curve, p, transform), theirs)

    def test_median_follow_up(self, frozen):
        for r, time, status in groups(frozen):
            theirs = [r["follow_up"][k][1] for k in ("quantile", "lower", "upper")]
            agree(quantile(reverse_kaplan_meier(time, status)), theirs)

    def test_restricted_mean_and_milestone(self, frozen):
        table, horizon = risk_table(frozen.time, frozen.status, frozen.arm), frozen.r["horizon"]
        for ours, theirs, difference in (
            (rmst(table, horizon), frozen.r["rmst"], rmst_difference(table, horizon)),
            (
                value_at(kaplan_meier(table), horizon),
                frozen.r["milestone"],
                milestone_difference(table, horizon),
            ),
        ):
            (mean0, se0), (mean1, se1) = theirs
            agree(ours.estimate, [mean0, mean1])
            agree(np.sqrt(ours.variance), [se0, se1])
            agree(difference[:2], [mean1 - mean0, np.hypot(se0, se1)], relative=1e-7, absolute=1e-13)


class TestAgainstStatsmodels:
    def test_kaplan_meier(self, frozen):
        from statsmodels.duration import survfunc

        if not frozen.status.any():
            return
        theirs = survfunc.SurvfuncRight(frozen.time, frozen.status)
        ours = value_at(kaplan_meier(risk_table(frozen.time, frozen.status)), theirs.surv_times)
        alive = theirs.surv_prob > 0
        agree(ours.estimate[alive], theirs.surv_prob[alive])
        agree(ours.variance[alive], theirs.surv_prob_se[alive] ** 2)
        # A share that no curve here is level at: statsmodels has no midpoint.
        curve = kaplan_meier(risk_table(frozen.time, frozen.status))
        agree(quantile(curve, 0.3712).estimate, theirs.quantile(0.3712))


class TestDefinitions:
    def test_worked_by_hand(self):
        curve = kaplan_meier(risk_table([1, 2, 2, 3, 4], [1, 1, 0, 0, 1]))
        agree(value_at(curve, [0, 1, 2, 3.5]).estimate, [1, 4 / 5, 3 / 5, 3 / 5])
        agree(value_at(curve, [4, 9]).estimate, [0, 0])
        assert rmst(risk_table([1, 2, 2, 3, 4], [1, 1, 0, 0, 1]), 4).estimate == pytest.approx(1 + 0.8 + 1.2)

    def test_nothing_is_known_after_the_last_patient(self):
        table = risk_table([2, 5, 3, 9], [1, 0, 1, 0], [0, 0, 1, 1])
        curve = kaplan_meier(table)
        agree(value_at(curve, 5).estimate, [0.5, 0.5])
        agree(value_at(curve, 6).estimate, [np.nan, 0.5])
        agree(rmst(table, 6).estimate, [np.nan, 3 + 1.5])
        assert np.isnan(rmst_difference(table, 6).estimate)
        assert np.isnan(value_at(curve, 9.5).estimate).all()

    def test_an_arm_without_patients_is_undefined(self):
        table = risk_table([2, 5], [1, 1], [0, 0])
        assert np.isnan(value_at(kaplan_meier(table), 1).estimate[1])
        assert np.isnan(milestone_difference(table, 1).estimate)

    @pytest.mark.parametrize(("flat", "median"), [("midpoint", 2.5), ("first", 2)])
    def test_median_of_a_level_curve(self, flat, median):
        assert quantile(kaplan_meier(risk_table([1, 2, 3, 4], [1, 1, 1, 0])), flat=flat).estimate == median

    def test_arms_in_one_table_equal_arms_apart(self, frozen):
        together = risk_table(frozen.time, frozen.status, frozen.arm)
        grid = np.linspace(0, frozen.time.max() * 1.05, 37)
        for arm in (0, 1):
            apart = risk_table(frozen.time[frozen.arm == arm], frozen.status[frozen.arm == arm])
            for curve in (kaplan_meier, nelson_aalen):
                joint = value_at(curve(together), grid)
                same([values[arm] for values in joint], value_at(curve(apart), grid))
            ours = quantile(kaplan_meier(together))
            same([values[arm] for values in ours], quantile(kaplan_meier(apart)))


class TestSmoothedHazard:
    def test_boundary_kernels_keep_mass_and_mean(self):
        """Of a constant or rising hazard the smooth is that hazard, up to the boundaries."""
        n = 4000
        table = risk_table((np.arange(n) + 0.5) / n * 10, np.ones(n))
        table = table._replace(at_risk=np.full(n, n / 10.0))
        grid = np.array([0, 0.1, 0.5, 1, 1.9, 2, 5, 8, 8.5, 9.5, 9.99])
        np.testing.assert_allclose(smoothed_hazard(table, grid, 2).estimate, 1, rtol=5e-3)
        rising = table._replace(at_risk=n / 10 / table.time)
        np.testing.assert_allclose(smoothed_hazard(rising, grid, 2).estimate, grid, rtol=5e-3, atol=5e-3)

    def test_kernel_sum_by_hand(self):
        result = smoothed_hazard(risk_table([2.0, 5, 5.5, 9, 12], [1, 1, 0, 1, 1]), 5.5, 2)
        share = 0.75 * (1 - 0.25**2) / 2
        agree(result.estimate, [share / 4])
        agree(result.variance, [share**2 / 16])

    def test_undefined_after_the_last_event_and_without_any(self):
        grid = [1, 6.5, 7]
        known = ~np.isnan(smoothed_hazard(risk_table([2.0, 3, 6, 9], [1, 1, 1, 0]), grid, 1).estimate)
        assert known.tolist() == [True, False, False]
        assert np.isnan(smoothed_hazard(risk_table([2.0, 3], [0, 0]), grid, 1).estimate).all()

    @pytest.mark.parametrize(("grid", "bandwidth"), [([1], 0), ([1], np.nan), ([-1], 1), ([np.inf], 1)])
    def test_refuses(self, grid, bandwidth):
        with pytest.raises(ValueError, match="bandwidth"):
            smoothed_hazard(risk_table([1], [1]), grid, bandwidth)


def estimates(times, events, arm):
    table = risk_table(times, events, arm)
    curve = kaplan_meier(table)
    yield value_at(curve, [3.0, 8.0])
    yield value_at(nelson_aalen(table), [3.0, 8.0])
    yield quantile(curve)
    yield quantile(curve, 0.3, "arcsin", flat="first")
    yield quantile(reverse_kaplan_meier(times, events, arm))
    yield rmst(table, 6)
    yield rmst_difference(table, 6)
    yield milestone_difference(table, 5)
    yield smoothed_hazard(table, [2.0, 6.0], 1.5)


def test_many_data_sets_at_once_equal_one_by_one():
    times, events, arm = batch((3, 4), 30, seed=1)
    together = list(estimates(times, events, arm))
    for index in np.ndindex(3, 4):
        for whole, single in zip(together, estimates(times[index], events[index], arm[index]), strict=True):
            same([values[index] for values in whole], single)


def test_leading_axes_broadcast():
    times, events, arm = batch((5,), 20, seed=2)
    repeated = (np.tile(values[0], (5, 1)) for values in (events, arm))
    same(risk_table(times, events[0], arm[0]), risk_table(times, *repeated))


@settings(max_examples=60, deadline=None)
@given(patients())
def test_order_of_patients_does_not_matter(data):
    times, events, arm, order = data
    for one, other in zip(
        estimates(times, events, arm), estimates(times[order], events[order], arm[order]), strict=True
    ):
        same(one, other)


@settings(max_examples=60, deadline=None)
@given(patients())
def test_restricted_mean_is_the_area_under_the_curve(data):
    times, events, _, _ = data
    table, horizon = risk_table(times, events), max(times.max() * 0.9, 1)
    midpoints = (np.arange(4000) + 0.5) / 4000 * horizon
    area = value_at(kaplan_meier(table), midpoints).estimate.mean() * horizon
    np.testing.assert_allclose(rmst(table, horizon).estimate, area, atol=horizon * 13 / 4000)


@settings(max_examples=60, deadline=None)
@given(patients())
def test_time_in_other_units(data):
    times, events, arm, _ = data
    months, days = risk_table(times, events, arm), risk_table(times * 30, events, arm)
    same([30 * v for v in quantile(kaplan_meier(months))], quantile(kaplan_meier(days)))
    same([30 * v for v in rmst_difference(months, 6)[:4]], rmst_difference(days, 180)[:4])


@settings(max_examples=60, deadline=None)
@given(patients())
def test_limits_enclose_the_estimate(data):
    times, events, _, _ = data
    curve = kaplan_meier(risk_table(times, events))
    for transform in TRANSFORMS:
        lower, upper = confidence_interval(curve.estimate, curve.variance, transform)
        inside = (lower <= curve.estimate + 1e-12) & (curve.estimate <= upper + 1e-12)
        assert (inside | np.isnan(lower)).all()


BAD = {
    "negative time": ([1, -2], [1, 0], [0, 1], "negative"),
    "missing time": ([1, np.nan], [1, 0], [0, 1], "times must be finite"),
    "infinite time": ([1, np.inf], [1, 0], [0, 1], "times must be finite"),
    "missing event": ([1, 2], [1, np.nan], [0, 1], "events must be finite"),
    "event code": ([1, 2], [1, 2], [0, 1], "event codes must be 0 .* found 2"),
    "arm code": ([1, 2], [1, 0], [1, 2], "arm must be 0 or 1"),
    "number of patients": ([1, 2, 3], [1, 0], [0, 1], r"same number.*times \(3,\)"),
    "leading axes": (np.ones((2, 3)), np.ones((4, 3)), [0, 1, 0], "leading axes"),
    "no patients": ([], [], [], "at least one"),
    "one number": (3, 1, 0, "last axis"),
    "words": (["a", "b"], [1, 0], [0, 1], "arrays of numbers"),
}


@pytest.mark.parametrize(("times", "events", "arm", "message"), BAD.values(), ids=BAD)
def test_bad_data(times, events, arm, message):
    with pytest.raises(ValueError, match=message):
        risk_table(times, events, arm)


def test_bad_arguments():
    table = risk_table([1, 2, 3, 4], [1, 1, 0, 1], [0, 1, 0, 1])
    curve = kaplan_meier(table)
    for call, message in (
        (lambda: value_at(curve, -1), "none negative"),
        (lambda: value_at(curve, np.nan), "none negative"),
        (lambda: confidence_interval(0.5, 0.1, "loglog"), "known: log-log"),
        (lambda: confidence_interval(0.5, 0.1, level=95), "level"),
        (lambda: quantile(curve, 1), "p must"),
        (lambda: quantile(curve, flat="last"), "known: midpoint"),
        (lambda: rmst(table, 0), "horizon"),
        (lambda: rmst_difference(table, np.nan), "horizon"),
        (lambda: reverse_kaplan_meier([1, 2], [1, 2]), "event codes"),
        (lambda: rmst_difference(risk_table(np.ones((2, 4)), np.ones(4)), 1), "needs arms"),
        (lambda: milestone_difference(risk_table(np.ones((2, 4)), np.ones(4)), 1), "needs arms"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_models_load_neither_widgets_nor_slow_libraries():
    code = (
        "import sys; sys.modules.update(ipywidgets=None, plotly=None);"
        "import widgets.survival.estimators, widgets.survival.comparisons, widgets.survival.competing;"
        "assert not {'scipy.stats', 'scipy.optimize', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_reference_covers_the_awkward_cases():
    assert not frozen_set("no_events").status.any()
    assert frozen_set("all_die").status.all()
    emptied = frozen_set("emptied_arm")
    assert emptied.time[emptied.arm == 1].max() < emptied.time.max() / 2
    assert np.unique(frozen_set("tied").time).size < 30

import numpy as np
import pytest
from tests.survival.frozen_results import agree, batch, patients, same
from hypothesis import given, settings

from widgets.survival.comparisons import logrank
from widgets.survival.competing import cumulative_incidence, gray_test
from widgets.survival.estimators import confidence_interval, kaplan_meier, risk_table, value_at


def test_incidence_against_cmprsk(with_events):
    frozen, r = with_events, with_events.r["competing"]
    theirs = r["pooled"]
    ours = value_at(cumulative_incidence(frozen.time, frozen.cause), theirs["time"])
    agree(ours, [theirs["estimate"], theirs["variance"]], absolute=1e-15)
    by_arm = cumulative_incidence(frozen.time, frozen.cause, arm=frozen.arm)
    for arm in (0, 1):
        theirs = r[f"arm{arm}"]
        ours = value_at(by_arm, theirs["time"])
        agree([v[arm] for v in ours], [theirs["estimate"], theirs["variance"]], absolute=1e-15)


def test_gray_against_cmprsk(with_events):
    for cause in (1, 2):
        chi2, p_value = with_events.r["competing"]["gray"][cause - 1]
        ours = gray_test(with_events.time, with_events.cause, with_events.arm, cause)
        agree([ours.z**2, ours.p_value], [chi2, p_value])


def test_incidence_against_statsmodels(with_events):
    from statsmodels.duration import survfunc

    theirs = survfunc.CumIncidenceRight(with_events.time, with_events.cause.astype(int))
    for cause in (1, 2):
        ours = cumulative_incidence(with_events.time, with_events.cause, cause)
        agree(value_at(ours, theirs.times).estimate, theirs.cinc[cause - 1], absolute=1e-15)


def test_limits_by_hand():
    """Marubini and Valsecchi's formula, F^exp(±z se / (F log F))."""
    curve = value_at(cumulative_incidence([1, 2, 3, 4, 5], [1, 2, 1, 0, 0]), 3)
    f, se = curve.estimate, np.sqrt(curve.variance)
    agree(f, 2 / 5)
    spread = 1.959963984540054 * se / (f * np.log(f))
    agree(confidence_interval(*curve), [f ** np.exp(-spread), f ** np.exp(spread)])


def test_without_a_cause_or_after_the_last_patient():
    curve = cumulative_incidence([1, 2, 3], [2, 2, 0])
    agree(value_at(curve, [0, 2]).estimate, [0, 0])
    assert np.isnan(value_at(curve, 4).estimate)
    test = gray_test([1, 2, 3, 4], [2, 0, 2, 0], [0, 1, 0, 1])
    assert np.isnan([test.z, test.p_value]).all()


def test_variance_is_close_to_the_spread_over_repetitions():
    rng = np.random.default_rng(3)
    event_time, other_time = rng.exponential(10, (4000, 80)), rng.exponential(15, (4000, 80))
    times = np.minimum(np.minimum(event_time, other_time), 12)
    causes = np.select([times == 12, event_time < other_time], [0, 1], 2)
    ours = value_at(cumulative_incidence(times, causes), 8)
    assert ours.variance.mean() == pytest.approx(ours.estimate.var(), rel=0.08)
    gray = gray_test(times, causes, np.arange(80) % 2)
    assert (gray.p_value < 0.05).mean() == pytest.approx(0.05, abs=0.013)


def test_many_data_sets_at_once_equal_one_by_one():
    times, causes, arm = batch((3, 4), 30, seed=1, causes=2)
    curves, tests = cumulative_incidence(times, causes, arm=arm), gray_test(times, causes, arm)
    together = value_at(curves, [2.0, 6.0])
    for index in np.ndindex(3, 4):
        single = times[index], causes[index]
        curve = cumulative_incidence(*single, arm=arm[index])
        same([v[index] for v in together], value_at(curve, [2.0, 6.0]))
        same([v[index] for v in tests], gray_test(*single, arm[index]))


@settings(max_examples=60, deadline=None)
@given(patients(causes=3))
def test_incidences_and_survival_add_up_to_one(data):
    times, causes, arm, _ = data
    total = sum(cumulative_incidence(times, causes, cause, arm).estimate for cause in (1, 2, 3))
    survival = kaplan_meier(risk_table(times, causes > 0, arm)).estimate
    np.testing.assert_allclose(total + survival, np.where(np.isnan(survival), np.nan, 1))


@settings(max_examples=60, deadline=None)
@given(patients())
def test_a_single_cause_is_one_minus_survival(data):
    times, events, arm, _ = data
    np.testing.assert_allclose(
        cumulative_incidence(times, events, arm=arm).estimate,
        1 - kaplan_meier(risk_table(times, events, arm)).estimate,
        atol=1e-12,
    )
    np.testing.assert_allclose(
        gray_test(times, events, arm).score, logrank(risk_table(times, events, arm)).score, atol=1e-9
    )


@settings(max_examples=60, deadline=None)
@given(patients(causes=2))
def test_order_units_and_names_of_arms(data):
    times, causes, arm, order = data
    one = gray_test(times, causes, arm)
    same(one, gray_test(times[order], causes[order], arm[order]))
    same(one, gray_test(np.exp(times / 4), causes, arm))
    np.testing.assert_allclose(one.z, -gray_test(times, causes, 1 - arm).z, atol=1e-9)


@pytest.mark.parametrize(
    ("causes", "cause", "message"),
    [
        ([1, 2, 0.5, 0], 1, "whole numbers"),
        ([1, -1, 0, 0], 1, "whole numbers"),
        ([1, np.nan, 0, 0], 1, "finite"),
        ([1, 2, 0, 0], 0, "cause must be"),
        ([1, 2, 0, 0], 1.5, "cause must be"),
        ([1, 2, 0], 1, "same number"),
    ],
)
def test_bad_data(causes, cause, message):
    for call in (
        lambda: cumulative_incidence([1, 2, 3, 4], causes, cause),
        lambda: gray_test([1, 2, 3, 4], causes, [0, 1, 0, 1], cause),
    ):
        with pytest.raises(ValueError, match=message):
            call()

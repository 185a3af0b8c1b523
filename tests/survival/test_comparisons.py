import numpy as np
import pytest
from tests.survival.frozen_results import agree, batch, numbers, patients, same
from hypothesis import given, settings

from widgets.survival.comparisons import (
    cox,
    fleming_harrington,
    hazard_ratio_by_period,
    logrank,
    maxcombo,
    maxcombo_critical_value,
    maxcombo_p_value,
    modest_weights,
    proportional_hazards_test,
)
from widgets.survival.estimators import risk_table

TIES = ("efron", "breslow")
TESTS = ("wald", "score", "likelihood_ratio")


def table_of(frozen):
    return risk_table(frozen.time, frozen.status, frozen.arm)


class TestAgainstR:
    def test_logrank_and_its_rho_family(self, with_events):
        table = table_of(with_events)
        agree(
            [logrank(table, fleming_harrington(table, rho, 0)).z ** 2 for rho in (0, 0.5, 1)],
            with_events.r["logrank"],
        )
        agree(logrank(table).z ** 2, with_events.r["logrank"][0])

    def test_late_and_modest_weights(self, with_events):
        table = table_of(with_events)
        for exponents, theirs in with_events.r["fleming_harrington"].items():
            rho, gamma = map(float, exponents.split(","))
            agree(logrank(table, fleming_harrington(table, rho, gamma))[:2], theirs)
        agree(logrank(table, modest_weights(table, with_events.r["delay"]))[:2], with_events.r["modest"])

    @pytest.mark.parametrize("ties", TIES)
    @pytest.mark.parametrize("covariate", ["arm", "covariate"])
    def test_cox(self, with_events, ties, covariate):
        theirs = with_events.r["cox"][ties][covariate]
        x = getattr(with_events, covariate)
        ours = cox(with_events.time, with_events.status, x, ties)
        for field in ("coefficient", "se", "lower", "upper", *TESTS):
            agree(getattr(ours, field), theirs[field])
        for transform, chi2 in theirs["proportional_hazards"].items():
            if not np.isnan(numbers(chi2)):
                test = proportional_hazards_test(with_events.time, with_events.status, x, transform, ties)
                agree(test.chi2, chi2)

    @pytest.mark.parametrize("ties", TIES)
    def test_hazard_ratio_by_period(self, with_events, ties):
        ours = hazard_ratio_by_period(
            with_events.time, with_events.status, with_events.arm, with_events.r["cuts"], ties
        )
        for k, theirs in enumerate(with_events.r["periods"][ties]):
            if np.isinf(ours.coefficient[k]):
                assert abs(theirs["coefficient"]) > 15, "R stops on the way to an infinite coefficient"
            else:
                agree([ours.coefficient[k], ours.se[k]], [theirs["coefficient"], theirs["se"]])


class TestAgainstStatsmodels:
    def test_weighted_logrank(self, with_events):
        from statsmodels.duration import survfunc

        table = table_of(with_events)
        arguments = with_events.time, with_events.status, with_events.arm
        agree(logrank(table).z ** 2, survfunc.survdiff(*arguments)[0])
        for rho in (0.5, 1):
            theirs = survfunc.survdiff(*arguments, weight_type="fh", fh_p=rho)[0]
            agree(logrank(table, fleming_harrington(table, rho, 0)).z ** 2, theirs)

    @pytest.mark.parametrize("ties", TIES)
    def test_cox(self, with_events, ties):
        from statsmodels.duration.hazard_regression import PHReg

        x = with_events.covariate
        theirs = PHReg(with_events.time, x[:, None], status=with_events.status, ties=ties)
        fit = cox(with_events.time, with_events.status, x, ties)
        # Its optimiser stops some 1e-6 away: compare the likelihood's slope and curvature at our estimate.
        at = np.array([fit.coefficient])
        assert abs(theirs.score(at)[0]) < 1e-8 * with_events.status.sum()
        agree(fit.se, (-theirs.hessian(at)[0, 0]) ** -0.5)


class TestMaxCombo:
    def test_components_are_the_single_tests(self, with_events):
        table, exponents = table_of(with_events), ((0, 0), (0, 1), (1, 0))
        combo = maxcombo(table, exponents)
        for k, (rho, gamma) in enumerate(exponents):
            agree(combo.z[k], logrank(table, fleming_harrington(table, rho, gamma)).z)
        agree(combo.statistic, np.abs(combo.z).max())
        agree(np.diagonal(combo.correlation), np.ones(3))

    def test_probability_where_it_is_known(self):
        z = np.array([1.0, 2.2, 3.0, 5.0])
        one = 2 * 0.5 * np.array([0.3173105078629141, 0.0278068950267, 0.0026997960632602, 5.733031437e-07])
        np.testing.assert_allclose(maxcombo_p_value(z, np.ones((3, 3))), one, rtol=1e-9)
        for k in (1, 2, 3, 4):
            np.testing.assert_allclose(maxcombo_p_value(z, np.eye(k)), 1 - (1 - one) ** k, rtol=2e-3)

    def test_probability_against_scipy(self):
        from scipy.stats import multivariate_normal

        times, events, arm = batch((4,), 60, seed=5, digits=1)
        combo = maxcombo(risk_table(times, events, arm), ((0, 0), (0, 1), (1, 1)))
        for statistic, correlation in zip(combo.statistic, combo.correlation, strict=True):
            limits = np.full(3, statistic)
            inside = multivariate_normal.cdf(limits, cov=correlation, lower_limit=-limits, abseps=1e-5, releps=0)
            assert maxcombo_p_value(statistic, correlation) == pytest.approx(1 - inside, rel=1e-3, abs=3e-5)

    def test_probability_of_a_singular_correlation_against_simulation(self):
        times, events, arm = batch((), 80, seed=6, digits=1)
        combo = maxcombo(risk_table(times, events, arm))
        assert np.linalg.eigvalsh(combo.correlation)[0] == pytest.approx(0, abs=1e-12)
        draws = np.random.default_rng(7).multivariate_normal(np.zeros(4), combo.correlation, 400_000, method="eigh")
        simulated = (np.abs(draws).max(-1) > 2.2).mean()
        assert maxcombo_p_value(2.2, combo.correlation) == pytest.approx(simulated, abs=4 * (0.06 / 400_000) ** 0.5)

    def test_critical_value(self):
        times, events, arm = batch((50,), 60, seed=8, digits=1)
        correlation = maxcombo(risk_table(times, events, arm)).correlation.mean(0)
        for alpha in (0.05, 0.01):
            critical = maxcombo_critical_value(correlation, alpha)
            assert maxcombo_p_value(critical, correlation) == pytest.approx(alpha, rel=1e-3)
        assert maxcombo_critical_value(np.eye(1)) == pytest.approx(1.959964, abs=1e-4)

    def test_undefined_without_events(self):
        combo = maxcombo(risk_table([1, 2, 3, 4], [0, 0, 0, 0], [0, 1, 0, 1]))
        assert np.isnan(maxcombo_p_value(combo.statistic, combo.correlation))

    def test_refuses(self):
        for call in (
            lambda: maxcombo_p_value(2, np.ones((2, 3))),
            lambda: maxcombo_critical_value(np.ones((2, 3))),
        ):
            with pytest.raises(ValueError, match="correlation must have shape"):
                call()
        with pytest.raises(ValueError, match="level"):
            maxcombo_critical_value(np.eye(2), alpha=0)


class TestDefinitions:
    def test_logrank_by_hand(self):
        result = logrank(risk_table([1, 2, 3, 4], [1, 1, 1, 1], [0, 1, 0, 1]))
        agree(result.score, 2 - (2 / 4 + 2 / 3 + 1 / 2 + 1))
        agree(result.variance, 1 / 4 + 2 / 9 + 1 / 4)

    def test_modest_weights_without_delay_is_logrank(self):
        times, events, arm = batch((), 40, seed=3)
        table = risk_table(times + 1, events, arm)
        same(logrank(table, modest_weights(table, 0.0)), logrank(table))

    def test_no_events_and_one_arm_alone(self):
        for events, arm in (([0, 0, 0], [0, 1, 1]), ([1, 1, 0], [1, 1, 1])):
            assert np.isnan(logrank(risk_table([1, 2, 3], events, arm)).z)
            fit = cox([1, 2, 3], events, arm)
            assert np.isnan([fit.coefficient, fit.se, fit.wald, fit.score, fit.likelihood_ratio]).all()
            assert np.isnan(proportional_hazards_test([1, 2, 3], events, arm).chi2)

    def test_no_information_about_time(self):
        """Deaths in both arms, but at a single time: no trend over time can be seen."""
        data = [3, 3, 3, 5, 5, 5], [1, 1, 0, 0, 0, 0], [0, 1, 0, 0, 1, 1]
        assert np.isfinite(cox(*data).coefficient)
        assert np.isnan(proportional_hazards_test(*data).chi2)

    def test_all_deaths_after_the_other_arm_has_left(self):
        fit = cox([1, 2, 3, 4, 5], [0, 0, 1, 1, 1], [0, 0, 1, 1, 1])
        assert np.isnan([fit.coefficient, fit.score, fit.likelihood_ratio]).all()

    def test_no_deaths_in_one_arm(self):
        times, events, arm = [1, 2, 3, 4, 5, 6], [1, 1, 0, 1, 0, 0], [0, 0, 1, 0, 1, 1]
        fit = cox(times, events, arm)
        assert (fit.coefficient, fit.hazard_ratio) == (-np.inf, 0)
        assert np.isnan([fit.se, fit.lower, fit.upper, fit.p_wald]).all()
        agree(fit.score, logrank(risk_table(times, events, arm)).z ** 2)
        # At the limit each death is certain to be in arm 0, among the 3, 2 and 1 patients still there.
        agree(fit.likelihood_ratio, 2 * (np.log(6 * 5 * 3) - np.log(3 * 2 * 1)))
        assert cox(times, events, 1 - np.array(arm)).coefficient == np.inf

    def test_score_test_without_ties_is_logrank(self):
        times, events, arm = batch((20,), 50, seed=4, digits=9)
        agree(cox(times, events, arm).score, logrank(risk_table(times, events, arm)).z ** 2)

    def test_periods_split_the_whole(self):
        times, events, arm = batch((), 60, seed=5, digits=1)
        whole = cox(times, events, arm, "breslow")
        parts = hazard_ratio_by_period(times, events, arm, [4, 12], "breslow")
        assert parts.likelihood_ratio.sum() >= whole.likelihood_ratio
        one_period = hazard_ratio_by_period(times, events, arm, [1e6])
        same([values[0] for values in one_period], cox(times, events, arm))
        assert np.isnan([values[1] for values in one_period]).all()

    def test_level_and_chance(self):
        """Five per cent of trials without a difference are significant at five per cent."""
        rng = np.random.default_rng(11)
        times, arm = rng.exponential(1, (3000, 100)), np.arange(100) % 2
        table = risk_table(np.minimum(times, 1.5), times < 1.5, arm)
        combo = maxcombo(table)
        shares = [
            (logrank(table).p_value < 0.05).mean(),
            (cox(np.minimum(times, 1.5), times < 1.5, arm).p_score < 0.05).mean(),
            (combo.statistic > maxcombo_critical_value(combo.correlation.mean(0))).mean(),
        ]
        np.testing.assert_allclose(shares, 0.05, atol=0.013)


def comparisons(times, events, arm):
    table = risk_table(times, events, arm)
    yield logrank(table)
    yield logrank(table, fleming_harrington(table, 0.5, 1))
    yield logrank(table, modest_weights(table, 5.0))
    yield maxcombo(table)
    for ties in TIES:
        yield cox(times, events, arm, ties)
        yield proportional_hazards_test(times, events, arm, "rank", ties)
        yield hazard_ratio_by_period(times, events, arm, [4, 9], ties)


def test_many_data_sets_at_once_equal_one_by_one():
    times, events, arm = batch((3, 4), 30, seed=1)
    together = list(comparisons(times, events, arm))
    for index in np.ndindex(3, 4):
        for whole, single in zip(together, comparisons(times[index], events[index], arm[index]), strict=True):
            same([values[index] for values in whole], single, relative=1e-7, absolute=1e-9)


@settings(max_examples=60, deadline=None)
@given(patients())
def test_order_of_patients_does_not_matter(data):
    times, events, arm, order = data
    for one, other in zip(
        comparisons(times, events, arm), comparisons(times[order], events[order], arm[order]), strict=True
    ):
        same(one, other, relative=1e-6, absolute=1e-7)


@settings(max_examples=60, deadline=None)
@given(patients())
def test_only_the_order_of_times_matters(data):
    times, events, arm, _ = data
    stretched = np.exp(times / 3) + times**2
    one, other = risk_table(times, events, arm), risk_table(stretched, events, arm)
    same(logrank(one), logrank(other))
    same(maxcombo(one), maxcombo(other))
    same(cox(times, events, arm), cox(stretched, events, arm))
    for transform in ("km", "rank"):
        same(
            proportional_hazards_test(times, events, arm, transform),
            proportional_hazards_test(stretched, events, arm, transform),
            absolute=1e-7,
        )


@settings(max_examples=60, deadline=None)
@given(patients())
def test_exchanging_the_arms_turns_the_sign(data):
    times, events, arm, _ = data
    there, back = (risk_table(times, events, a) for a in (arm, 1 - arm))
    np.testing.assert_allclose(logrank(there).z, -logrank(back).z, atol=1e-12)
    there, back = (cox(times, events, a) for a in (arm, 1 - arm))
    np.testing.assert_allclose(there.coefficient, -back.coefficient, atol=1e-8)
    np.testing.assert_allclose(there.likelihood_ratio, back.likelihood_ratio, atol=1e-8)


@settings(max_examples=60, deadline=None)
@given(patients())
def test_units_of_the_covariate(data):
    times, events, _, order = data
    one, other = cox(times, events, order), cox(times, events, 1000.0 * order + 5e4)
    np.testing.assert_allclose(one.coefficient, 1000 * other.coefficient, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(one.score, other.score, rtol=1e-6, atol=1e-9)


def test_bad_arguments():
    data = [1, 2, 3, 4], [1, 1, 0, 1], [0, 1, 0, 1]
    table = risk_table(*data)
    for call, message in (
        (lambda: logrank(risk_table(np.ones((2, 4)), np.ones(4))), "needs arms"),
        (lambda: maxcombo(risk_table(np.ones((2, 4)), np.ones(4))), "needs arms"),
        (lambda: fleming_harrington(table, -1, 0), "must not be negative"),
        (lambda: modest_weights(table, -1), "must not be negative"),
        (lambda: modest_weights(table, np.nan), "must not be negative"),
        (lambda: cox(*data, ties="exact"), "known: efron"),
        (lambda: cox(*data, level=0), "level"),
        (lambda: cox(data[0], data[1], [0, 1, np.nan, 1]), "covariate must be finite"),
        (lambda: cox([1, 2, 3, -4], *data[1:]), "negative"),
        (lambda: hazard_ratio_by_period(*data, cuts=[3, 2]), "rising"),
        (lambda: hazard_ratio_by_period(*data, cuts=[0, 2]), "rising"),
        (lambda: hazard_ratio_by_period(*data, cuts=2), "rising"),
        (lambda: proportional_hazards_test(*data, transform="sqrt"), "known: km"),
        (lambda: proportional_hazards_test([0, 1, 2, 3], *data[1:], transform="log"), "after time 0"),
    ):
        with pytest.raises(ValueError, match=message):
            call()

"""Tests and hazard ratios that compare two arms.

The rank tests take a risk table with arms (see estimators), the Cox model patients' values; leading axes are
data sets. Arm 1 is compared with arm 0: a negative z, or a hazard ratio below 1, says fewer events in arm 1.
P values are two-sided. Where the data hold no information (no events, one arm), results are NaN. A risk table
without arms raises ValueError.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.special import betaincinv, chdtrc, ndtr

from .estimators import RiskTable, before, check_data, critical_z, risk_table, survival_steps, tie_ends

MAXCOMBO = ((0, 0), (0, 1), (1, 0), (1, 1))


class RankTest(NamedTuple):
    """Weighted observed minus expected events in arm 1, its variance, z, two-sided P value; each (...)."""

    score: np.ndarray
    variance: np.ndarray
    z: np.ndarray
    p_value: np.ndarray


class MaxCombo(NamedTuple):
    """Component z (..., k), their correlation (..., k, k), and the largest |z| (...)."""

    z: np.ndarray
    correlation: np.ndarray
    statistic: np.ndarray


class Cox(NamedTuple):
    """Log hazard ratio per unit of covariate, standard error, ratio with Wald limits, three chi² tests."""

    coefficient: np.ndarray
    se: np.ndarray
    hazard_ratio: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    wald: np.ndarray
    score: np.ndarray
    likelihood_ratio: np.ndarray
    p_wald: np.ndarray
    p_score: np.ndarray
    p_likelihood_ratio: np.ndarray


class ProportionalHazards(NamedTuple):
    chi2: np.ndarray
    p_value: np.ndarray


def fleming_harrington(table: RiskTable, rho: float, gamma: float):
    """Weights S(t−)^ρ (1 − S(t−))^γ (..., n), S pooled Kaplan–Meier (Fleming & Harrington 1991).

    G(0,0) is the log-rank test. Raises ValueError for a negative exponent.
    """
    if rho < 0 or gamma < 0:
        raise ValueError("rho and gamma must not be negative")
    survival = before(survival_steps(table.pooled()), 1.0)
    return survival**rho * (1 - survival) ** gamma


def modest_weights(table: RiskTable, delay: float):
    """Modestly weighted log-rank weights 1 / max(S(t−), S(delay)) (..., n) (Magirr & Burman 2019).

    S is pooled Kaplan–Meier. Weights rise until the delay that is expected of the effect (a time), then stay.
    Raises ValueError if it is negative.
    """
    if not delay >= 0:
        raise ValueError("delay must not be negative")
    pooled = table.pooled()
    survival = survival_steps(pooled)
    at_delay = np.where(pooled.time <= delay, survival, 1).min(-1, keepdims=True)
    return 1 / np.maximum(before(survival, 1.0), at_delay)


def logrank(table: RiskTable, weights=None) -> RankTest:
    """Log-rank test with hypergeometric variance, or a weighted one with weights (..., n) (Mantel 1966).

    z² is the chi² of R's survdiff, whose rho equals fleming_harrington(table, rho, 0).
    """
    excess, variance = _steps(table)
    if weights is not None:
        excess, variance = weights * excess, weights**2 * variance
    score, variance = excess.sum(-1), variance.sum(-1)
    z = _ratio(score, np.sqrt(variance))
    return RankTest(score, variance, z, 2 * ndtr(-np.abs(z)))


def maxcombo(table: RiskTable, exponents=MAXCOMBO) -> MaxCombo:
    """Largest |z| of several Fleming–Harrington tests, exponents ((ρ, γ), …), and their correlation.

    Lin et al. 2020; Karrison 2016. The P value takes milliseconds per data set: maxcombo_p_value; for many
    simulated trials compare the statistic with one maxcombo_critical_value of their mean correlation.
    """
    excess, variance = _steps(table)
    weights = np.stack([fleming_harrington(table, rho, gamma) for rho, gamma in exponents], axis=-2)
    score = (weights @ excess[..., None])[..., 0]
    covariance = (weights * variance[..., None, :]) @ np.swapaxes(weights, -1, -2)
    spread = np.diagonal(covariance, axis1=-2, axis2=-1)
    z = _ratio(score, np.sqrt(spread))
    correlation = _ratio(covariance, np.sqrt(spread[..., None] * spread[..., None, :]))
    return MaxCombo(z, correlation, np.abs(z).max(-1))


def maxcombo_p_value(statistic, correlation):
    """P(max |Z| ≥ statistic), Z multivariate normal with that correlation (..., k, k); statistic, P (...).

    By spherical-radial integration (Monahan & Genz 1997) on a fixed lattice, so that results repeat exactly;
    about 3 ms each, relative error below 1e-4 up to rank 3, 1e-3 at rank 4. G(0,0) is the sum of G(1,0) and
    G(0,1), which makes the usual correlations singular; there scipy's multivariate_normal.cdf can be off by
    several per cent. NaN for a NaN statistic or correlation. ValueError if correlation is not (..., k, k).
    """
    statistic, correlation = np.asarray(statistic, dtype=float), np.asarray(correlation, dtype=float)
    if correlation.ndim < 2 or correlation.shape[-1] != correlation.shape[-2]:
        raise ValueError(f"correlation must have shape (..., k, k), not {correlation.shape}")
    shape = np.broadcast_shapes(statistic.shape, correlation.shape[:-2])
    statistic = np.broadcast_to(statistic, shape)
    correlation = np.broadcast_to(correlation, (*shape, *correlation.shape[-2:]))
    result = np.full(shape, np.nan)
    for index in np.ndindex(shape):
        if np.isfinite(statistic[index]) and np.isfinite(correlation[index]).all():
            result[index] = _outside(statistic[index], correlation[index])
    return result[()]


def maxcombo_critical_value(correlation, alpha=0.05) -> float:
    """The value that the largest |z| exceeds with probability alpha under one correlation (k, k).

    Raises ValueError for alpha outside 0 to 1 or correlation that is not (k, k).
    """
    from scipy.optimize import brentq

    correlation = np.asarray(correlation, dtype=float)
    if correlation.ndim != 2 or correlation.shape[0] != correlation.shape[1]:
        raise ValueError(f"correlation must have shape (k, k), not {correlation.shape}")
    # Between one test at alpha and Bonferroni's bound for k tests.
    single, bonferroni = critical_z(1 - alpha), critical_z(1 - alpha / len(correlation))
    return brentq(lambda c: _outside(c, correlation) - alpha, single - 0.01, bonferroni + 0.01, xtol=1e-5)


def cox(times, events, covariate, ties="efron", level=0.95) -> Cox:
    """Cox regression on one covariate by maximum partial likelihood (Cox 1972); results (...).

    times, events (..., n) as in risk_table; covariate (n,) or (..., n), any finite numbers (arm: 0, 1).
    ties: "efron" (Efron 1977; R's default) or "breslow". Limits and wald use the information at the estimate,
    score that at 0. Where the likelihood rises without end (no deaths in one of two arms) the coefficient is
    infinite, its limits and Wald test are NaN, and the other two tests hold; R stops at some large value.
    Raises ValueError as check_data, for unknown ties, or a level outside 0 to 1.
    """
    z = critical_z(level)
    deaths = _deaths(times, events, covariate, ties)
    coefficient = _maximum(deaths)
    limit = np.copysign(500 / deaths.width, coefficient)  # far enough out for the likelihood to be level
    null = _likelihood(deaths, np.zeros_like(coefficient))
    fitted = _likelihood(deaths, np.where(np.isinf(coefficient), limit, coefficient))
    se = np.where(np.isfinite(coefficient), _ratio(1, np.sqrt(fitted.information)), np.nan)
    wald, score = (coefficient / se) ** 2, _ratio(null.score**2, null.information)
    rise = np.maximum(fitted.log_likelihood - null.log_likelihood, 0)  # rounding may leave −1e-15
    score, likelihood_ratio = (np.where(np.isnan(coefficient), np.nan, v) for v in (score, 2 * rise))
    with np.errstate(over="ignore"):
        ratios = np.exp(np.stack([coefficient, coefficient - z * se, coefficient + z * se]))
    tests = (wald, score, likelihood_ratio)
    return Cox(coefficient, se, *ratios, *tests, *(chdtrc(1, chi2) for chi2 in tests))


def hazard_ratio_by_period(times, events, covariate, cuts, ties="efron", level=0.95) -> Cox:
    """Cox regression within each period [0, c₁], (c₁, c₂], …, (cₖ, ∞); results (..., k + 1).

    A period's partial likelihood holds its own deaths among those then at risk: the same as splitting
    follow-up at the cuts (R's survSplit). Cuts chosen after seeing the curves make P values too small, and
    later periods compare survivors. Raises ValueError as cox, and for cuts that are not positive and rising.
    """
    cuts = np.asarray(cuts, dtype=float)
    if cuts.ndim != 1 or not (np.diff(cuts, prepend=0) > 0).all():
        raise ValueError("cuts must be a list of positive, rising times")
    times, events, covariate = check_data(times, events, covariate=covariate)
    period = np.searchsorted(cuts, times)[..., None, :]
    within = period == np.arange(cuts.size + 1)[:, None]
    return cox(times[..., None, :], events[..., None, :] * within, covariate[..., None, :], ties, level)


def proportional_hazards_test(times, events, covariate, transform="km", ties="efron") -> ProportionalHazards:
    """Score test that the log hazard ratio does not change with g(time); chi² on one degree of freedom, P.

    Grambsch & Therneau 1994, in the exact form of R's cox.zph since survival 3.0. transform names g: "km"
    (1 − S(t−), R's default), "identity", "log" or "rank". Arguments and errors as for cox, and ValueError for
    an unknown transform or the log of a death at time 0. NaN where the hazard ratio is not finite.
    """
    deaths = _deaths(times, events, covariate, ties)
    if transform == "km":
        g = 1 - before(survival_steps(risk_table(times, events)), 1.0)
    elif transform == "identity":
        g = deaths.time
    elif transform == "log":
        if (deaths.event & (deaths.time == 0)).any():
            raise ValueError("transform log needs deaths after time 0")
        g = np.log(np.where(deaths.event, deaths.time, 1))
    elif transform == "rank":
        g = (deaths.first + deaths.last) / 2
    else:
        raise ValueError(f"unknown transform {transform!r}; known: km, identity, log, rank")
    number = deaths.event.sum(-1, keepdims=True)
    centred = g - _ratio((g * deaths.event).sum(-1, keepdims=True), number)
    coefficient = _maximum(deaths)
    _, residual, variance = _death_terms(deaths, np.where(np.isfinite(coefficient), coefficient, np.nan))
    score, own = (centred * residual).sum(-1), (centred**2 * variance).sum(-1)
    shared = _ratio((centred * variance).sum(-1) ** 2, variance.sum(-1))
    # With all informative deaths at one time nothing but rounding would be left to divide by.
    alone = np.where(own - shared > 1e-12 * (g**2 * variance).sum(-1), own - shared, 0)
    chi2 = _ratio(score**2, alone)
    return ProportionalHazards(chi2, chdtrc(1, chi2))


class _Deaths(NamedTuple):
    """What the partial likelihood needs, in order of time (..., n); width (...) is the covariate's range."""

    time: np.ndarray
    event: np.ndarray
    covariate: np.ndarray
    first: np.ndarray
    last: np.ndarray
    removed: np.ndarray
    width: np.ndarray


class _Likelihood(NamedTuple):
    log_likelihood: np.ndarray
    score: np.ndarray
    information: np.ndarray


def _deaths(times, events, covariate, ties) -> _Deaths:
    if ties not in ("efron", "breslow"):
        raise ValueError(f"unknown ties {ties!r}; known: efron, breslow")
    arrays = check_data(times, events, covariate=covariate)
    order = np.argsort(arrays[0], axis=-1)
    time, event, covariate = (np.take_along_axis(values, order, -1) for values in arrays)
    position = np.broadcast_to(np.arange(time.shape[-1]), time.shape)
    last = tie_ends(time)
    first = np.maximum.accumulate(np.where(np.roll(last, 1, axis=-1), position, 0), axis=-1)
    last = np.minimum.accumulate(np.where(last, position, time.shape[-1])[..., ::-1], axis=-1)[..., ::-1]
    removed = np.zeros(time.shape)
    if ties == "efron":
        # Of d tied deaths, the j-th is compared with a risk set from which the share j/d of the d is removed.
        rank = np.cumsum(event, -1) - event
        rank = rank - np.take_along_axis(rank, first, -1)
        removed = event * rank / np.maximum(_tied(event, first, last), 1)
    width = np.ptp(covariate, axis=-1)
    covariate = covariate - covariate.mean(-1, keepdims=True)  # products of large values would lose digits
    return _Deaths(time, event > 0, covariate, first, last, removed, np.where(width > 0, width, 1))


def _tied(values, first, last):
    """Sum over each position's tie."""
    total = np.cumsum(values, -1)
    return np.take_along_axis(total, last, -1) - np.take_along_axis(before(total, 0.0), first, -1)


def _death_terms(deaths, coefficient):
    """Log-likelihood, Schoenfeld residual, and variance of the covariate among those at risk, per death."""
    x = deaths.covariate
    linear = coefficient[..., None] * x
    weight = np.exp(linear)
    tied = deaths.removed.any()

    def at_risk(values):
        total = np.take_along_axis(np.cumsum(values[..., ::-1], -1)[..., ::-1], deaths.first, -1)
        if tied:
            total = total - deaths.removed * _tied(values * deaths.event, deaths.first, deaths.last)
        return total

    total = at_risk(weight)
    mean = at_risk(weight * x) / total
    variance = at_risk(weight * x**2) / total - mean**2
    terms = (linear - np.log(total), x - mean, np.maximum(variance, 0))
    return tuple(np.where(deaths.event, term, 0) for term in terms)


def _likelihood(deaths, coefficient) -> _Likelihood:
    return _Likelihood(*(term.sum(-1) for term in _death_terms(deaths, coefficient)))


def _maximum(deaths):
    """Where the partial likelihood peaks (...): infinite if it rises without end, NaN if it is level."""
    x = deaths.covariate

    def extreme(function):
        from_here_on = function.accumulate(x[..., ::-1], axis=-1)[..., ::-1]
        return ((x == np.take_along_axis(from_here_on, deaths.first, -1)) | ~deaths.event).all(-1)

    rises, falls = extreme(np.maximum), extreme(np.minimum)
    unbounded = np.select([rises & falls, rises, falls], [np.nan, np.inf, -np.inf], 0.0)
    coefficient = np.zeros(deaths.width.shape)
    low, high = np.full_like(coefficient, -np.inf), np.full_like(coefficient, np.inf)
    largest = 4 / deaths.width
    for _ in range(100):
        now = _likelihood(deaths, coefficient)
        # Newton's step, halved into the bracket that the sign of the score has left when it would overshoot.
        low = np.where(now.score > 0, coefficient, low)
        high = np.where(now.score < 0, coefficient, high)
        step = np.nan_to_num(_ratio(now.score, now.information))
        proposed = coefficient + np.clip(step, -largest, largest)
        overshoots = (proposed < low) | (proposed > high)
        with np.errstate(invalid="ignore"):  # a bracket still open on both sides
            proposed = np.where(overshoots, (low + high) / 2, proposed)
        proposed = np.where(unbounded == 0, proposed, 0)
        moved = np.abs(proposed - coefficient) * deaths.width
        coefficient = proposed
        if (moved < 1e-9).all():
            break
    return coefficient + unbounded


def _steps(table: RiskTable):
    """Observed minus expected events in arm 1 and their hypergeometric variance, at each time (..., n)."""
    _, at_risk, events = table.pooled()
    share = table.at_risk[..., 1, :] / np.maximum(at_risk, 1)
    variance = events * share * (1 - share) * (at_risk - events) / np.maximum(at_risk - 1, 1)
    return table.events[..., 1, :] - events * share, variance


def _ratio(numerator, denominator):
    """Division that gives NaN where the denominator holds no information."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.asarray(denominator) > 0, numerator / np.asarray(denominator), np.nan)


def _outside(bound, correlation):
    """P(max |Z| ≥ bound) averaged over directions: along each, the radius of Z must exceed a known length."""
    spread, axes = np.linalg.eigh(correlation)
    spanned = spread > 1e-10 * len(correlation)
    directions = _directions(int(spanned.sum()))
    farthest = np.abs(directions @ (axes[:, spanned] * np.sqrt(spread[spanned])).T).max(-1)
    return chdtrc(directions.shape[-1], (bound / farthest) ** 2).mean()


@cache
def _directions(dimensions, number=2**14):
    """Unit vectors spread evenly over a sphere, from a lattice whose generator g solves g^(d − 1) = 1 + g."""
    if dimensions == 1:
        return np.ones((1, 1))
    generator = 2.0
    for _ in range(60):
        generator = (1 + generator) ** (1 / (dimensions - 1))
    steps = np.arange(number)[:, None] + 0.5
    lattice = np.hstack([steps / number, steps * generator ** -np.arange(1.0, dimensions - 1) % 1])
    angle = 2 * np.pi * lattice[:, -1]
    vectors = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    for d in range(3, dimensions + 1):  # a point's height on a sphere has a symmetric beta distribution
        height = 2 * betaincinv((d - 1) / 2, (d - 1) / 2, lattice[:, d - 3, None]) - 1
        vectors = np.hstack([height, np.sqrt(1 - height**2) * vectors])
    return vectors

"""Competing risks: cumulative incidence of one cause of failure, and Gray's test between two arms.

Causes are coded 0 (censored), 1, 2, …; shapes and leading axes as in estimators.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from .estimators import Curve, RiskTable, as_curve, before, check_data, risk_table, survival_steps


class GrayTest(NamedTuple):
    """Score of arm 1, its variance, z (below 0: lower incidence in arm 1), two-sided P value; each (...)."""

    score: np.ndarray
    variance: np.ndarray
    z: np.ndarray
    p_value: np.ndarray


def cumulative_incidence(times, causes, cause=1, arm=None) -> Curve:
    """Aalen–Johansen cumulative incidence of one cause (Aalen & Johansen 1978), without or by arm.

    times (..., n); causes (..., n), 0 censored, 1, 2, … what happened; arm (n,) or (..., n), coded 0 and 1.
    With arms the curve has an arm axis before that of times. The variance is that of cmprsk's cuminc (Aalen
    1978); for limits see confidence_interval. Raises ValueError as check_data, and for a cause not 1, 2, ….
    """
    table, failures = _tables(times, causes, cause, arm)
    survival, incidence = survival_steps(table), _incidence_steps(table, failures)
    own, other = _cause_variances(table, failures)
    # An event at v moves F(t) through its own jump and through all later ones, which scale with S(v):
    # Σ own (1 − c)² + other c², c = (F(t) − F(v)) / S(v), as running sums of the powers of F(t).
    left = survival > 0
    reciprocal = np.divide(1, survival, where=left, out=np.zeros_like(survival)) ** 2
    jump = survival + incidence
    squares = own * np.where(left, jump**2 * reciprocal, 1) + other * incidence**2 * reciprocal
    cross = (own * jump + other * incidence) * reciprocal
    constant, linear, quadratic = (np.cumsum(v, -1) for v in (squares, cross, (own + other) * reciprocal))
    variance = np.maximum(constant - 2 * incidence * linear + incidence**2 * quadratic, 0)
    return as_curve(table, incidence, variance, 0.0)


def gray_test(times, causes, arm, cause=1) -> GrayTest:
    """Gray's test that the cumulative incidence of one cause is the same in both arms (Gray 1988, ρ = 0).

    Arguments and errors as for cumulative_incidence; results (...). z² is the chi² of R's cuminc, with
    its corrections for ties (which make the variance too small where many tie while one arm is almost empty).
    NaN where there is no event of that cause, or only one arm.
    """
    table, failures = _tables(times, causes, cause, arm)
    survival = survival_steps(table)
    free = before(survival, 1.0)
    scale = table.at_risk / np.where(table.at_risk > 0, free, 1)
    # Subdistribution risk sets: those still free of the cause, whether or not something else came first.
    at_risk = scale * (1 - before(_incidence_steps(table, failures), 0.0))
    total = at_risk.sum(-2, keepdims=True)
    share = at_risk / np.where(total > 0, total, 1)
    events = failures.events.sum(-2, keepdims=True)
    score = (failures.events - events * share)[..., 1, :].sum(-1)

    # Pooled incidence under equality, and what the arms' estimated risk sets add to the variance.
    exposure = scale.sum(-2, keepdims=True)
    exposure = np.where(exposure > 0, exposure, 1)
    step = events / exposure
    incidence = np.cumsum(step, -1)
    contrast = scale * (np.array([[0.0], [1.0]]) - scale[..., 1:, :] / exposure)
    with np.errstate(divide="ignore", invalid="ignore"):  # in tiny data sets the pooled estimate can reach 1
        drift = np.cumsum(contrast * step / (1 - before(incidence, 0.0)), axis=-1)
    drift = drift[..., -1:] - drift
    left = survival > 0
    odds = np.divide(1 - incidence, survival, where=left, out=np.zeros_like(survival))
    _, other = _cause_variances(table, failures)
    own = np.divide(step, scale, where=scale > 0, out=np.zeros_like(scale))
    own = own * _tie_correction(events, exposure * free)
    variance = (own * (contrast + (1 - odds) * drift) ** 2 + other * (odds * drift) ** 2).sum((-2, -1))
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(variance > 0, score / np.sqrt(variance), np.nan)
    return GrayTest(score, variance, z, 2 * ndtr(-np.abs(z)))


def _incidence_steps(table: RiskTable, failures: RiskTable):
    free = before(survival_steps(table), 1.0)
    return np.cumsum(free * failures.events / np.maximum(table.at_risk, 1), axis=-1)


def _cause_variances(table: RiskTable, failures: RiskTable):
    """Variance of the jumps S(t−) d/Y by the cause in question and by the others."""
    at_risk = np.maximum(table.at_risk, 1)
    unit = (before(survival_steps(table), 1.0) / at_risk) ** 2
    causes = failures.events, table.events - failures.events
    return tuple(unit * d * _tie_correction(d, at_risk) for d in causes)


def _tie_correction(events, at_risk):
    """Hypergeometric factor (Y − d) / (Y − 1) for d tied events."""
    others = at_risk - 1
    share = np.divide(events - 1, others, where=(events > 1) & (others > 0), out=np.zeros(at_risk.shape))
    return 1 - share


def _tables(times, causes, cause, arm):
    """Risk tables of any failure and of failure from one cause."""
    if cause < 1 or cause != int(cause):
        raise ValueError(f"cause must be 1, 2, …, not {cause}")
    times, causes = check_data(times, causes, codes=None)
    return risk_table(times, causes > 0, arm), risk_table(times, causes == cause, arm)

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

    times (..., n); causes (..., n), 0 censored, 1, 2, … what happened; arm (n,) or (..., n), coded 0 and 1. With
    arms the curve has an arm axis before that of times. The variance is that of cmprsk's cuminc (Aalen 1978).
    Limits: confidence_interval. Raises ValueError as check_data, and for a cause that is not 1, 2, ….
    """
    table, failures = _tables(times, causes, cause, arm)
    survivors = np.maximum(table.at_risk - table.events, 1)
    at_risk, own = np.maximum(table.at_risk, 1), failures.events
    free = before(survival_steps(table), 1.0)
    incidence = np.cumsum(free * own / at_risk, axis=-1)
    raise NotImplementedError


def gray_test(times, causes, arm, cause=1):
    raise NotImplementedError


def _tables(times, causes, cause, arm):
    """Risk tables of any failure and of failure from one cause."""
    if cause < 1 or cause != int(cause):
        raise ValueError(f"cause must be 1, 2, …, not {cause}")
    times, causes = check_data(times, causes, codes=None)
    return risk_table(times, causes > 0, arm), risk_table(times, causes == cause, arm)

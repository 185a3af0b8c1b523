"""Nonparametric estimators for right-censored survival times.

Everything starts from a risk table, so that data are checked and sorted once:

    table = risk_table(times, events, arm)
    curve = kaplan_meier(table)
    quantile(curve), rmst_difference(table, horizon=96)

Leading axes are data sets (draws, simulated trials), the last axis is patients: times and events have shape
(..., n), arm has shape (n,) or (..., n). With arms, results carry an arm axis of length two (arm 0, arm 1)
before the axis of times. Time is in whatever unit the times are in (months, in this workbook). A patient
censored at the time of a death counts as at risk for it. What the data leave undefined is NaN, never an
extrapolation, so that one exhausted data set does not stop a thousand others.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

TRANSFORMS = ("log-log", "plain", "log", "logit", "arcsin")


class RiskTable(NamedTuple):
    """Patients at risk just before, and events at, each ordered time.

    Tied patients share one row: their events stand at the last of their positions, zero at the others.
    time (..., n), or (..., 1, n) with arms; at_risk and events (..., n), or (..., 2, n) with arms.
    """

    time: np.ndarray
    at_risk: np.ndarray
    events: np.ndarray

    def by_arm(self) -> "RiskTable":
        """This table; ValueError if it has no arms, whose axis other data sets would be taken for."""
        if self.time.shape == self.at_risk.shape:
            raise ValueError("a comparison needs arms: risk_table(times, events, arm)")
        return self

    def pooled(self) -> "RiskTable":
        """The same table over both arms together. Raises ValueError without arms."""
        self.by_arm()
        return RiskTable(self.time[..., 0, :], self.at_risk.sum(-2), self.events.sum(-2))


class Curve(NamedTuple):
    """A right-continuous step function estimated at each time of a risk table, with its variance.

    start is the value at time 0. The estimate is known up to until (..., 1): the last patient's time, or
    infinity where that patient had the event. Later values are NaN.
    """

    time: np.ndarray
    estimate: np.ndarray
    variance: np.ndarray
    start: float
    until: np.ndarray


class Estimate(NamedTuple):
    estimate: np.ndarray
    variance: np.ndarray


class Interval(NamedTuple):
    lower: np.ndarray
    upper: np.ndarray


class Quantile(NamedTuple):
    estimate: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


class Difference(NamedTuple):
    """Arm 1 minus arm 0, standard error, normal confidence limits, two-sided Wald P value."""

    estimate: np.ndarray
    se: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    p_value: np.ndarray


def check_data(times, events, codes=(0, 1), **per_patient):
    """Arrays of one common shape (..., n) from times, event codes and further values per patient.

    Raises ValueError for times that are negative or not finite, event codes outside codes (None: any
    non-negative whole number), further values that are not finite, no patients, or shapes that differ.
    """
    arrays = {"times": times, "events": events, **per_patient}
    try:
        arrays = {name: np.asarray(values, dtype=float) for name, values in arrays.items()}
    except (TypeError, ValueError) as error:
        raise ValueError(f"{', '.join(arrays)} must be rectangular arrays of numbers") from error
    shapes = ", ".join(f"{name} {values.shape}" for name, values in arrays.items())
    if len({values.shape[-1:] for values in arrays.values()}) > 1 or arrays["times"].shape[-1:] in ((), (0,)):
        raise ValueError(f"each array needs the same number (at least one) of patients on its last axis: {shapes}")
    try:
        checked = np.broadcast_arrays(*arrays.values())
    except ValueError as error:
        raise ValueError(f"leading axes do not match: {shapes}") from error
    for name, values in arrays.items():
        if not np.isfinite(values).all():
            raise ValueError(f"{name} must be finite: found NaN or infinity")
    if (arrays["times"] < 0).any():
        raise ValueError("times must not be negative")
    if codes is None:
        valid = (arrays["events"] >= 0) & (arrays["events"] == np.floor(arrays["events"]))
    else:
        valid = np.isin(arrays["events"], codes)
    if not valid.all():
        expected = "whole numbers from 0 (censored)" if codes is None else "0 (censored) or 1 (event)"
        raise ValueError(f"event codes must be {expected}: found {arrays['events'][~valid][0]:g}")
    if "arm" in arrays and not np.isin(arrays["arm"], (0, 1)).all():
        raise ValueError("arm must be 0 or 1")
    return checked


def risk_table(times, events, arm=None) -> RiskTable:
    """Patients at risk and events at each ordered time, in all or by arm.

    times (..., n), at least 0; events (..., n), 1 event, 0 censored; arm (n,) or (..., n), coded 0 and 1.
    Ties are times exactly equal (R also joins those that differ only by rounding). Raises ValueError on any
    other input (see check_data).
    """
    arms = {} if arm is None else {"arm": arm}
    columns = check_data(times, events, **arms)
    order = np.argsort(columns[0], axis=-1)
    time, events, *arms = (np.take_along_axis(values, order, -1) for values in columns)
    if arms:
        time, events = time[..., None, :], events[..., None, :]
        counts = np.stack([1 - arms[0], arms[0]], axis=-2)
    else:
        counts = np.ones(time.shape)
    at_risk = counts.sum(-1, keepdims=True) - np.cumsum(counts, -1) + counts
    events = counts * events
    last = tie_ends(time)
    if not last.all():
        # At risk is largest where its tie begins, and so far only falls: carry the value there forward.
        first = np.roll(last, 1, axis=-1)
        at_risk = np.minimum.accumulate(np.where(first, at_risk, np.inf), axis=-1)
        total = np.maximum.accumulate(np.where(last, np.cumsum(events, -1), 0), axis=-1)
        events = np.diff(total, axis=-1, prepend=0)
    return RiskTable(time, at_risk, events)


def tie_ends(time):
    """True at the last position of each run of equal times; time (..., n) is in order."""
    last = np.ones(time.shape, bool)
    np.not_equal(time[..., 1:], time[..., :-1], out=last[..., :-1])
    return last


def before(values, start):
    """The value just before each time (left limit) of a step function given at each time."""
    return np.concatenate([np.full((*values.shape[:-1], 1), start), values[..., :-1]], axis=-1)


def survival_steps(table: RiskTable):
    """Product-limit estimate (..., n) without confidence limits, carried on after the last patient."""
    return np.cumprod(1 - table.events / np.maximum(table.at_risk, 1), axis=-1)


def greenwood_steps(table: RiskTable):
    """Greenwood's terms d / (Y (Y − d)); zero where all at risk die, as no survival is left to vary."""
    survivors = table.at_risk - table.events
    zero = np.zeros(survivors.shape)
    return np.divide(table.events, table.at_risk * survivors, where=survivors > 0, out=zero)


def as_curve(table: RiskTable, estimate, variance, start) -> Curve:
    """A curve that ends where the table's last patient was censored."""
    present = table.at_risk > 0
    exhausted = (present & (table.at_risk == table.events)).any(-1, keepdims=True)
    until = np.where(present, table.time, -np.inf).max(-1, keepdims=True)
    until = np.where(exhausted, np.inf, until)
    known = table.time <= until
    estimate, variance = (np.where(known, values, np.nan) for values in (estimate, variance))
    return Curve(table.time, estimate, variance, start, until)


def kaplan_meier(table: RiskTable) -> Curve:
    """Kaplan–Meier survival with Greenwood's variance (Kaplan & Meier 1958; Greenwood 1926).

    The variance is NaN where survival is 0, as in R's survfit.
    """
    survival = survival_steps(table)
    variance = survival**2 * np.cumsum(greenwood_steps(table), -1)
    return as_curve(table, survival, np.where(survival > 0, variance, np.nan), 1.0)


def reverse_kaplan_meier(times, events, arm=None) -> Curve:
    """Kaplan–Meier curve of follow-up: censoring is the event (Schemper & Smith 1996).

    Its median is the median follow-up. Arguments and errors as for risk_table. The status is simply flipped,
    as in R's survfit(Surv(time, 1 - status) ~ 1): a patient who dies at t is still at risk of censoring at t.
    """
    check_data(times, events)
    return kaplan_meier(risk_table(times, 1 - np.asarray(events, dtype=float), arm))


def nelson_aalen(table: RiskTable) -> Curve:
    """Nelson–Aalen cumulative hazard with Aalen's variance Σ d/Y² (Aalen 1978), as R's survfit (ctype=1)."""
    at_risk = np.maximum(table.at_risk, 1)
    return as_curve(table, np.cumsum(table.events / at_risk, -1), np.cumsum(table.events / at_risk**2, -1), 0.0)


def smoothed_hazard(table: RiskTable, grid, bandwidth: float) -> Estimate:
    """Hazard rate per unit of time, smoothed by the Epanechnikov kernel; result (..., m) at grid (m,).

    Ramlau-Hansen 1983, with the boundary kernels of Gasser & Müller 1979 within one bandwidth of 0 and of
    the last event, and the variance of Klein & Moeschberger 2003, section 6.2. NaN beyond the last event, and
    where both boundaries lie within one bandwidth. Raises ValueError for a bandwidth that is not positive, a
    negative time in grid, or either not finite.
    """
    grid = np.atleast_1d(np.asarray(grid, dtype=float))
    if not (np.isfinite(bandwidth) and bandwidth > 0 and np.isfinite(grid).all() and (grid >= 0).all()):
        raise ValueError("bandwidth must be positive and grid not negative")
    end = np.where(table.events > 0, table.time, -np.inf).max(-1, keepdims=True)
    to_start, to_end = np.broadcast_arrays(grid / bandwidth, (end - grid) / bandwidth)
    near_end = to_end < 1
    reach = np.clip(np.where(near_end, to_end, to_start), 0, 1)
    common = (1 + reach) ** 4 * (19 - 18 * reach + 3 * reach**2)
    level = 64 * (2 - 4 * reach + 6 * reach**2 - 3 * reach**3) / common
    tilt = 240 * (1 - reach) ** 2 / common * np.where(near_end, -1, 1)
    at_risk = np.maximum(table.at_risk, 1)
    steps, variances = table.events / at_risk, table.events / at_risk**2
    rate, variance = np.empty(reach.shape), np.empty(reach.shape)
    for j, time in enumerate(grid):  # all times at once would need m times the memory
        distance = (time - table.time) / bandwidth
        kernel = 0.75 * np.clip(1 - distance**2, 0, None) * (level[..., j, None] + tilt[..., j, None] * distance)
        rate[..., j] = (kernel * steps).sum(-1) / bandwidth
        variance[..., j] = (kernel**2 * variances).sum(-1) / bandwidth**2
    known = (to_end >= 0) & ~(near_end & (to_start < 1))
    return Estimate(np.where(known, rate, np.nan), np.where(known, variance, np.nan))


def value_at(curve: Curve, time) -> Estimate:
    """Estimate and variance at time, a scalar (result (...)) or (m,) (result (..., m)); NaN after until.

    A step at exactly that time is included. Raises ValueError for a negative or missing time.
    """
    time = np.asarray(time, dtype=float)
    if time.ndim > 1 or not (time >= 0).all():
        raise ValueError("time must be one time or a list of times, none negative")
    times = np.atleast_1d(time)
    steps = (curve.time[..., None, :] <= times[:, None]).sum(-1)
    steps = np.broadcast_to(steps, (*curve.estimate.shape[:-1], times.size))
    lead = np.zeros((*curve.estimate.shape[:-1], 1))
    found = (
        np.take_along_axis(np.concatenate([lead + first, values], -1), steps, -1)
        for first, values in ((curve.start, curve.estimate), (0.0, curve.variance))
    )
    found = (np.where(times <= curve.until, values, np.nan) for values in found)
    return Estimate(*(values if time.ndim else values[..., 0] for values in found))


def confidence_interval(estimate, variance, transform="log-log", level=0.95) -> Interval:
    """Pointwise limits of a probability, symmetric after a transform.

    transform is log-log (Kalbfleisch & Prentice 1980), plain, log, logit or arcsin, as R's conf.type; for a
    cumulative incidence log-log is log(−log F) (Marubini & Valsecchi 1995). Limits outside 0 to 1 are cut.
    NaN where the probability is 0 and, under log-log, logit and arcsin, where it is 1, as in R.
    Raises ValueError for an unknown transform or a level outside 0 to 1.
    """
    z = critical_z(level)
    p, se = np.asarray(estimate, dtype=float), np.sqrt(variance)
    with np.errstate(divide="ignore", invalid="ignore"):
        if transform == "plain":
            lower, upper = p - z * se, p + z * se
        elif transform == "log":
            lower, upper = p * np.exp(-z * se / p), p * np.exp(z * se / p)
        elif transform == "log-log":
            log_p = np.where(p < 1, np.log(p), np.nan)
            half_width = z * se / (p * -log_p)
            lower, upper = np.exp(log_p * np.exp(half_width)), np.exp(log_p * np.exp(-half_width))
        elif transform == "logit":
            odds, half_width = p / (1 - p), z * se / (p * (1 - p))
            lower, upper = (1 / (1 + np.exp(sign * half_width) / odds) for sign in (1, -1))
        elif transform == "arcsin":
            angle, half_width = np.arcsin(np.sqrt(p)), z * se / (2 * np.sqrt(p * (1 - p)))
            lower = np.sin(np.maximum(angle - half_width, 0)) ** 2
            upper = np.sin(np.minimum(angle + half_width, np.pi / 2)) ** 2
        else:
            raise ValueError(f"unknown transform {transform!r}; known: {', '.join(TRANSFORMS)}")
        return Interval(np.clip(lower, 0, 1), np.clip(upper, 0, 1))


def critical_z(level):
    """The normal quantile of a two-sided confidence level. Raises ValueError outside 0 to 1."""
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, not {level}")
    return -ndtri((1 - level) / 2)


def quantile(curve: Curve, p=0.5, transform="log-log", level=0.95, flat="midpoint") -> Quantile:
    """Time by which a share p has had the event (.5: the median), with its limits; NaN where not reached.

    The limits are the times at which the pointwise limits of the survival curve, under transform, cross 1 − p
    (Brookmeyer & Crowley 1982, generalised to any transform by Klein & Moeschberger 2003, section 4.5).
    flat says what to do where the curve runs level at exactly 1 − p: "midpoint" of that stretch, as R's
    quantile.survfit (which ends it at the last patient if no event follows), or its "first" time.
    Raises ValueError for p or level outside 0 to 1, an unknown transform or flat.
    """
    if not 0 < p < 1:
        raise ValueError(f"p must lie between 0 and 1, not {p}")
    if flat not in ("midpoint", "first"):
        raise ValueError(f"unknown flat {flat!r}; known: midpoint, first")
    limits = confidence_interval(curve.estimate, curve.variance, transform, level)
    tolerance = 1.5e-8  # rounding in the product must not hide that a curve is level
    last = np.where(np.isnan(curve.estimate), 0, curve.time).max(-1)

    def crossing(values):
        reached = np.where(values <= 1 - p + tolerance, curve.time, np.inf).min(-1)
        passed = np.where(values < 1 - p - tolerance, curve.time, np.inf).min(-1)
        if flat == "midpoint":
            level_until = np.where(np.isinf(passed), last, passed)
            reached = np.where(passed > reached, (reached + level_until) / 2, reached)
        return np.where(np.isinf(reached), np.nan, reached)

    return Quantile(crossing(curve.estimate), crossing(limits.lower), crossing(limits.upper))


def rmst(table: RiskTable, horizon: float) -> Estimate:
    """Restricted mean survival time: the area under the Kaplan–Meier curve up to horizon; result (...).

    Variance Σ (area still to come)² d / (Y (Y − d)), as R's survfit (Irwin 1949; Royston & Parmar 2013,
    without the n/(n − 1) correction). NaN where the last patient was censored before horizon.
    Raises ValueError for a horizon that is not positive and finite.
    """
    if not (np.isfinite(horizon) and horizon > 0):
        raise ValueError(f"horizon must be positive and finite, not {horizon}")
    survival = survival_steps(table)
    edges = np.minimum(table.time, horizon)
    area = np.cumsum(np.diff(edges, axis=-1, prepend=0) * before(survival, 1.0), axis=-1)
    total = area[..., -1:] + (horizon - edges[..., -1:]) * survival[..., -1:]
    to_come = np.where(table.time < horizon, total - area, 0)
    variance = (to_come**2 * greenwood_steps(table)).sum(-1)
    known = horizon <= as_curve(table, survival, survival, 1.0).until[..., 0]
    return Estimate(np.where(known, total[..., 0], np.nan), np.where(known, variance, np.nan))


def rmst_difference(table: RiskTable, horizon: float, level=0.95) -> Difference:
    """Restricted mean survival time in arm 1 minus arm 0 (Royston & Parmar 2013); errors as for rmst.

    Result (...). Raises ValueError for a table without arms.
    """
    return _difference(rmst(table.by_arm(), horizon), level)


def milestone_difference(table: RiskTable, time: float, level=0.95) -> Difference:
    """Survival at one landmark time in arm 1 minus arm 0, by Greenwood's variances (Klein et al. 2007).

    Result (...), a difference of proportions. NaN where an arm's survival is not known at that time or is 0.
    Raises ValueError for a negative time or a table without arms.
    """
    return _difference(value_at(kaplan_meier(table.by_arm()), float(time)), level)


def _difference(by_arm: Estimate, level) -> Difference:
    z = critical_z(level)
    estimate = by_arm.estimate[..., 1] - by_arm.estimate[..., 0]
    se = np.sqrt(by_arm.variance.sum(-1))
    with np.errstate(divide="ignore", invalid="ignore"):
        p_value = 2 * ndtr(-np.abs(estimate / se))
    return Difference(estimate, se, estimate - z * se, estimate + z * se, p_value)

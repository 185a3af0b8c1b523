"""Check draws by separate, simple code: recompute every published number of every draw, in plain loops.

Nothing here is shared with the search or the sampler: estimates are computed patient by patient and
rounded in decimal arithmetic, so that a mistake there cannot hide itself here.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import asin, erfc, exp, inf, log, pi, sin, sqrt
from statistics import median

HALF = 0.5 + 1e-12


@dataclass(frozen=True)
class Disagreement:
    """A number of a draw that does not print as published."""

    draw: int
    number: str
    published: str
    recomputed: float


def kaplan_meier(times, died):
    """Steps (time, S, Greenwood sum) at each time of death; ties are taken together."""
    steps, s, g, at_risk = [], 1.0, 0.0, len(times)
    rows = sorted(zip(times, died, strict=True))
    i = 0
    while i < len(rows):
        t, dead, gone = rows[i][0], 0, 0
        while i < len(rows) and rows[i][0] == t:
            dead += bool(rows[i][1])
            gone += 1
            i += 1
        if dead:
            s *= 1 - dead / at_risk
            g = g + dead / (at_risk * (at_risk - dead)) if at_risk > dead else inf
            steps.append((t, s, g))
        at_risk -= gone
    return steps


def interval(s, g, z, transform):
    """Limits of S from its Greenwood sum, on the given scale, cut to 0–1."""
    if s >= 1 or s <= 0:
        return s, s
    half = z * sqrt(g)
    if transform == "log-log":
        centre, half = log(-log(s)), half / abs(log(s))
        low, high = exp(-exp(min(700, centre + half))), exp(-exp(centre - half))
    elif transform == "linear":
        low, high = s - s * half, s + s * half
    elif transform == "log":
        low, high = exp(log(s) - half), exp(log(s) + half)
    elif transform == "logit":
        centre, half = log(s / (1 - s)), half / (1 - s)
        low, high = 1 / (1 + exp(min(700, half - centre))), 1 / (1 + exp(-half - centre))
    else:
        centre, half = asin(sqrt(s)), half * sqrt(s / (1 - s)) / 2
        low, high = sin(max(0.0, centre - half)) ** 2, sin(min(pi / 2, centre + half)) ** 2
    return max(0.0, low), min(1.0, high)


def first_at_half(steps, value):
    """First time at which a curve made from the steps is at most one half."""
    return next((step[0] for step in steps if value(step) <= HALF), inf)


def cox(times, died, first):
    """Log hazard ratio of the first arm, its standard error, and the log-rank z; ties after Breslow."""
    order = sorted(range(len(times)), key=lambda i: (times[i], not died[i]))
    beta, error, logrank = 0.0, inf, 0.0
    for turn in range(25):
        one, zero = sum(first), len(first) - sum(first)
        score = information = 0.0
        for i in order:
            if died[i]:
                share = one * exp(beta) / (one * exp(beta) + zero)
                score += first[i] - share
                information += share * (1 - share)
            one, zero = one - first[i], zero - (not first[i])
        if turn == 0:
            logrank = score / sqrt(information)
        error = 1 / sqrt(information)
        beta += max(-1.0, min(1.0, score / information))
        if abs(score) < 1e-11:
            break
    return beta, error, logrank


def recompute(summary, months, died, arm, assumptions):
    """Every published number of one data set, unrounded: {name: (published, value)}."""
    numbers = {}
    months, died, arm = [float(t) for t in months], [bool(d) for d in died], [int(a) for a in arm]
    for index, published in enumerate(summary.arms):
        own = [i for i in range(len(arm)) if arm[i] == index]
        steps = kaplan_meier([months[i] for i in own], [died[i] for i in own])
        if len(own) != published.n or sum(died[i] for i in own) != published.deaths:
            raise ValueError(f"{published.name}: the data have other numbers of patients or deaths")
        for landmark, printed in published.landmarks:
            past = [step for step in steps if step[0] < landmark or (assumptions.inclusive and step[0] == landmark)]
            _, s, g = past[-1] if past else (0.0, 1.0, 0.0)
            values = (s, *interval(s, g, published.z, assumptions.interval))
            for (part, number), value in zip(printed, values, strict=True):
                numbers[f"{published.name}.{landmark:g}.{part}"] = number, value
        curves = {
            "estimate": lambda step: step[1],
            "lower": lambda step, z=published.z: interval(*step[1:], z, assumptions.median_interval)[0],
            "upper": lambda step, z=published.z: interval(*step[1:], z, assumptions.median_interval)[1],
        }
        for part, number in published.median:
            numbers[f"{published.name}.median.{part}"] = number, first_at_half(steps, curves[part])

    beta, error, logrank = cox(months, died, [a == 0 for a in arm])
    ratio = beta, beta - summary.z * error, beta + summary.z * error
    for (part, number), value in zip(summary.hazard_ratio, ratio, strict=True):
        numbers[f"hazard_ratio.{part}"] = number, exp(value)
    score = logrank if assumptions.test == "log-rank" else beta / error
    numbers["p_value"] = summary.p_value, erfc(abs(score) / sqrt(2))
    if assumptions.follow_up == "everybody":
        follow_up = median(months)
    elif assumptions.follow_up == "survivors":
        follow_up = median(t for t, d in zip(months, died, strict=True) if not d)
    else:
        follow_up = first_at_half(kaplan_meier(months, [not d for d in died]), lambda step: step[1])
    numbers["median_follow_up"] = summary.median_follow_up, follow_up
    return {name: pair for name, pair in numbers.items() if pair[0] is not None}


def prints_as(value, printed, assumptions):
    """Whether a value rounds to the printed number; a tie may go either way."""
    if printed.value is None:
        return value == inf
    if value == inf:
        return False
    if printed.below:
        return value < printed.value
    # in units of the last printed digit, with nine digits behind it
    distance = round(
        (Decimal(value) - Decimal(printed.value.numerator) / Decimal(printed.value.denominator))
        * Decimal(printed.step.denominator)
        / Decimal(printed.step.numerator),
        9,
    )
    if assumptions.rounding == "nearest":
        return abs(distance) <= Decimal(assumptions.tolerance) / 2
    if assumptions.rounding == "down":
        return 0 <= distance < Decimal(assumptions.tolerance)
    return -Decimal(assumptions.tolerance) < distance <= 0


def disagreements(ensemble):
    """Numbers of an ensemble's draws that do not print as published: a list, empty if all agree."""
    found = []
    for index, months in enumerate(ensemble.months):
        numbers = recompute(ensemble.summary, months, ensemble.died, ensemble.arm, ensemble.assumptions)
        found += [
            Disagreement(index + 1, name, printed.text, value)
            for name, (printed, value) in numbers.items()
            if not prints_as(value, printed, ensemble.assumptions)
        ]
    return found

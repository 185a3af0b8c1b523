"""Patient-level data sets that give every printed number back: draws under a stated prior.

Where `allowed` says what is possible at all, a draw says what is plausible under an assumption. The
prior is a piecewise-constant hazard per arm with a Gaussian random walk on its logarithm; the printed
numbers are a hard condition. Metropolis steps move the event times of many chains side by side
(numpy works on all chains at once), Gibbs-like steps move the hazards (data augmentation, Tanner and
Wong 1987). Chains start from exact orders (`allowed.orders`): from random data the printed numbers
are rarely reached. Moves seldom lead from one family of orders to another, so how often each family is
drawn is part of the prior: every order, with every place of the landmarks in it, counts the same.

    python -m widgets.survival.draws clocc.2017 --draws 1000 --seed 2017 --first 85 --last 147

makes the draws in data/derived/ from the records of that report. They are reconstructed from published
numbers; they are not patient data.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from .allowed import Order, TooMany, _cells, last_printed, orders
from .published import overall_survival
from .summary import NOTICE, Arm, Assumptions, Summary, SummaryError

BINS = 24
DECIMALS = 4  # times are kept on this grid of months, so that a saved draw is the very draw that fitted
_DEFAULT = Assumptions()

PRIORS = {
    "smooth": "each arm's hazard drifts slowly",
    "rough": "each arm's hazard may jump from one period to the next",
    "shared": "both arms' hazards have a common shape, from which they part slowly",
    "uniform": "deaths are spread evenly between the times that are known",
}


class Cancelled(RuntimeError):
    """The run was stopped from outside."""


class NoDraw(RuntimeError):
    """No data set was found that gives all printed numbers back."""


@dataclass(frozen=True)
class FollowUp:
    """When patients may leave observation: an assumption, since reports rarely print it.

    Administrative censoring falls evenly between `first` and `last` (months); before, patients are
    lost at `loss` per month. Nothing is observed after `last`.
    """

    first: float
    last: float
    loss: float = 0.001

    def __post_init__(self):
        if not 0 <= self.first < self.last or not self.loss > 0:
            raise SummaryError("follow_up", "0 ≤ first < last and loss > 0", (self.first, self.last, self.loss))

    @classmethod
    def guess(cls, summary: Summary) -> FollowUp:
        """A wide window about the median follow-up, or, if that is not printed, the last printed time."""
        last = max(last_printed(arm) for arm in summary.arms)
        printed = summary.median_follow_up
        middle = float(printed.value) if printed and printed.value else last
        return cls(middle / 3, max(middle * 5 / 3, last * 1.2), 0.1 / middle)

    def log_density(self, months: np.ndarray) -> np.ndarray:
        """Log density of leaving observation at a time."""
        width = self.last - self.first
        staying = np.clip((self.last - months) / width, 0, 1)
        leaving = self.loss * staying + (months >= self.first) / width
        return np.log(np.where(months < self.last, leaving, 1e-300)) - self.loss * months

    def log_staying(self, months: np.ndarray) -> np.ndarray:
        """Log probability of still being under observation at a time."""
        staying = np.clip((self.last - months) / (self.last - self.first), 1e-300, 1)
        return np.log(staying) - self.loss * months


# --- printed numbers as conditions, for all chains at once ----------------------------------------------


def _bands(survival: np.ndarray, greenwood: np.ndarray, z: float, transform: str):
    """Both limits at 0 < S < 1; the formulas are those of `allowed.limits`."""
    error = np.sqrt(greenwood)
    match transform:
        case "log-log":
            cumulative = -np.log(survival)
            width = np.exp(np.minimum(500.0, z * error / cumulative))
            return np.exp(-cumulative * width), np.exp(-cumulative / width)
        case "linear":
            return survival * (1 - z * error), survival * (1 + z * error)
        case "log":
            return survival * np.exp(-z * error), survival * np.exp(z * error)
        case "logit":
            odds = survival / (1 - survival)
            width = np.exp(np.minimum(500.0, z * error / (1 - survival)))
            return odds / (odds + width), odds * width / (1 + odds * width)
    angle, width = np.arcsin(np.sqrt(survival)), z * error * np.sqrt(survival / (1 - survival)) / 2
    return (np.sin(np.maximum(0, angle - width)) ** 2, np.sin(np.minimum(np.pi / 2, angle + width)) ** 2)


def _inside(value, bounds) -> np.ndarray:
    return (value >= bounds[0]) & (value <= bounds[1])


class _ArmNumbers:
    """The printed numbers of one arm. Patients 0 … deaths − 1 die, the others are censored."""

    def __init__(self, arm: Arm, assumptions: Assumptions):
        self.n, self.deaths, self.z, self.how = arm.n, arm.deaths, arm.z, assumptions
        self.marks = [
            (m, [number and number.bounds(assumptions) for _, number in printed]) for m, printed in arm.landmarks
        ]
        self.median = [
            number and number.bounds(assumptions)
            for number in (arm.median.lower, arm.median.estimate, arm.median.upper)
        ]
        at_risk = np.arange(arm.n, 0, -1.0)
        self.fall = np.log(np.maximum(at_risk - 1, 1e-9) / at_risk)
        self.growth = 1 / (at_risk * np.maximum(at_risk - 1, 1e-9))

    def fit(self, months: np.ndarray) -> np.ndarray:
        """Which rows of times, shape (chains, n), give the arm's numbers back."""
        order = np.argsort(months, axis=1)
        times = np.take_along_axis(months, order, axis=1)
        died = order < self.deaths
        survival = np.exp(np.cumsum(died * self.fall, axis=1))
        greenwood = np.cumsum(died * self.growth, axis=1)
        rows, good = np.arange(len(months)), np.ones(len(months), bool)
        for landmark, printed in self.marks:
            seen = times <= landmark if self.how.inclusive else times < landmark
            last = seen.sum(axis=1) - 1
            none = last < 0
            good &= _hits(
                np.where(none, 1.0, survival[rows, last]),
                np.where(none, 0, greenwood[rows, last]),
                printed,
                self,
            )
        if any(self.median):
            proper = (survival > 1e-8) & (survival < 1)
            low, high = _bands(
                np.where(proper, survival, 0.5),
                np.where(proper, greenwood, 0),
                self.z,
                self.how.median_interval,
            )
            for curve, bounds in zip(
                (np.where(proper, low, survival), survival, np.where(proper, high, survival)),
                self.median,
                strict=True,
            ):
                if bounds:
                    below = curve <= 0.5 + 1e-12
                    reached = np.where(below[:, -1], times[rows, below.argmax(axis=1)], np.inf)
                    good &= _inside(reached, bounds)
        return good


class _BetweenNumbers:
    """The printed numbers that belong to both arms: how far data are from them, zero if they fit."""

    def __init__(self, summary: Summary, assumptions: Assumptions):
        self.how, self.z = assumptions, summary.z
        self.n = [arm.n for arm in summary.arms]
        self.died = np.concatenate([np.arange(arm.n) < arm.deaths for arm in summary.arms])
        ratio = [number and number.bounds(assumptions) for _, number in summary.hazard_ratio]
        self.ratio = [bounds and tuple(math.log(max(1e-12, b)) for b in bounds) for bounds in ratio]
        self.p = summary.p_value and summary.p_value.bounds(assumptions)
        self.follow_up = summary.median_follow_up and summary.median_follow_up.bounds(assumptions)
        self.start = sum(self.ratio[0]) / 2 if self.ratio[0] else 0.0

    def distance(self, months: np.ndarray) -> np.ndarray:
        """Sum of the distances to the printed ranges, each on its own scale; huge where times are tied."""
        order = np.argsort(months, axis=1)
        times = np.take_along_axis(months, order, axis=1)
        first, died = order < self.n[0], self.died[order]
        before = np.cumsum(first, axis=1) - first
        at_risk1 = self.n[0] - before
        at_risk0 = self.n[1] - (np.arange(months.shape[1]) - before)
        total = np.where(np.any(np.diff(times, axis=1) <= 0, axis=1), 1e6, 0.0)

        def outside(value, bounds, scale):
            return np.maximum(np.maximum(bounds[0] - value, value - bounds[1]), 0) / scale

        deaths1 = (first & died).sum(axis=1)
        if any(self.ratio) or (self.p and self.how.test == "Wald"):
            beta = np.full(len(months), self.start)
            for _ in range(6):  # Newton from the printed ratio; the score is smooth and monotone
                share = at_risk1 / (at_risk1 + at_risk0 * np.exp(-beta)[:, None])
                information = (died * share * (1 - share)).sum(axis=1)
                beta = beta + np.clip((deaths1 - (died * share).sum(axis=1)) / information, -1, 1)
            error = 1 / np.sqrt(information)
            for value, bounds in zip((beta, beta - self.z * error, beta + self.z * error), self.ratio, strict=True):
                if bounds:
                    total += outside(value, bounds, 0.02)
        if self.p:
            if self.how.test == "Wald":
                score = beta / error
            else:
                share = at_risk1 / (at_risk1 + at_risk0)
                score = (deaths1 - (died * share).sum(axis=1)) / np.sqrt((died * share * (1 - share)).sum(axis=1))
            from scipy.special import erfc

            p = erfc(np.abs(score) / math.sqrt(2))
            total += outside(p, self.p, max(1e-3, self.p[1] - self.p[0]))
        if self.follow_up:
            middle = sum(self.follow_up) / 2
            total += outside(self._median_follow_up(times, died), self.follow_up, 0.01 * middle)
        return total

    def _median_follow_up(self, times: np.ndarray, died: np.ndarray) -> np.ndarray:
        match self.how.follow_up:
            case "everybody":
                return np.median(times, axis=1)
            case "survivors":
                return np.nanmedian(np.where(died, np.nan, times), axis=1)
        at_risk = np.arange(times.shape[1], 0, -1.0)
        staying = np.cumsum(~died * np.log(np.maximum(at_risk - 1, 1e-9) / at_risk), axis=1)
        below = staying <= math.log(0.5) + 1e-12
        return np.where(below[:, -1], times[np.arange(len(times)), below.argmax(axis=1)], 1e6)


# --- the prior ------------------------------------------------------------------------------------------


def _walk(start: float, step: float) -> np.ndarray:
    """Covariance of a random walk over the bins."""
    index = np.arange(BINS)
    return start**2 + step**2 * np.minimum.outer(index, index)


def _covariance(prior: str) -> np.ndarray:
    """Prior covariance of both arms' log hazards, shape (2 · BINS, 2 · BINS); fixed in advance."""
    same, apart = np.array([[1, 0], [0, 1]]), np.array([[1, -1], [-1, 1]]) / 4
    match prior:
        case "smooth":
            return np.kron(same, _walk(1.0, 0.25))
        case "rough":
            return np.kron(same, _walk(1.0, 0.7))
        case _:
            return np.kron(np.ones((2, 2)), _walk(1.0, 0.5)) + np.kron(apart, _walk(0.3, 0.25))


class _Hazards:
    """Log hazards of all chains, shape (chains, 2, BINS), and what they say about times."""

    def __init__(self, prior: str, summary: Summary, follow_up: FollowUp, chains: int):
        self.edges = np.linspace(0, follow_up.last, BINS + 1)
        self.follow_up = follow_up
        self.flat = prior == "uniform"
        self.level = np.repeat([_level(arm) for arm in summary.arms], BINS)
        self.precision = np.linalg.inv(_covariance(prior)) if not self.flat else None
        self.log = np.tile(self.level.reshape(2, BINS), (chains, 1, 1))

    def density(self, rows: np.ndarray, arm: int, months: np.ndarray, died: np.ndarray) -> np.ndarray:
        """Log density of times; `rows` are their chains, all of one shape."""
        density = np.where(died, self.follow_up.log_staying(months), self.follow_up.log_density(months))
        if self.flat:
            return density
        log = self.log[:, arm]
        bins = np.clip((months / self.edges[1]).astype(int), 0, BINS - 1)
        hazard = np.exp(log)
        past = np.cumsum(hazard, axis=1) - hazard
        cumulative = past[rows, bins] * self.edges[1] + hazard[rows, bins] * (months - self.edges[bins])
        return density + died * log[rows, bins] - cumulative

    def update(self, months: Sequence[np.ndarray], deaths: Sequence[int], rng: np.random.Generator) -> None:
        """One Metropolis sweep over the log hazards given the times."""
        if self.flat:
            return
        width, counts, exposure = self.edges[1], [], []
        for times, dead in zip(months, deaths, strict=True):
            bins = np.minimum((times[:, :dead] / width).astype(int), BINS - 1)
            counts.append(np.stack([(bins == b).sum(axis=1) for b in range(BINS)], axis=1))
            exposure.append(np.clip(times[:, :, None] - self.edges[:-1], 0, width).sum(axis=1))
        count, exposure = np.concatenate(counts, axis=1), np.concatenate(exposure, axis=1)
        x = self.log.reshape(len(self.log), -1) - self.level
        pull = x @ self.precision
        for j in range(2 * BINS):
            scale = 2.4 / np.sqrt(self.precision[j, j] + count[:, j])
            step = scale_step = rng.standard_normal(len(x)) * scale * 0.7
            old = np.exp(x[:, j] + self.level[j])
            gain = (
                count[:, j] * step
                - exposure[:, j] * old * np.expm1(np.clip(step, -50, 50))
                - step * pull[:, j]
                - step**2 * self.precision[j, j] / 2
            )
            # the proposal's width depends on the count only, not on x: it is symmetric
            step = np.where(np.log(rng.random(len(x))) < gain, scale_step, 0.0)
            x[:, j] += step
            pull += step[:, None] * self.precision[j]
        self.log = (x + self.level).reshape(self.log.shape)


def _level(arm: Arm) -> float:
    """Log hazard about which an arm's prior is centred: the constant one through its first landmark."""
    for months, printed in arm.landmarks:
        if printed.estimate and 0 < printed.estimate.value < 1:
            return math.log(-math.log(printed.estimate.value) / months)
    if arm.median.estimate and arm.median.estimate.value:
        return math.log(math.log(2) / float(arm.median.estimate.value))
    raise SummaryError(arm.name, "a landmark or a median", None)


# --- starts and steps -----------------------------------------------------------------------------------


def _start(
    arm: Arm,
    order: Order,
    assumptions: Assumptions,
    follow_up: FollowUp,
    chains: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Random times that keep to an order, shape (chains, n), deaths first."""
    earliest, latest = _cells(arm, assumptions, order)
    end = last_printed(arm)
    latest = np.minimum(latest, follow_up.last)
    after = arm.deaths - len(order.losses)
    middle = end + (follow_up.last - end) * rng.uniform(0.1, 1)  # a median "not reached" wants deaths first
    dead = np.sort(
        np.concatenate(
            [
                rng.uniform(earliest, np.maximum(latest, earliest), (chains, len(earliest))),
                rng.uniform(end, middle, (chains, after)),
            ],
            axis=1,
        ),
        axis=1,
    )
    edges = np.concatenate([np.zeros((chains, 1)), dead], axis=1)
    lost = [
        rng.uniform(edges[:, k, None], edges[:, k + 1, None], (chains, m)) for k, m in enumerate(order.losses) if m
    ]
    staying = arm.n - arm.deaths - sum(order.losses)
    lost.append(rng.uniform(max(end, min(middle, follow_up.last * 0.95)), follow_up.last, (chains, staying)))
    return np.round(np.concatenate([dead, *lost], axis=1), DECIMALS)


class _Chains:
    """Many Metropolis chains over the event times of two arms."""

    def __init__(
        self,
        summary: Summary,
        prior: str,
        assumptions: Assumptions,
        follow_up: FollowUp,
        chains: int,
        rng: np.random.Generator,
    ):
        self.rng, self.last = rng, follow_up.last
        self.numbers = [_ArmNumbers(arm, assumptions) for arm in summary.arms]
        self.between = _BetweenNumbers(summary, assumptions)
        self.hazards = _Hazards(prior, summary, follow_up, chains)
        self.cells, starts = [], []
        for arm, numbers in zip(summary.arms, self.numbers, strict=True):
            starts.append(_starts(arm, numbers, assumptions, follow_up, chains, 30, rng))
            edges = {0.0, follow_up.last, *(m for m, _ in arm.landmarks)}
            edges |= {t for bounds in numbers.median if bounds for t in bounds}
            self.cells.append(np.array(sorted(t for t in edges if 0 <= t <= follow_up.last)))
        both = np.concatenate(starts, axis=2)
        distance = self.between.distance(both.reshape(-1, both.shape[2])).reshape(chains, -1)
        best = distance.argmin(axis=1)
        self.months = [months[np.arange(chains), best] for months in starts]
        self.distance = distance.min(axis=1)

    def step(self, weight: float) -> float:
        """Move one or a few patients of one arm in every chain; returns the share accepted.

        With a finite `weight` data that miss the numbers between the arms are only unlikely (to get
        there), with an infinite one impossible.
        """
        rng, arm = self.rng, int(self.rng.integers(2))
        months, deaths = self.months[arm], self.numbers[arm].deaths
        chains, moved = len(months), int(rng.integers(1, 1 + self._most(arm)))
        rows = np.repeat(np.arange(chains)[:, None], moved, axis=1)
        who = rng.integers(months.shape[1], size=(chains, moved))
        old, died = months[rows, who], who < deaths
        # now and then two times are exchanged: where one dies and one is lost, the order changes
        exchange = moved == 2 and rng.random() < 0.3
        new = old[:, ::-1] if exchange else np.round(self._propose(arm, old, died), DECIMALS)
        gain = (self.hazards.density(rows, arm, new, died) - self.hazards.density(rows, arm, old, died)).sum(axis=1)
        threshold = np.log(rng.random(chains))
        proper = np.all((new > 0) & (new < self.last), axis=1)
        proper &= np.all(np.diff(np.sort(who, axis=1), axis=1) > 0, axis=1)
        # what the weight of the distance may still win is at most the present distance
        spare = self.distance * weight if math.isfinite(weight) else 0.0
        open_ = np.flatnonzero(proper & (gain + spare > threshold))
        trial = months[open_]
        trial[np.arange(len(open_))[:, None], who[open_]] = new[open_]
        keep = self.numbers[arm].fit(trial)
        open_, trial = open_[keep], trial[keep]
        if not len(open_):
            return 0.0
        both = [trial, self.months[1][open_]] if arm == 0 else [self.months[0][open_], trial]
        distance = self.between.distance(np.concatenate(both, axis=1))
        if math.isfinite(weight):
            keep = gain[open_] - weight * (distance - self.distance[open_]) > threshold[open_]
        else:
            keep = distance == 0
        self.months[arm][open_[keep]] = trial[keep]
        self.distance[open_[keep]] = distance[keep]
        return keep.sum() / chains

    def _most(self, arm: int) -> int:
        return max(2, self.months[arm].shape[1] // 40)

    def _propose(self, arm: int, old: np.ndarray, died: np.ndarray) -> np.ndarray:
        """New times, symmetrically: anywhere in the cell, a jump of random size, or anywhere (losses)."""
        rng, edges = self.rng, self.cells[arm]
        cell = np.clip(np.searchsorted(edges, old, "right") - 1, 0, len(edges) - 2)
        inside = rng.uniform(edges[cell], edges[cell + 1])
        jump = old + rng.standard_normal(old.shape) * self.last * 10 ** rng.uniform(-3.5, -0.5, old.shape)
        anywhere = rng.uniform(0, self.last, old.shape)
        kind = rng.random(old.shape)
        return np.where(kind < 0.45, inside, np.where((kind < 0.9) | died, jump, anywhere))

    def sweep(self, weight: float = math.inf) -> float:
        """About one move per patient, then the hazards."""
        steps = math.ceil(sum(self.months[arm].shape[1] * 2 / (1 + self._most(arm)) for arm in (0, 1)))
        accepted = float(np.mean([self.step(weight) for _ in range(steps)]))
        self.hazards.update(self.months, [numbers.deaths for numbers in self.numbers], self.rng)
        return accepted

    def follow(self) -> None:
        """Chains far from the numbers between the arms go on from copies of chains that are nearer."""
        share = np.exp(-self.distance / max(1e-9, np.median(self.distance)))
        self._copy(np.repeat(np.arange(len(share)), _shares(share, len(share), self.rng)))

    def restart(self) -> None:
        """Chains that do not fit go on from copies of chains that do."""
        fits = np.flatnonzero(self.distance == 0)
        if not len(fits):
            raise NoDraw("no start reached the numbers printed between the arms (hazard ratio, P, follow-up)")
        source = np.arange(len(self.distance))
        astray = self.distance > 0
        source[astray] = self.rng.choice(fits, astray.sum())
        self._copy(source)

    def _copy(self, source: np.ndarray) -> None:
        self.months = [months[source] for months in self.months]
        self.distance, self.hazards.log = self.distance[source], self.hazards.log[source]


@lru_cache(maxsize=8)
def _listed(arm: Arm, assumptions: Assumptions) -> list[Order] | None:
    """All orders of a small arm, None if too many to list; kept, as every prior starts from them."""
    try:
        return list(orders(arm, assumptions, budget=50_000))
    except TooMany:
        return None


def _sampled_orders(
    arm: Arm, numbers: _ArmNumbers, rng: np.random.Generator, particles: int = 4000, rounds: int = 6
) -> list[Order]:
    """Orders of an arm too large to list, found by simulating many side by side, landmark by landmark.

    In each interval every particle loses patients at a rate of its own, stops where the next landmark's
    numbers fit, and is copied in place of those that missed them (a particle filter).
    """
    marks = [*numbers.marks, (math.inf, [None, None, None])]
    at_risk, s, g = np.full(particles, arm.n), np.ones(particles), np.zeros(particles)
    deaths, named = np.zeros(particles, int), np.zeros((particles, 3), int)
    losses = np.zeros((particles, arm.n + 1), int)
    passed = np.zeros((particles, len(numbers.marks)), int)
    rows, since = np.arange(particles), 0.0
    pending = np.array([bool(b) and b[1] < math.inf for b in numbers.median])

    for index, (landmark, printed) in enumerate(marks):
        begin = at_risk, s, g, deaths, named, losses, passed
        kept = []
        for _ in range(rounds):
            at_risk, s, g, deaths, named, losses, passed = (x.copy() for x in begin)
            rate = np.exp(rng.uniform(math.log(0.001), math.log(0.97), particles))
            alive, done = np.ones(particles, bool), np.zeros(particles, bool)
            for _ in range(arm.n + 1):
                here = _hits(s, g, printed, numbers) if landmark < math.inf else (named[:, pending] > 0).all(axis=1)
                done |= alive & here
                alive &= ~done & (at_risk > 1) & (deaths < arm.deaths)
                if printed[0]:
                    alive &= s >= printed[0][0]
                if not alive.any():
                    break
                lost = alive & (rng.random(particles) < rate) & (arm.n - at_risk - deaths < arm.n - arm.deaths)
                dies = alive & ~lost
                losses[rows[lost], deaths[lost]] += 1
                s = np.where(dies, s * (at_risk - 1) / np.maximum(at_risk, 1), s)
                g = np.where(dies, g + 1 / (at_risk * np.maximum(at_risk - 1, 1)), g)
                deaths, at_risk = deaths + dies, at_risk - (dies | lost)
                pair = _bands(np.clip(s, 1e-8, 1 - 1e-8), g, numbers.z, numbers.how.median_interval)
                for c, curve in enumerate((pair[0], s, pair[1])):
                    new = dies & (named[:, c] == 0) & (curve <= 0.5 + 1e-12)
                    named[new, c] = deaths[new]
                    if numbers.median[c]:
                        low, high = numbers.median[c]
                        alive &= ~(new & (math.isinf(low) or low > landmark or high < since))
            late = [bool(b) and b[1] < landmark < math.inf for b in numbers.median]
            done &= alive | ((named[:, late] > 0).all(axis=1))
            done &= arm.deaths - deaths <= at_risk
            kept.append([x[done] for x in (at_risk, s, g, deaths, named, losses, passed)])
            if sum(len(k[0]) for k in kept) >= particles // 20:
                break
        joined = [np.concatenate(parts) for parts in zip(*kept, strict=True)]
        if not len(joined[0]):
            return []
        if landmark < math.inf:
            joined[6][:, index] = joined[3]
            pick = rng.integers(len(joined[0]), size=particles)
            at_risk, s, g, deaths, named, losses, passed = (x[pick] for x in joined)
            since = landmark
    return [
        Order(tuple(lost[:k].tolist()), tuple(marks_passed.tolist()), tuple(crossed.tolist()), 0)
        for k, lost, marks_passed, crossed in zip(
            joined[3][:64], joined[5][:64], joined[6][:64], joined[4][:64], strict=True
        )
    ]


def _hits(s, g, printed, numbers: _ArmNumbers) -> np.ndarray:
    """Which S and Greenwood sums print as the numbers of a landmark."""
    proper = (s > 1e-8) & (s < 1)
    pair = _bands(np.where(proper, s, 0.5), np.where(proper, g, 0), numbers.z, numbers.how.interval)
    good = np.ones(len(s), bool)
    for value, bounds in zip(
        (s, *(np.where(proper, np.clip(limit, 0, 1), s) for limit in pair)), printed, strict=True
    ):
        if bounds:
            good &= _inside(value, bounds)
    return good


def _starts(
    arm: Arm,
    numbers: _ArmNumbers,
    assumptions: Assumptions,
    follow_up: FollowUp,
    chains: int,
    tries: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Times that give an arm's numbers back, shape (chains, tries, n); all tries of a chain keep to one order.

    The chains share out the orders by the number of their placements, since moves seldom lead from one
    family of orders to another.
    """
    found = _listed(arm, assumptions)
    if found is None:
        sampled = (_sampled_orders(arm, numbers, rng) for _ in range(8))
        found = next((some for some in sampled if some), [])
    if not found:
        raise NoDraw(f"{arm.name}: no data were found that give its numbers back; see allowed.conflict")

    weight = np.array([order.count for order in found], float)
    result = np.empty((0, tries, arm.n))
    while len(result) < chains:
        if not weight.any():
            raise NoDraw(f"{arm.name}: no times fit the orders; is follow-up ({follow_up}) long enough?")
        shares = _shares(weight, chains - len(result), rng)
        for index in np.flatnonzero(shares):
            rows = shares[index] * tries
            trial = _start(arm, found[index], assumptions, follow_up, max(rows, 200), rng)
            trial = trial[numbers.fit(trial)]
            if len(trial):
                result = np.concatenate([result, np.resize(trial, (shares[index], tries, arm.n))])
            else:
                weight[index] = 0
    return rng.permutation(result)


def _shares(weight: np.ndarray, total: int, rng: np.random.Generator) -> np.ndarray:
    """Whole numbers in proportion to weights, with the given total; fractions are rounded by lot."""
    edges = np.floor(np.cumsum(weight) / weight.sum() * total + rng.random())
    edges[-1] = total  # whatever float error says
    return np.diff(edges, prepend=0).astype(int)


# --- ensembles ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ensemble:
    """Draws with everything needed to make them again.

    months   times in months, shape (draws, patients)
    died     whether a patient's time is that of death, shape (patients,)
    arm      0 for the first arm of the summary, 1 for the second, shape (patients,)
    prior    the prior of each draw, shape (draws,)
    """

    summary: Summary
    months: np.ndarray
    died: np.ndarray
    arm: np.ndarray
    prior: np.ndarray
    assumptions: Assumptions
    follow_up: FollowUp
    seed: int
    notice: str = NOTICE

    def __len__(self) -> int:
        return len(self.months)

    def table(self):
        """A DataFrame with one row per patient and draw: draw, prior, arm, months, died (1 or 0)."""
        import pandas as pd

        draws, patients = self.months.shape
        names = np.array([arm.name for arm in self.summary.arms])
        return pd.DataFrame(
            {
                "draw": np.repeat(np.arange(1, draws + 1), patients),
                "prior": np.repeat(self.prior, patients),
                "arm": np.tile(names[self.arm], draws),
                "months": self.months.ravel(),
                "died": np.tile(self.died.astype(int), draws),
            }
        )

    def save(self, path: str | Path, command: str = "") -> None:
        """Write `path` (CSV, gzipped) and beside it a JSON file on how it was made, with its hash."""
        path = Path(path)
        text = io.StringIO()
        text.write(f"# {self.notice}\n")
        self.table().to_csv(text, index=False, float_format=f"%.{DECIMALS}f", lineterminator="\n")
        packed = gzip.compress(text.getvalue().encode(), mtime=0)
        path.write_bytes(packed)
        origin = {
            "notice": self.notice,
            "title": self.summary.title,
            "source": self.summary.source,
            "command": command,
            "draws": len(self),
            "patients": self.months.shape[1],
            "columns": {
                "draw": "number of the draw",
                "prior": "its prior",
                "arm": "arm",
                "months": "time, months",
                "died": "1 died, 0 censored",
            },
            "priors": {name: PRIORS[name] for name in dict.fromkeys(self.prior.tolist())},
            "seed": self.seed,
            "assumptions": asdict(self.assumptions),
            "follow_up": asdict(self.follow_up),
            "numpy": np.__version__,
            "sha256": hashlib.sha256(packed).hexdigest(),
        }
        sidecar(path).write_text(json.dumps(origin, indent=2, ensure_ascii=False) + "\n", "utf-8")

    @classmethod
    def load(cls, path: str | Path, summary: Summary) -> Ensemble:
        """Read a saved ensemble; raises ValueError if the file is not the one its sidecar describes."""
        import pandas as pd

        path = Path(path)
        origin = json.loads(sidecar(path).read_text("utf-8"))
        packed = path.read_bytes()
        if hashlib.sha256(packed).hexdigest() != origin["sha256"]:
            raise ValueError(f"{path} is not the file that {sidecar(path).name} describes (sha256 differs)")
        table = pd.read_csv(io.BytesIO(gzip.decompress(packed)), comment="#")
        shape = origin["draws"], origin["patients"]
        one = table.iloc[: shape[1]]
        return cls(
            summary,
            table["months"].to_numpy().reshape(shape),
            one["died"].to_numpy() == 1,
            (one["arm"] != summary.arms[0].name).to_numpy().astype(int),
            table["prior"].to_numpy(str).reshape(shape)[:, 0],
            Assumptions(**origin["assumptions"]),
            FollowUp(**origin["follow_up"]),
            origin["seed"],
            origin["notice"],
        )


def sidecar(path: Path) -> Path:
    """Where the origin of a saved ensemble is written: x.csv.gz → x.json."""
    return path.with_name(path.name.removesuffix(".gz").removesuffix(".csv") + ".json")


def draw(
    summary: Summary,
    n: int = 1000,
    *,
    priors: Sequence[str] = tuple(PRIORS),
    assumptions: Assumptions = _DEFAULT,
    follow_up: FollowUp | None = None,
    seed: int = 0,
    chains: int = 250,
    burn_in: int = 120,
    thin: int = 20,
    n_jobs: int = 1,
    progress: Callable[[float, str], None] | None = None,
    stop=None,
) -> Ensemble:
    """Draw `n` data sets that give back every printed number, spread evenly over the priors.

    follow_up  an assumption; guessed from the median follow-up if not given
    chains     Metropolis chains per prior; burn_in and thin count sweeps (about one move per patient)
    n_jobs     more than 1: one prior each in joblib's processes or, inside `joblib.parallel_config("dask")`
               with a dask Client, on the machines of a cluster; needs the extra "scale"
    progress   called with the share done and a few words
    stop       anything with `is_set()`, such as a threading.Event: Cancelled is raised soon after

    The draws of one prior depend on the seed, not on the other priors. Raises NoDraw if the numbers
    cannot be reached, SummaryError if a number is missing that draws need.
    """
    unknown = [name for name in priors if name not in PRIORS]
    if unknown or not priors:
        raise SummaryError("priors", f"some of {', '.join(PRIORS)}", unknown)
    for arm in summary.arms:
        if arm.deaths is None:
            raise SummaryError(f"arms.{arm.name}.deaths", "the number of deaths (draws need it)", None)
    follow_up = follow_up or FollowUp.guess(summary)
    shares = [n // len(priors) + (index < n % len(priors)) for index in range(len(priors))]
    jobs = [
        (summary, share, prior, assumptions, follow_up, seed, chains, burn_in, thin)
        for share, prior in zip(shares, priors, strict=True)
        if share
    ]
    results = []
    if n_jobs == 1:
        for index, job in enumerate(jobs):

            def tell(share, words, index=index):
                if progress:
                    progress((index + share) / len(jobs), words)

            results.append(_run(*job, progress=tell, stop=stop))
    else:
        from joblib import Parallel, delayed

        for result in Parallel(n_jobs=n_jobs, return_as="generator")(delayed(_run)(*job) for job in jobs):
            results.append(result)
            if progress:
                progress(len(results) / len(jobs), jobs[len(results) - 1][2])
            if stop is not None and stop.is_set():
                raise Cancelled("stopped by the caller")
    first, second = summary.arms
    return Ensemble(
        summary,
        np.concatenate(results),
        np.concatenate([np.arange(arm.n) < arm.deaths for arm in summary.arms]),
        np.repeat([0, 1], [first.n, second.n]),
        np.repeat([job[2] for job in jobs], [len(result) for result in results]),
        assumptions,
        follow_up,
        seed,
    )


def _run(
    summary,
    n,
    prior,
    assumptions,
    follow_up,
    seed,
    chains,
    burn_in,
    thin,
    *,
    progress=None,
    stop=None,
    most_approaches=150,
) -> np.ndarray:
    """`n` draws under one prior, shape (n, patients)."""
    rng = np.random.default_rng([seed, list(PRIORS).index(prior)])
    chains = max(20, min(chains, n))  # fewer seldom find the way to all numbers
    run = _Chains(summary, prior, assumptions, follow_up, chains, rng)
    rounds = math.ceil(n / chains)
    sweeps = burn_in + (rounds - 1) * thin

    def turn(done: int, words: str) -> None:
        if stop is not None and stop.is_set():
            raise Cancelled("stopped by the caller")
        if progress:
            progress(done / sweeps, f"{prior}: {words}")

    # Annealing leads most chains to the numbers between the arms. Only where it fails are chains copied:
    # copies replace the orders from which the way is long.
    weight, most = 0.5, 500.0
    for _ in range(most_approaches):
        reached = (run.distance == 0).mean()
        if reached >= 0.9:
            break
        turn(0, f"{reached:.0%} of the chains have reached all numbers")
        if weight == most:
            run.follow()
        run.sweep(weight)
        weight = min(1.4 * weight, most)
    run.restart()
    found = []
    for done in range(sweeps + 1):
        if done >= burn_in and (done - burn_in) % thin == 0:
            found.append(np.concatenate(run.months, axis=1))
        if done < sweeps:
            turn(done, f"sweep {done + 1} of {sweeps}")
            run.sweep()
    return np.concatenate(found)[:n]


def _named_summary(report: str) -> tuple[str, Summary]:
    """A name for files, and the summary in a JSON file or of a report among the records."""
    if report.endswith(".json"):
        return Path(report).stem, Summary.from_json(Path(report))
    return f"{report.replace('.', '_')}_os", Summary.from_dict(overall_survival(report))


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: make, verify and save an ensemble."""
    from .verify import disagreements

    parser = argparse.ArgumentParser(prog="python -m widgets.survival.draws", description=NOTICE)
    parser.add_argument("report", help="a report among the records, such as clocc.2017, or a JSON file of a summary")
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=2017)
    parser.add_argument("--first", type=float, help="earliest administrative censoring, months")
    parser.add_argument("--last", type=float, help="latest administrative censoring, months")
    parser.add_argument("--loss", type=float, default=FollowUp.loss, help="lost per month before that")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("data/derived"))
    given = parser.parse_args(arguments)
    if (given.first is None) != (given.last is None):
        parser.error("--first and --last belong together")
    try:
        name, summary = _named_summary(given.report)
    except KeyError as error:
        parser.error(error.args[0])
    follow_up = None if given.first is None else FollowUp(given.first, given.last, given.loss)
    ensemble = draw(
        summary,
        given.draws,
        follow_up=follow_up,
        seed=given.seed,
        n_jobs=given.jobs,
        progress=lambda share, words: print(f"\r{share:4.0%} {words:60}", end="", file=sys.stderr),
    )
    wrong = disagreements(ensemble)
    if wrong:
        print(f"\n{len(wrong)} printed numbers are not given back, the first: {wrong[0]}", file=sys.stderr)
        return 1
    given.out.mkdir(parents=True, exist_ok=True)
    path = given.out / f"{name}_draws.csv.gz"
    words = sys.argv[1:] if arguments is None else arguments
    ensemble.save(path, "python -m widgets.survival.draws " + " ".join(map(str, words)))
    print(f"\n{path}: {len(ensemble)} draws, every printed number verified; {NOTICE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What the printed numbers of one arm allow: every order of deaths and losses that gives them back.

A Kaplan-Meier estimate and its Greenwood variance depend only on the order of deaths and losses
(ties change neither, if losses follow deaths). So the search walks through orders, death by death:
its state is the number at risk, the deaths so far, S and the Greenwood sum, and it keeps what can
still round to the printed survival and limits at every later landmark, with each death that is a
printed median or limit of a median at its printed time. Nothing is sampled: if the conventions
(`Assumptions`) hold, what is not listed is impossible.

"Range" always means what the reconstruction leaves open, never sampling uncertainty.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product

import numpy as np

from .summary import Arm, Assumptions, Printed, Summary, SummaryError

CURVES = ("lower", "estimate", "upper")
_DEFAULT = Assumptions()


class TooMany(RuntimeError):
    """The search was stopped at its budget: neither all orders nor that there are none is known."""


@dataclass(frozen=True)
class Order:
    """A family of orders up to the last printed time.

    losses   losses[k] patients are lost after death k and before death k + 1
    passed   deaths before each landmark
    named    the death (from 1) that is the lower limit, the median, the upper limit; 0 = after the
             last printed time or never
    spare    up to this many are lost after the last of these deaths and before the last printed time
    """

    losses: tuple[int, ...]
    passed: tuple[int, ...]
    named: tuple[int, int, int]
    spare: int

    @property
    def count(self) -> int:
        """How many places the landmarks can take among the losses, over all orders of the family."""
        gaps = [self.passed.count(k) for k in range(len(self.losses) + 1)]
        inner = math.prod(math.comb(lost + here, here) for lost, here in zip(self.losses, gaps, strict=False))
        return inner * math.comb(self.spare + gaps[-1], gaps[-1])

    def curve(self, n: int) -> np.ndarray:
        """S after 0, 1, 2 … deaths, shape (deaths + 1,)."""
        at_risk = n - np.cumsum(self.losses) - np.arange(len(self.losses))
        return np.concatenate([[1.0], np.cumprod(1 - 1 / at_risk)])

    def sequences(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Each order as a string of D (death) and L (loss), with the landmarks' positions in it.

        A string ends at the last printed time: at a landmark, or else at the last named death.
        """
        last = len(self.losses)
        body = "".join("L" * lost + "D" for lost in self.losses)
        gaps = [k + sum(self.losses[:k]) for k in range(last + 1)]
        at_landmark = last in self.passed
        for tail in range(self.spare + 1) if at_landmark else (0,):
            length = (*self.losses, tail)
            for places in product(*(range(length[k] + 1) for k in self.passed)):
                marks = tuple(gaps[k] + place for k, place in zip(self.passed, places, strict=True))
                if list(marks) == sorted(marks) and (not at_landmark or marks[-1] == len(body) + tail):
                    yield body + "L" * tail, marks


def limits(survival: float, greenwood: float, z: float, transform: str) -> tuple[float, float]:
    """Interval of a survival estimate from its Greenwood sum, var(S)/S².

    Transforms as in R's `survfit(conf.type=…)` and SAS: log-log, linear ("plain"), log, logit, arcsine.
    Not cut to 0–1. For survival 0 or 1, where no transform has a width, both limits equal it.
    """
    if not 0 < survival < 1 or math.isinf(greenwood):
        return survival, survival
    error = math.sqrt(greenwood)
    match transform:
        case "log-log":
            width = math.exp(min(500.0, z * error / -math.log(survival)))
            return survival**width, survival ** (1 / width)
        case "linear":
            return survival * (1 - z * error), survival * (1 + z * error)
        case "log":
            return survival * math.exp(-z * error), survival * math.exp(z * error)
        case "logit":
            odds, width = survival / (1 - survival), math.exp(min(500.0, z * error / (1 - survival)))
            return odds / (odds + width), odds * width / (1 + odds * width)
        case "arcsine":
            angle = math.asin(math.sqrt(survival))
            width = z * error * math.sqrt(survival / (1 - survival)) / 2
            return (math.sin(max(0.0, angle - width)) ** 2,
                    math.sin(min(math.pi / 2, angle + width)) ** 2)
    raise SummaryError("interval", "a known transform", transform)


@dataclass(frozen=True)
class _Window:
    """What may stand at a landmark: ranges of S and of the Greenwood sum, and the exact check."""

    months: float
    low: float
    high: float
    least: float
    most: float
    fits: Callable[[float, float], bool]


_OPEN = (-math.inf, math.inf)


def _window(months: float, printed, z: float, assumptions: Assumptions) -> _Window:
    low, high = printed.estimate.bounds(assumptions) if printed.estimate else (0.0, 1.0)
    sides = [side.bounds(assumptions) if side else _OPEN for side in (printed.lower, printed.upper)]

    def fits(survival: float, greenwood: float) -> bool:
        if not low <= survival <= high:
            return False
        pair = limits(survival, greenwood, z, assumptions.interval)
        return all(a <= max(0.0, min(1.0, x)) <= b for x, (a, b) in zip(pair, sides, strict=True))

    least, most = _greenwood_range(low, high, sides, z, assumptions.interval)
    return _Window(months, low, high, least, most, fits)


def _greenwood_range(low, high, sides, z, transform) -> tuple[float, float]:
    """An outer range of the Greenwood sum, for pruning only: the exact check follows at the landmark.

    Both limits move away from S as the sum grows; so for each S the sums that fit are an interval,
    found by bisection, and S runs over a grid. Widened by 2 % because the grid has gaps.
    """
    if sides == [_OPEN, _OPEN] or not 0 < low <= high < 1:
        return 0.0, math.inf

    def last(condition) -> float:
        """Largest sum for which a condition still holds that holds up to some sum."""
        a, b = 0.0, 1.0  # the sum of 1/(n(n-1)) never exceeds one
        if condition(b):
            return math.inf
        for _ in range(50):
            a, b = ((a + b) / 2, b) if condition((a + b) / 2) else (a, (a + b) / 2)
        return a

    least, most = math.inf, 0.0
    for survival in np.linspace(low, high, 25):
        def pair(g, s=float(survival)):
            return [max(0.0, min(1.0, x)) for x in limits(s, g, z, transform)]
        smallest = max(last(lambda g: pair(g)[0] > sides[0][1]), last(lambda g: pair(g)[1] < sides[1][0]))
        largest = min(last(lambda g: pair(g)[0] >= sides[0][0]), last(lambda g: pair(g)[1] <= sides[1][1]))
        if smallest <= largest:
            least, most = min(least, smallest), max(most, largest)
    return least * 0.98, most * 1.02


def orders(arm: Arm, assumptions: Assumptions = _DEFAULT, *, budget: int = 2_000_000,
           seed: int | None = None) -> Iterator[Order]:
    """Every family of orders that gives the arm's printed numbers back, depth first.

    A printed "not reached" is held up to the last printed time. `seed` shuffles the walk, for a
    start somewhere in a large arm. Raises TooMany after `budget` states.
    """
    windows = [_window(months, printed, arm.z, assumptions) for months, printed in arm.landmarks]
    printed = {name: number for name, number in arm.median if number}
    times = [printed[c].bounds(assumptions) if c in printed else None for c in CURVES]
    deaths, z, transform = arm.deaths, arm.z, assumptions.median_interval
    shuffle = random.Random(seed).shuffle if seed is not None else None
    unnamed = (0, 0, 0)

    def reachable(n: int, k: int, i: int, s: float, g: float) -> bool:
        """Can S and the Greenwood sum still hit every later landmark?

        From S to S' the sum grows least without losses, by (S/S' − 1)/n, and most if all who may be
        lost are lost at once.
        """
        if i == len(windows):
            return True
        if s < windows[i].low:
            return False
        fewest = max(1, (deaths or k) - k)
        for w in windows[i:]:
            if g + max(0.0, s / w.high - 1) / n > w.most:
                return False
            if w.low > 0 and g + (s / w.low - 1) / fewest < w.least:
                return False
        return True

    def cross(k: int, i: int, now: float, named, s: float, g: float):
        """Name the death if a curve falls to one half at it; None if that contradicts its printed time."""
        if all(named):
            return named, now
        lower, upper = limits(s, g, z, transform)
        start, end = now, math.inf
        result = list(named)
        for index, value in enumerate((lower, s, upper)):
            if result[index] or value > 0.5 + 1e-12:
                continue
            result[index] = k
            if times[index] is None:
                continue
            low, high = times[index]
            start, end = max(start, low), min(end, high)
            if math.isinf(low) or start > end or (i < len(windows) and low > windows[i].months):
                return None
        return tuple(result), start

    # state: deaths k, at risk n, landmarks passed i, earliest time now, S, Greenwood sum, and the path
    stack = [(0, arm.n, 0, 0.0, 1.0, 0.0, (), (), unnamed)]
    visited = 0
    while stack:
        visited += 1
        if visited > budget:
            raise TooMany(f"{arm.name}: more than {budget:,} states; fewer patients or more printed limits "
                          "are needed for a complete search")
        k, n, i, now, s, g, losses, passed, named = stack.pop()
        pending = [t for t, name in zip(times, named, strict=True) if t and not name and t[1] < math.inf]
        if i == len(windows) and not pending:
            if deaths is None or deaths >= k:
                yield Order(losses, passed, named, n - ((deaths or k) - k))
            continue
        following = []
        if i < len(windows):
            w = windows[i]
            if now <= w.months and w.fits(s, g) and all(t[1] >= w.months for t in pending):
                following.append((k, n, i + 1, max(now, w.months), s, g, losses, (*passed, k), named))
        if deaths is None or k < deaths:
            for lost in range(n - (max(1, deaths - k) if deaths is not None else 1) + 1):
                left = n - lost
                s2 = s * (left - 1) / left
                g2 = g + 1 / (left * (left - 1)) if left > 1 else math.inf
                if left > 1 and not reachable(left - 1, k + 1, i, s2, g2):
                    if g2 > min((w.most for w in windows[i:]), default=math.inf) or (
                            i < len(windows) and s2 < windows[i].low):
                        break  # more losses only make S smaller and the sum larger
                    continue
                if left == 1 and i < len(windows) and windows[i].low > 0:
                    break
                crossed = cross(k + 1, i, now, named, s2, g2)
                if crossed:
                    following.append((k + 1, left - 1, i, crossed[1], s2, g2, (*losses, lost), passed,
                                      crossed[0]))
        if shuffle:
            shuffle(following)
        stack.extend(reversed(following))

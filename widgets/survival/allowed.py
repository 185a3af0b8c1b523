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
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise, product

import numpy as np

from .summary import CHOICES, Arm, Assumptions, SummaryError

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
            return (math.sin(max(0.0, angle - width)) ** 2, math.sin(min(math.pi / 2, angle + width)) ** 2)
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
    sides = [side.bounds(assumptions) if side else _OPEN for side in (printed.lower, printed.upper)]
    low, high = max(0.0, sides[0][0]), min(1.0, sides[1][1])  # S lies between its limits
    if printed.estimate:
        low, high = printed.estimate.bounds(assumptions)

    def fits(survival: float, greenwood: float) -> bool:
        if not low <= survival <= high:
            return False
        pair = limits(survival, greenwood, z, assumptions.interval)
        return all(a <= max(0.0, min(1.0, x)) <= b for x, (a, b) in zip(pair, sides, strict=True))

    least, most = _greenwood_range(low, high, sides, z, assumptions.interval)
    return _Window(months, low, high, least, most, fits)


def _greenwood_range(low, high, sides, z, transform) -> tuple[float, float]:
    """An outer range of the Greenwood sum, for pruning only: the exact check follows at the landmark.

    Either limit moves away from S as the sum grows, so for a given S the sums that fit it are an
    interval, found by bisection; S runs over a grid. The 2 % of margin cover what the grid passes over.
    """
    grid = [float(s) for s in np.linspace(low, high, 65) if 0 < s < 1]
    least, most = 0.0, math.inf
    for side, sign, (near, far) in ((0, 1, sides[0][::-1]), (1, -1, sides[1])):
        if not math.isfinite(near) or not grid:
            continue

        def last(s: float, reached: float, side=side, sign=sign) -> float:
            """Largest sum with which the limit has not gone beyond `reached`."""
            a, b = 0.0, 1.0  # the sum of 1/(n(n − 1)) never exceeds one
            for _ in range(40):
                middle = (a + b) / 2
                limit = max(0.0, min(1.0, limits(s, middle, z, transform)[side]))
                a, b = (middle, b) if sign * limit >= sign * reached else (a, middle)
            return math.inf if a > 0.999 else b

        least = max(least, min(last(s, near) for s in grid))
        most = min(most, max(last(s, far) for s in grid))
    return least * 0.98, most * 1.02


def _contradiction(windows: list[_Window], median: tuple[float, float] | None) -> bool:
    """Whether a landmark contradicts itself, or the median: found at once, long to find by walking."""
    if any(w.least > w.most or w.low > w.high for w in windows):
        return True
    return median is not None and any(
        (w.high < 0.5 and w.months < median[0]) or (w.low > 0.5 and w.months > median[1]) for w in windows
    )


def orders(
    arm: Arm, assumptions: Assumptions = _DEFAULT, *, budget: int = 2_000_000, seed: int | None = None
) -> Iterator[Order]:
    """Every family of orders that gives the arm's printed numbers back, depth first.

    A printed "not reached" is held up to the last printed time. `seed` shuffles the walk, so that it
    starts somewhere else. Raises TooMany after `budget` states.
    """
    windows = [_window(months, printed, arm.z, assumptions) for months, printed in arm.landmarks]
    printed = {name: number for name, number in arm.median if number}
    times = [printed[c].bounds(assumptions) if c in printed else None for c in CURVES]
    deaths, z, transform = arm.deaths, arm.z, assumptions.median_interval
    dice = random.Random(seed) if seed is not None else None
    taste = dice.random() if dice else 0.0  # where in the open ranges this walk aims
    guided = dice is not None and dice.random() < 0.5
    if _contradiction(windows, times[1]):
        return

    def verdict(n: int, k: int, i: int, s: float, g: float) -> int:
        """Whether S and the Greenwood sum can still hit every later landmark: 0 if so.

        1: S is too small or the sum too large already, which further losses only make worse;
        -1: the sum will stay too small. A death at m at risk adds (S_before/S_after − 1)/m. With m at its
        largest (nobody lost any more) that makes (S/S' − 1)/n from S to S'; with m at least `fewest`, at
        most (S/S' − 1)/fewest.
        """
        if i < len(windows) and s < windows[i].low:
            return 1
        short = 0
        for w in windows[i:]:
            if g + max(0.0, s / w.high - 1) / n > w.most:
                return 1
            if w.low > 0:
                most_deaths = k + math.floor(n * (1 - w.low / s) + 1e-9)
                fewest = max(1, (deaths or 0) - most_deaths + 1)
                if g + (s / w.low - 1) / fewest < w.least:
                    short = -1
        return short

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

    def loss_odds(n: int, i: int, s: float, g: float) -> float:
        """How readily a shuffled walk loses a patient here, to meet the next landmark's Greenwood sum."""
        w = windows[i] if i < len(windows) else None
        if w is None or not guided or math.isinf(w.most) or not 0 < w.high < s:
            return taste / 2
        aim = (w.low + w.high) / 2
        missing = w.least + taste * (w.most - w.least) - g - (s / aim - 1) / n
        losses = max(0.0, missing) * n**2 / (s / aim - 1)  # each adds (s / aim − 1)/n² if lost now
        return losses / (losses + n * (1 - aim / s) + 1)

    # state: deaths k, at risk n, landmarks passed i, earliest time now, S, Greenwood sum, and the path
    stack = [(0, arm.n, 0, 0.0, 1.0, 0.0, (), (), (0, 0, 0))]
    visited = 0
    while stack:
        visited += 1
        if visited > budget:
            raise TooMany(
                f"{arm.name}: more than {budget:,} states; fewer patients or more printed limits "
                "are needed for a complete search"
            )
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
                if left > 1 and (off := verdict(left - 1, k + 1, i, s2, g2)):
                    if off > 0:
                        break
                    continue
                if left == 1 and i < len(windows) and windows[i].low > 0:
                    break
                crossed = cross(k + 1, i, now, named, s2, g2)
                if crossed:
                    following.append((k + 1, left - 1, i, crossed[1], s2, g2, (*losses, lost), passed, crossed[0]))
        if dice:
            toll = -math.log(max(0.005, loss_odds(n, i, s, g)))
            following.sort(key=lambda state: math.log(dice.expovariate(1.0)) + toll * (n - state[1]))
        stack.extend(reversed(following))


@dataclass(frozen=True)
class Allowed:
    """What the printed numbers of one arm allow under stated assumptions.

    With `complete` False the search was stopped: what is listed is possible, but there is more.
    """

    arm: Arm
    assumptions: Assumptions
    orders: tuple[Order, ...]
    complete: bool

    @property
    def possible(self) -> bool:
        """Whether any order at all gives the printed numbers back."""
        return bool(self.orders)

    def count(self, *, landmarks: bool = False) -> int:
        """Distinct orders up to the last printed time; with `landmarks`, their positions count too."""
        if landmarks:
            return sum(order.count for order in self.orders)
        tails = {o.losses: o.spare + 1 if len(o.losses) in o.passed else 1 for o in self.orders}
        return sum(tails.values())

    def death_vectors(self) -> tuple[tuple[int, ...], ...]:
        """Deaths between landmarks, and after the last one if the number of deaths is printed."""
        end = () if self.arm.deaths is None else (self.arm.deaths,)
        edges = {(0, *order.passed, *end) for order in self.orders}
        return tuple(sorted(tuple(np.diff(edge).tolist()) for edge in edges))

    def at_risk(self) -> dict[float, tuple[int, int]]:
        """Fewest and most patients at risk at each landmark, by month."""
        found: dict[float, tuple[int, int]] = {}
        for order in self.orders:
            for (months, _), k in zip(self.arm.landmarks, order.passed, strict=True):
                most = self.arm.n - sum(order.losses[:k]) - k
                least = most - (order.losses[k] if k < len(order.losses) else order.spare)
                low, high = found.get(months, (least, most))
                found[months] = min(low, least), max(high, most)
        return found

    def named(self) -> dict[str, tuple[int, ...]]:
        """Which death, counted from 1, may be the median and its limits; () if none is in reach."""
        return {
            curve: tuple(sorted({order.named[index] for order in self.orders} - {0}))
            for index, curve in enumerate(CURVES)
        }

    @cached_property
    def _cells(self) -> list[tuple[np.ndarray, np.ndarray]]:
        return [_cells(self.arm, self.assumptions, order) for order in self.orders]

    def survival_bounds(self, months) -> tuple[np.ndarray, np.ndarray]:
        """Hard bounds on S(t) at each time, as two arrays of the shape of `months`.

        They use this arm's numbers only, and hold pointwise: not every curve between them is allowed.
        """
        times = np.atleast_1d(np.asarray(months, float))
        low, high = np.full(times.shape, np.inf), np.full(times.shape, -np.inf)
        side = "left" if self.assumptions.inclusive else "right"
        for order, (earliest, latest) in zip(self.orders, self._cells, strict=True):
            curve = order.curve(self.arm.n)
            high = np.maximum(high, curve[np.searchsorted(latest, times, "right")])
            falls = curve[np.searchsorted(earliest, times, side)]
            if self.arm.deaths is None or self.arm.deaths > len(order.losses):
                falls = np.where(times > last_printed(self.arm), 0.0, falls)
            low = np.minimum(low, falls)
        return low, high

    def rmst_bounds(self, tau: float) -> tuple[float, float]:
        """Hard bounds on the restricted mean survival time up to `tau`, in months (this arm only)."""
        low, high = math.inf, -math.inf
        for order, (earliest, latest) in zip(self.orders, self._cells, strict=True):
            curve = order.curve(self.arm.n)
            high = max(high, _area(latest, curve, tau))
            if self.arm.deaths is None or self.arm.deaths > len(order.losses):
                earliest, curve = np.append(earliest, last_printed(self.arm)), np.append(curve, 0.0)
            low = min(low, _area(earliest, curve, tau))
        return low, high


def allowed(arm: Arm, assumptions: Assumptions = _DEFAULT, *, budget: int = 2_000_000) -> Allowed:
    """Search one arm.

    If the budget of states does not suffice, what was found is returned with `complete` False, widened
    by fifty short walks in shuffled order.
    """
    found: dict[Order, None] = {}
    try:
        for order in orders(arm, assumptions, budget=budget):
            found[order] = None
        return Allowed(arm, assumptions, tuple(found), True)
    except TooMany:
        for seed in range(50):
            with suppress(TooMany, StopIteration):
                found[next(orders(arm, assumptions, budget=50 * arm.n, seed=seed))] = None
        return Allowed(arm, assumptions, tuple(found), False)


def fitting(
    arm: Arm, assumptions: Assumptions = _DEFAULT, *, seed: int = 0, walks: int = 40, budget: int = 50_000
) -> Order | None:
    """One order that gives the printed numbers back, or None if there is none.

    A short search in order finds the rare fit of a small arm, short shuffled walks one of the many of an
    arm far too large to list. Raises TooMany if neither they nor a search within the budget decide.
    """
    tries = [(None, 10_000)] * (seed == 0) + [(walks * seed + walk, 50 * arm.n) for walk in range(walks)]
    for walk, states in tries:
        with suppress(TooMany):
            return next(orders(arm, assumptions, budget=states, seed=walk), None)
    return next(orders(arm, assumptions, budget=budget), None)


def last_printed(arm: Arm) -> float:
    """The last time, in months, of which a printed number of this arm speaks."""
    named = [float(number.value + number.step / 2) for _, number in arm.median if number and number.value is not None]
    return max([0.0, *(months for months, _ in arm.landmarks), *named])


def _cells(arm: Arm, assumptions: Assumptions, order: Order) -> tuple[np.ndarray, np.ndarray]:
    """Earliest and latest time of each death of an order, by landmarks and named deaths."""
    earliest, latest = np.zeros(len(order.losses)), np.full(len(order.losses), np.inf)
    for (months, _), k in zip(arm.landmarks, order.passed, strict=True):
        earliest[k:] = np.maximum(earliest[k:], months)
        latest[:k] = np.minimum(latest[:k], months)
    for (_, number), k in zip([(c, getattr(arm.median, c)) for c in CURVES], order.named, strict=True):
        if number and k:
            low, high = number.bounds(assumptions)
            earliest[k - 1 :] = np.maximum(earliest[k - 1 :], low)
            latest[:k] = np.minimum(latest[:k], high)
    return earliest, latest


def _area(times: np.ndarray, curve: np.ndarray, tau: float) -> float:
    edges = np.concatenate([[0.0], np.minimum(times, tau), [tau]])
    return float(np.diff(edges) @ curve)


def rmst_difference_bounds(first: Allowed, second: Allowed, tau: float) -> tuple[float, float]:
    """Hard bounds on RMST(first) − RMST(second) up to `tau`, in months.

    They use landmarks, medians and deaths of each arm by itself, not hazard ratio, P or follow-up;
    those forbid some pairs of extremes, so the range that is left is narrower.
    """
    (low1, high1), (low2, high2) = first.rmst_bounds(tau), second.rmst_bounds(tau)
    return low1 - high2, high1 - low2


def _events(allowed_arm: Allowed, early: bool) -> set[tuple[tuple[float, int, bool], ...]]:
    """Each order with all events as early, or as late, as they can be: (time, period, death)."""
    result = set()
    for order, cells in zip(allowed_arm.orders, allowed_arm._cells, strict=True):
        times, now, events = cells[0 if early else 1], 0.0, []
        for k, lost in enumerate(order.losses):
            period = sum(passed < k + 1 for passed in order.passed)
            events += [(now if early else times[k], period, False)] * lost
            now = times[k]
            events.append((now, period, True))
        if early:
            events += [(now, len(order.passed), False)] * order.spare
        result.add(tuple(events))
    return result


def _period_hazard_ratio(first, second, first_early: bool, n: tuple[int, int], period: int) -> float:
    """Cox hazard ratio of one period from two ordered lists of events; in ties, late ones come first."""
    tagged = [(t, first_early, k, 0, p, d) for k, (t, p, d) in enumerate(first)]
    tagged += [(t, not first_early, k, 1, p, d) for k, (t, p, d) in enumerate(second)]
    at_risk, deaths, odds = [n[0], n[1]], [0, 0], []
    for _, _, _, arm, place, death in sorted(tagged):
        if death and place == period:
            deaths[arm] += 1
            odds.append(tuple(at_risk))
        at_risk[arm] -= 1
    if not deaths[0] or not deaths[1]:
        return math.nan if not any(deaths) else math.inf if deaths[0] else 0.0
    y1, y0 = np.array(odds, float).T
    low, high = -20.0, 20.0
    for _ in range(50):  # the score falls with the log hazard ratio
        middle = (low + high) / 2
        expected = np.sum(y1 * math.exp(middle) / (y1 * math.exp(middle) + y0))
        low, high = (middle, high) if deaths[0] > expected else (low, middle)
    return math.exp((low + high) / 2)


def hazard_ratio_bounds(first: Allowed, second: Allowed) -> dict[tuple[float, float], tuple[float, float]]:
    """Hard bounds on the hazard ratio (first against second) between landmarks, by period in months.

    The Cox score rises, at every hazard ratio, when an event of the first arm moves ahead of an event
    of the second; so the extremes are one arm as early and the other as late as possible, over all
    pairs of orders. Uses landmarks, medians and deaths of each arm, not the overall hazard ratio, P or
    follow-up. Raises SummaryError if the arms' landmarks differ.
    """
    marks = [tuple(months for months, _ in side.arm.landmarks) for side in (first, second)]
    if marks[0] != marks[1]:
        raise SummaryError("landmarks", f"the same months in both arms ({marks[0]})", marks[1])
    n = first.arm.n, second.arm.n
    edges = (0.0, *marks[0])
    bounds = {}
    for period, span in enumerate(pairwise(edges)):
        low, high = (
            [
                _period_hazard_ratio(a, b, early, n, period)
                for a in _events(first, early)
                for b in _events(second, not early)
            ]
            for early in (False, True)
        )
        bounds[span] = min(low, default=math.nan), max(high, default=math.nan)
    return bounds


def needed(arm: Arm, assumptions: Assumptions = _DEFAULT, *, budget: int = 200_000) -> dict[str, Allowed]:
    """Leave each printed number out in turn: what is still allowed, by the number's name.

    A number is needed for a conclusion (the death vector, a range at risk, a named death) if the
    conclusion widens without it; compare with `allowed(arm)`.
    """
    return {name: allowed(arm.without(name), assumptions, budget=budget) for name in arm.numbers()}


def conflict(arm: Arm, assumptions: Assumptions = _DEFAULT, *, budget: int = 50_000) -> tuple[str, ...]:
    """A smallest set of printed numbers that no data can give back together; () if there is no clash.

    Smallest means that leaving out any one of them ends the clash; patients always count as given.
    Numbers are added one by one until the clash appears; the last is part of it, and those after it
    are not needed. A subset that the budget leaves undecided counts as possible: the result is then
    still a clash, though perhaps not a smallest one. Raises TooMany if it is not even decided whether
    all numbers together are possible.
    """
    names = tuple(sorted(arm.numbers(), key=lambda name: name != "deaths"))

    def possible(kept: tuple[str, ...]) -> bool:
        with suppress(TooMany):
            return fitting(arm.without(*set(names) - set(kept)), assumptions, budget=budget) is not None
        return True

    if fitting(arm, assumptions, budget=budget):
        return ()
    landmarks = [tuple(n for n in names if n.startswith(f"{months:g}.")) for months, _ in arm.landmarks]
    clash, pool = (), next((alone for alone in landmarks if not possible(alone)), names)
    while pool:
        for size in range(len(pool) + 1):
            if not possible(clash + pool[:size]):
                break
        else:
            return clash + pool
        if size == 0:
            break
        clash, pool = (*clash, pool[size - 1]), pool[: size - 1]
    return tuple(name for name in names if name in clash)


def denominators(
    arm: Arm, candidates: range, assumptions: Assumptions = _DEFAULT, *, budget: int = 2_000_000
) -> tuple[int, ...]:
    """Which numbers of patients fit the printed curve and number of deaths."""
    return tuple(n for n in candidates if fitting(replace(arm, n=n), assumptions, budget=budget))


def conventions(
    arm: Arm, assumptions: Assumptions = _DEFAULT, *, budget: int = 2_000_000
) -> dict[str, dict[str, Allowed]]:
    """Switch one convention at a time (interval, median's interval, rounding): what each choice allows."""
    return {
        name: {choice: allowed(arm, assumptions.with_(**{name: choice}), budget=budget) for choice in CHOICES[name]}
        for name in ("interval", "median_interval", "rounding")
    }

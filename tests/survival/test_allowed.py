from dataclasses import replace
from itertools import combinations, combinations_with_replacement
from math import exp, inf, log, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.survival.printing import printed
from widgets.survival.allowed import (
    TooMany,
    allowed,
    conflict,
    conventions,
    denominators,
    fitting,
    hazard_ratio_bounds,
    limits,
    needed,
    orders,
    rmst_difference_bounds,
)
from widgets.survival.published import overall_survival
from widgets.survival.summary import Assumptions, Printed, Summary

Z = 1.959963984540054


@pytest.fixture(scope="module")
def arms():
    return Summary.from_dict(overall_survival("clocc.2017")).arms


@pytest.fixture(scope="module")
def found(arms):
    return tuple(allowed(arm) for arm in arms)


# --- an independent brute force over every order -----------------------------------------------------


def km(sequence):
    """S, lower and upper limit (log-log) after each event of a string of D and L."""
    at_risk, s, g, rows = len(sequence), 1.0, 0.0, [(1.0, 1.0, 1.0)]
    for event in sequence:
        if event == "D":
            s *= 1 - 1 / at_risk
            g += 1 / (at_risk * (at_risk - 1)) if at_risk > 1 else 0
        if 0 < s < 1:
            theta, se = log(-log(s)), sqrt(g) / -log(s)
            rows.append((s, exp(-exp(theta + Z * se)), exp(-exp(theta - Z * se))))
        else:
            rows.append((s, s, s))
        at_risk -= 1
    return rows


def fits(value, printed):
    if printed is None:
        return True
    return abs(value - float(printed.value)) <= float(printed.step) / 2 + 1e-12


def brute_force(arm):
    """Every order with landmark positions, cut at the last printed time."""
    result = set()
    named = [arm.median.lower, arm.median.estimate, arm.median.upper]
    windows = [
        None
        if p is None
        else (inf, inf)
        if p.value is None
        else (float(p.value - p.step / 2) - 1e-12, float(p.value + p.step / 2) + 1e-12)
        for p in named
    ]
    times = [months for months, _ in arm.landmarks]
    for dead in combinations(range(arm.n), arm.deaths):
        text = "".join("D" if i in dead else "L" for i in range(arm.n))
        rows = km(text)
        crossings = [next((i for i, row in enumerate(rows) if row[c] <= 0.5 + 1e-12), None) for c in (1, 0, 2)]
        for marks in combinations_with_replacement(range(arm.n + 1), len(times)):
            if not all(
                fits(rows[mark][0], printed.estimate)
                and fits(rows[mark][1], printed.lower)
                and fits(rows[mark][2], printed.upper)
                for mark, (_, printed) in zip(marks, arm.landmarks, strict=True)
            ):
                continue
            finite = [c for c, w in zip(crossings, windows, strict=True) if w and w[0] < inf]
            if None in finite:
                continue
            end = max([*marks, *finite])
            good = True
            anchors = [(mark, 1 + i, t, t) for i, (mark, t) in enumerate(zip(marks, times, strict=True))]
            for c, w in zip(crossings, windows, strict=True):
                if w and w[0] == inf:
                    good &= c is None or c > end
                elif w:
                    anchors.append((c, 0, *w))
            # an anchor further along the order may not have to lie earlier in time
            for a in anchors:
                for b in anchors:
                    if a[:2] <= b[:2] and a[2] > b[3]:
                        good = False
            if good:
                result.add((text[:end], marks))
    return result


@st.composite
def small_arms(draw):
    n = draw(st.integers(2, 8))
    times = draw(st.lists(st.integers(1, 299), min_size=n, max_size=n, unique=True))
    events = draw(st.lists(st.booleans(), min_size=n, max_size=n).filter(any))
    text = "".join("D" if e else "L" for _, e in sorted(zip(times, events, strict=True)))
    ordered, rows = sorted(times), km(text)
    digits = draw(st.sampled_from([0, 1]))
    drop = draw(
        st.sets(st.sampled_from(["survival", "lower", "upper", "m.lower", "m.estimate", "m.upper"]), max_size=4)
    ) - {"survival"}

    landmarks = []
    for months in draw(
        st.lists(st.sampled_from([4.95, 10.05, 20.05]), min_size=1, max_size=2, unique=True).map(sorted)
    ):
        row = rows[sum(t <= months * 10 for t in ordered)]
        landmarks.append(
            {"months": months}
            | {
                name: f"{100 * x:.{digits}f}%"
                for name, x in zip(("survival", "lower", "upper"), row, strict=True)
                if name not in drop
            }
        )
    median = {}
    for name, c in (("estimate", 0), ("lower", 1), ("upper", 2)):
        crossing = next((i for i, row in enumerate(rows) if row[c] <= 0.5 + 1e-12), None)
        if f"m.{name}" not in drop:
            median[name] = "not reached" if crossing is None else f"{ordered[crossing - 1] / 10:.1f}"
    arm = {"n": n, "deaths": sum(events), "landmarks": landmarks, "median": median}
    return Summary.from_dict({"arms": {"one": arm, "two": arm}}).arms[0], text


@settings(max_examples=80, deadline=None)
@given(small_arms())
def test_complete_on_small_arms(case):
    arm, text = case
    listed = [item for order in orders(arm) for item in order.sequences()]
    assert len(listed) == len(set(listed)), "an order is listed once"
    truth = brute_force(arm)
    assert set(listed) == truth
    assert any(text.startswith(order) for order, _ in truth)
    result = allowed(arm)
    assert result.count(landmarks=True) == len(truth)
    assert result.count() == len({order for order, _ in truth})


@pytest.mark.parametrize("seed", range(4))
def test_the_true_deaths_are_among_the_allowed(seed):
    rng = np.random.default_rng(seed)
    arm = np.repeat([0, 1], 40)
    death, end = rng.exponential(np.where(arm == 0, 40, 25)), rng.uniform(30, 70, 80)
    months, died = np.minimum(death, end), death < end
    for index, side in enumerate(printed(months, died, arm, [12, 24, 36]).arms):
        times = months[(arm == index) & died]
        truth = np.histogram(times, [0, 12, 24, 36, np.inf])[0]
        result = allowed(side, budget=100_000)
        assert tuple(truth) in result.death_vectors() or not result.complete


# --- CLOCC ------------------------------------------------------------------------------------------


def test_one_vector_of_deaths_per_arm(found):
    assert [side.death_vectors() for side in found] == [((25, 8, 4, 2),), ((26, 14, 12, 1),)]


def test_counts_of_orders(found):
    assert [side.count() for side in found] == [216, 95]
    assert [side.count(landmarks=True) for side in found] == [254, 105]
    assert [len({s for o in side.orders for s, _ in o.sequences()}) for side in found] == [216, 95]


def test_at_risk(found):
    assert found[0].at_risk() == {36: (33, 33), 60: (24, 25), 96: (2, 20)}
    assert found[1].at_risk() == {36: (31, 32), 60: (17, 17), 96: (1, 5)}


def test_medians_name_deaths(found):
    assert found[0].named() == {"lower": (22,), "estimate": (30,), "upper": (36, 37)}
    assert found[1].named() == {"lower": (22,), "estimate": (29,), "upper": (36,)}


def test_losses(found):
    combined, systemic = found
    assert {sum(o.losses[:25]) for o in combined.orders} == {2} == {sum(o.losses[:4]) for o in combined.orders}
    assert {sum(o.losses[33:37]) for o in combined.orders} == {1, 2, 3}
    assert {sum(o.losses[:29]) for o in systemic.orders} == {2}
    assert {sum(o.losses[:26]) for o in systemic.orders} == {1, 2}


def test_doubled_tolerance(arms):
    wide = [allowed(arm, Assumptions(tolerance=2)) for arm in arms]
    assert [side.count(landmarks=True) for side in wide] == [2543, 370]
    assert all(len(side.death_vectors()) == 1 for side in wide)


def test_either_limit_suffices_and_medians_are_not_needed(arms):
    arm = arms[1]
    for leave_out in (("lower",), ("upper",), ()):
        names = [n for n in arm.numbers() if n.startswith("median") or n.endswith(leave_out)]
        assert allowed(arm.without(*names)).death_vectors() == ((26, 14, 12, 1),)


def test_without_intervals_several_vectors_fit(arms):
    arm = arms[1]
    bare = arm.without(*[n for n in arm.numbers() if n.endswith(("lower", "upper"))])
    result = allowed(bare, budget=40_000)
    assert not result.complete and len(result.death_vectors()) > 1


def test_conventions(arms):
    fitting = [
        {
            name: {choice for choice, result in choices.items() if result.possible}
            for name, choices in conventions(arm, budget=100_000).items()
        }
        for arm in arms
    ]
    for side in fitting:
        assert side["interval"] == {"log-log"}
    assert fitting[0]["rounding"] & fitting[1]["rounding"] == {"nearest"}
    assert "down" not in fitting[1]["rounding"] and "up" not in fitting[0]["rounding"]


def test_denominators(arms):
    assert denominators(arms[0], range(39, 61)) == (59, 60)
    assert denominators(arms[1], range(53, 61)) == (59, 60)


def test_bounds(found):
    combined, systemic = found
    low, high = combined.survival_bounds([0, 20, 36, 60, 96, 100])
    assert high[:2].tolist() == [1, 1] and 0.63 < low[1] < 0.64
    assert np.all(high[2:5] - low[2:5] <= 0.001 + 1e-9) and low[5] == 0
    low, high = systemic.survival_bounds([40.0, 70.0])
    assert low[1] == pytest.approx(0.089, abs=5e-4) and high[1] == pytest.approx(0.303, abs=5e-4)

    ratios = hazard_ratio_bounds(*found)
    assert list(ratios) == [(0, 36), (36, 60), (60, 96)]
    assert ratios[0, 36][0] < 0.95 < ratios[0, 36][1]
    assert ratios[36, 60][0] < 0.46 < ratios[36, 60][1] < 0.6
    for tau, reported in ((36, 1.6), (60, 3.5), (96, 11.0)):
        low, high = rmst_difference_bounds(*found, tau)
        assert low < reported < high


def test_bounds_hold_every_order_with_random_times(found):
    rng = np.random.default_rng(1)
    grid = np.arange(0.0, 97, 1.5)
    for side in found:
        low, high = side.survival_bounds(grid)
        area = side.rmst_bounds(96)
        for order, (earliest, latest) in zip(side.orders, side._cells, strict=True):
            times = np.maximum.accumulate(rng.uniform(earliest, np.minimum(latest, 96)))
            s = order.curve(side.arm.n)[np.searchsorted(times, grid, "right")]
            assert np.all(low <= s + 1e-12) and np.all(s <= high + 1e-12)
            edges = np.concatenate([[0], times, [96]])
            assert area[0] <= np.diff(edges) @ order.curve(side.arm.n) <= area[1]


def test_what_each_number_is_needed_for(arms, found):
    without = needed(arms[1])
    assert set(without) == set(arms[1].numbers())
    assert all({v[:3] for v in result.death_vectors()} == {(26, 14, 12)} for result in without.values())
    assert without["96.upper"].count() > found[1].count() == without["60.lower"].count()
    assert all(result.count() >= found[1].count() for result in without.values())


# --- summaries that no data can give ------------------------------------------------------------------


@pytest.mark.parametrize(
    "field, text, clash",
    [
        ("36.estimate", "57.4%", {"36.estimate"}),
        ("60.lower", "31.9%", {"60.lower"}),
        ("96.upper", "52.2%", {"96.upper"}),
        ("median.estimate", "62.0", {"median.estimate"}),
    ],
)
def test_a_clash_is_narrowed_down(arms, field, text, clash):
    place, part = field.split(".")
    arm, number = arms[0], Printed.read(field, text)
    if place == "median":
        arm = replace(arm, median=replace(arm.median, **{part: number}))
    else:
        arm = replace(
            arm,
            landmarks=tuple(
                (m, replace(printed, **{part: number}) if f"{m:g}" == place else printed)
                for m, printed in arm.landmarks
            ),
        )
    names = conflict(arm)
    assert clash <= set(names) and len(names) < len(arm.numbers())
    rest = set(arm.numbers()) - set(names)
    for name in names:
        assert fitting(arm.without(*rest, name), seed=1)


def test_no_clash_in_the_report(arms):
    assert conflict(arms[0]) == conflict(arms[1]) == ()


def test_the_budget_is_never_passed_in_silence(arms):
    with pytest.raises(TooMany, match="more than 100 states"):
        list(orders(arms[0], budget=100))
    assert not allowed(arms[0], budget=100).complete


@pytest.mark.parametrize(
    "transform, expected",
    [  # R 4.2, survfit of 60 patients, 25 deaths at risk 60
        ("linear", (0.4586, 0.7081)),
        ("log", (0.4712, 0.7221)),
        ("log-log", (0.4483, 0.6958)),
        ("logit", (0.4559, 0.7002)),
        ("arcsine", (0.4569, 0.7044)),
    ],
)
def test_limits(transform, expected):
    assert limits(35 / 60, 1 / 35 - 1 / 60, Z, transform) == pytest.approx(expected, abs=6e-4)

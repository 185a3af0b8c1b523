"""Exact inference for a proportion: by its definition, by brute force, and by numbers in print."""

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from widgets.survival.binomial import clopper_pearson, exceedance, least_passing

rates = st.floats(0.001, 0.999)
levels = st.floats(50, 99.9)


@st.composite
def counts(draw, largest: int = 150) -> tuple[int, int]:
    n = draw(st.integers(1, largest))
    return draw(st.integers(0, n)), n


def tail(k: int, n: int, p: float) -> float:
    """P(X >= k), summed term by term."""
    return sum(comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1))


@given(counts(), rates)
def test_exceedance_is_the_sum_of_the_binomial_terms(count, rate):
    assert exceedance(*count, rate) == pytest.approx(tail(*count, rate), rel=1e-7, abs=1e-12)


@given(counts(), levels)
def test_each_exact_limit_leaves_its_tail_outside(count, level):
    """The definition: at the lower limit, as many or more has the probability of one tail; at the upper, as few."""
    k, n = count
    lower, upper = clopper_pearson(k, n, level)
    alpha = (1 - level / 100) / 2
    assert 0 <= lower <= k / n <= upper <= 1
    assert lower == 0 if k == 0 else tail(k, n, lower) == pytest.approx(alpha, rel=1e-6)
    assert upper == 1 if k == n else 1 - tail(k + 1, n, upper) == pytest.approx(alpha, rel=1e-6)


@given(counts(), levels)
def test_the_interval_moves_up_with_the_count_widens_with_the_level_and_has_a_mirror(count, level):
    k, n = count
    lower, upper = clopper_pearson(k, n, level)
    if k < n:
        assert all(more > less for more, less in zip(clopper_pearson(k + 1, n, level), (lower, upper), strict=True))
    wider = clopper_pearson(k, n, (level + 100) / 2)
    assert wider[0] <= lower and upper <= wider[1] and wider != (lower, upper)
    assert clopper_pearson(n - k, n, level) == pytest.approx((1 - upper, 1 - lower), abs=1e-9)


@given(st.integers(1, 60), rates, levels)
def test_the_interval_covers_at_least_as_often_as_it_says(n, rate, level):
    intervals = [clopper_pearson(k, n, level) for k in range(n + 1)]
    covered = sum(
        comb(n, k) * rate**k * (1 - rate) ** (n - k) for k, (low, high) in enumerate(intervals) if low <= rate <= high
    )
    assert covered >= level / 100 - 1e-9


@given(st.integers(1, 120), rates, st.floats(0.0001, 0.5))
def test_the_least_passing_count_passes_and_one_less_does_not(n, rate, alpha):
    least = least_passing(n, rate, alpha)
    if least is None:
        assert rate**n > alpha * (1 - 1e-9)  # even all successes are too likely
    else:
        assert exceedance(least, n, rate) <= alpha
        assert least == 0 or exceedance(least - 1, n, rate) > alpha


@pytest.mark.parametrize("k, n, level, lower, upper", [
    (37, 60, 95, 48.2, 73.9),  # CLOCC, report of 2012
    (34, 59, 95, 44.1, 70.4),
    (81, 263, 95, 25.3, 36.8),  # Newcombe RG. Stat Med 1998;17:857, table I
    (15, 148, 95, 5.8, 16.2),
    (0, 20, 95, 0.0, 16.8),
    (1, 29, 95, 0.1, 17.8),
])  # fmt: skip
def test_intervals_in_print(k, n, level, lower, upper):
    assert [round(100 * limit, 1) for limit in clopper_pearson(k, n, level)] == [lower, upper]


def test_the_target_of_clocc():
    """Survival over 38 % was asked of 60 patients: 31 alive would have done at one-sided 2.5 %; there were 37."""
    assert exceedance(37, 60, 0.38) == pytest.approx(tail(37, 60, 0.38)) == pytest.approx(0.0002, abs=5e-5)
    assert exceedance(34, 59, 0.38) == pytest.approx(0.0017, abs=5e-5)
    assert least_passing(60, 0.38, 0.025) == 31 and tail(31, 60, 0.38) <= 0.025 < tail(30, 60, 0.38)
    assert least_passing(3, 0.5, 0.1) is None  # 3 of 3 have a probability of 1/8


@pytest.mark.parametrize("call", [
    lambda: clopper_pearson(-1, 10), lambda: clopper_pearson(11, 10), lambda: clopper_pearson(0, 0),
    lambda: clopper_pearson(1, 10, 0), lambda: clopper_pearson(1, 10, 100),
    lambda: exceedance(11, 10, 0.5), lambda: exceedance(1, 10, 1.5), lambda: exceedance(1, 10, -0.1),
    lambda: exceedance(1, 0, 0.5), lambda: least_passing(0, 0.5, 0.05),
])  # fmt: skip
def test_what_cannot_be_is_refused(call):
    with pytest.raises(ValueError, match=r"expected|must lie"):
        call()

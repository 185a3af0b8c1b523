"""Three-valued logic: the tables of CQL, the laws of Kleene."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from widgets.eligibility.logic import Truth, all_of, any_of, at_least, truth

F, U, T = Truth.FALSE, Truth.UNKNOWN, Truth.TRUE
values = st.sampled_from(list(Truth))
lists = st.lists(values, max_size=7)


@pytest.mark.parametrize(
    "left, right, both, either",
    # HL7 CQL 1.5, author's guide, "Three-valued logic": null is unknown.
    [
        (T, T, T, T), (T, F, F, T), (T, U, U, T),
        (F, T, F, T), (F, F, F, F), (F, U, F, U),
        (U, T, U, T), (U, F, F, U), (U, U, U, U),
    ],
)  # fmt: skip
def test_cql_tables(left, right, both, either):
    assert (left & right) is both
    assert (left | right) is either
    assert all_of([left, right]) is both
    assert any_of([left, right]) is either


def test_not():
    assert [~value for value in (T, F, U)] == [F, T, U]


@given(values, values, values)
def test_laws(a, b, c):
    assert ~~a is a
    assert ~(a & b) is ~a | ~b
    assert ~(a | b) is ~a & ~b
    assert (a & b) is (b & a)
    assert ((a & b) & c) is (a & (b & c))
    assert (a & (b | c)) is ((a & b) | (a & c))
    assert (a | (a & b)) is a


@given(lists, st.integers(1, 9))
def test_at_least_is_what_every_way_of_filling_the_unknown_agrees_on(found, k):
    fillings = product(*[(F, T) if value is U else (value,) for value in found])
    answers = {sum(value is T for value in filling) >= k for filling in fillings}
    assert at_least(k, found) is (truth(answers.pop()) if len(answers) == 1 else U)


@given(lists)
def test_all_and_any_are_ends_of_at_least(found):
    assert any_of(found) is at_least(1, found)
    assert all_of(found) is (at_least(len(found), found) if found else T)


def test_none_given():
    assert all_of([]) is T
    assert any_of([]) is F
    with pytest.raises(ValueError, match="at least 0"):
        at_least(0, [T])


def test_truth_is_no_bool():
    assert [truth(None), truth(True), truth(False)] == [U, T, F]
    with pytest.raises(TypeError, match="three-valued"):
        bool(U)

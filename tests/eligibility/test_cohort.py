"""The cohort: seeded, coherent, and judged as single patients are; shares against brute force."""

from fractions import Fraction
from itertools import combinations, permutations
from math import factorial

import numpy as np
import pytest

from widgets.eligibility import scales
from widgets.eligibility.cohort import Screen, cohort, costs, left, screen, spreads, waterfall
from widgets.eligibility.evaluate import evaluate, meets
from widgets.eligibility.language import criteria, lines
from widgets.eligibility.logic import Truth
from widgets.eligibility.patient import variables
from widgets.eligibility.solve import contradictions

TRIALS = list(criteria())


@pytest.fixture(scope="module")
def people():
    return cohort(10_000, seed=7)


def test_every_variable_of_a_criterion_has_a_distribution():
    used = {one.variable for trial in criteria().values() for clause in trial.clauses() for one in lines(clause.node)}
    assert used <= set(spreads()) <= set(variables())


def test_the_seed_makes_the_cohort_and_a_change_leaves_the_rest():
    one, same, other = cohort(500, 3), cohort(500, 3), cohort(500, 4)
    assert all((one.columns[name] == same.columns[name]).all() for name in one.columns)
    assert any((one.columns[name] != other.columns[name]).any() for name in one.columns)
    older = cohort(500, 3, {"age": {"normal": [80, 5]}})
    changed = [name for name in one.columns if (one.columns[name] != older.columns[name]).any()]
    assert changed == ["age"] and older.columns["age"].mean() > one.columns["age"].mean() + 10
    assert one.synthetic


def test_distributions_are_met(people):
    age = people.columns["age"]
    assert abs(age.mean() - 64) < 1 and abs(age.std() - 11) < 1
    assert abs((people.columns["sex"] == 0).mean() - 0.42) < 0.02
    assert abs((people.columns["urine_protein"] == -1).mean() - 0.4) < 0.02


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"age": {"normal": [60, 5], "yes": 0.5}}, "age: .*expected one of"),
        ({"age": {}}, "expected one of"),
        ({"sex": {"words": {"female": 0.5, "male": 0.4}}}, "add up to 0.9"),
        ({"pregnant": {"yes": 1.5}}, "between 0 and 1"),
    ],
)
def test_a_distribution_that_cannot_be(changes, message):
    with pytest.raises(ValueError, match=message):
        cohort(10, changes=changes)


def test_bad_calls():
    with pytest.raises(ValueError, match="at least one patient"):
        cohort(0)
    with pytest.raises(KeyError, match="did you mean"):
        cohort(5, changes={"ages": {"yes": 0.5}})


def test_nobody_is_impossible(people):
    assert all(contradictions(people.patient(number)) == [] for number in range(1000))


@pytest.mark.parametrize("trial", TRIALS)
def test_agrees_with_the_single_patient(trial, people):
    """10 000 patients, unknowns among them: each requirement, one by one."""
    found = screen(criteria()[trial], people)
    together = found.together()
    for number in range(people.n):
        patient = people.patient(number)
        one_by_one = [int(meets(clause, patient)) for clause in found.clauses]
        assert one_by_one == found.truth[:, number].tolist()
        assert together[number] == min(one_by_one)


@pytest.mark.parametrize("scale", list(scales.tables()))
@pytest.mark.parametrize("trial", ["clocc", "nct06120127", "epoc"])
def test_agrees_under_every_table(trial, scale):
    people = cohort(400, 11, {"ecog": {"words": {"0": 0.2, "1": 0.3, "2": 0.3, "3": 0.2}, "missing": 0.5}})
    found = screen(criteria()[trial], people, scale=scale)
    for number in range(people.n):
        patient = people.patient(number)
        assert [int(meets(clause, patient, scale)) for clause in found.clauses] == found.truth[:, number].tolist()


@pytest.mark.parametrize("trial", TRIALS)
def test_agrees_under_every_reading(trial):
    people = cohort(200, 5)
    for name, dispute in criteria()[trial].disputes.items():
        for option in dispute.options:
            found = screen(criteria()[trial], people, {name: option})
            for number in range(people.n):
                verdict = evaluate(criteria()[trial], people.patient(number), {name: option})
                assert [int(one.met) for one in verdict.outcomes] == found.truth[:, number].tolist()


def test_verdicts_add_up(people):
    for trial in TRIALS:
        counted = left(screen(criteria()[trial], people))
        assert sum(vars(counted).values()) == people.n
        assert (counted.too_little > 0) == (trial == "nct04562727")
        if trial == "nct04562727":
            assert counted.not_excluded == counted.undecided == 0


# --- costs -----------------------------------------------------------------------------------------------


def drawn(k: int, n: int, seed: int) -> Screen:
    """A made-up screening of n patients by k requirements, with unknowns."""
    clauses = criteria()["clocc"].clauses()[:k]
    truth = np.random.default_rng(seed).choice([0, 1, 2], p=[0.3, 0.2, 0.5], size=(k, n)).astype(np.int8)
    return Screen("clocc", clauses, truth)


def shapley(fails: np.ndarray) -> list[Fraction]:
    """The definition: what a requirement adds, averaged over all sets of the others."""
    k = len(fails)

    def worth(some) -> int:
        return int(np.any(fails[list(some)], axis=0).sum()) if some else 0

    shares = []
    for one in range(k):
        others = [other for other in range(k) if other != one]
        share = Fraction(0)
        for size in range(k):
            weight = Fraction(factorial(size) * factorial(k - size - 1), factorial(k))
            share += weight * sum(worth((*some, one)) - worth(some) for some in combinations(others, size))
        shares.append(share)
    return shares


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("unknown_fails", [False, True])
def test_the_fair_share_is_the_shapley_value(seed, unknown_fails):
    found = drawn(5, 60, seed)
    each = costs(found, unknown_fails)
    assert [one.share for one in each] == shapley(found.fails(unknown_fails))


@pytest.mark.parametrize("trial", TRIALS)
@pytest.mark.parametrize("unknown_fails", [False, True])
def test_shares_add_up_to_the_excluded(trial, unknown_fails, people):
    found = screen(criteria()[trial], people)
    each = costs(found, unknown_fails)
    excluded = found.fails(unknown_fails).any(axis=0).sum()
    assert sum(one.share for one in each) == excluded
    assert all(one.only <= one.share <= one.fails for one in each)


def test_the_two_ways_of_counting_the_unknown_make_a_band(people):
    found = screen(criteria()["nct06449937"], people)
    for low, high in zip(costs(found), costs(found, unknown_fails=True), strict=True):
        assert low.fails <= high.fails
    verdicts = left(found)
    steps, strict_steps = waterfall(found), waterfall(found, unknown_fails=True)
    assert steps[-1].remaining == verdicts.not_excluded + verdicts.undecided
    assert strict_steps[-1].remaining == verdicts.not_excluded


@pytest.mark.parametrize("seed", range(3))
def test_the_range_over_all_orders(seed):
    found = drawn(4, 40, seed)
    taken = {clause: set() for clause in found.clauses}
    for order in permutations(range(4)):
        for step in waterfall(found, order):
            taken[step.clause].add(step.taken)
    for step in waterfall(found):
        assert (step.fewest, step.most) == (min(taken[step.clause]), max(taken[step.clause]))


def test_the_waterfall_ends_where_every_order_ends():
    found = drawn(6, 200, 1)
    assert (
        len({waterfall(found, order)[-1].remaining for order in [range(6), [5, 4, 3, 2, 1, 0], [2, 0, 5, 1, 4, 3]]})
        == 1
    )
    with pytest.raises(ValueError, match="every position from 0 to 5"):
        waterfall(found, [0, 1])


def test_unknown_is_neither_failed_nor_met(people):
    found = screen(criteria()["clocc"], people)
    unknown = found.truth == Truth.UNKNOWN
    assert unknown.any()
    assert not (found.fails() & unknown).any()
    assert (found.fails(unknown_fails=True) >= unknown).all()

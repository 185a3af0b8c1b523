"""Near misses: the fewest changes, recoverable ones first, checked by brute force and by `evaluate`."""

from itertools import combinations, product

import pytest
from hypothesis import given, settings

from tests.eligibility.people import PASSING
from tests.eligibility.strategies import patients
from widgets.eligibility.evaluate import Kind, evaluate
from widgets.eligibility.language import criteria
from widgets.eligibility.near import near_miss
from widgets.eligibility.patient import Patient, written
from widgets.eligibility.solve import domains, required

TRIALS = list(criteria())


@pytest.mark.parametrize("trial", TRIALS)
def test_nobody_excluded_has_no_near_miss(trial):
    assert near_miss(criteria()[trial], PASSING[trial]) is None
    assert near_miss(criteria()[trial], Patient()) is None


def test_recoverable_changes_come_first_and_what_cannot_change_is_named():
    patient = PASSING["clocc"].with_(age="85 a", platelets="80 10*9/L", ecog=2, karnofsky=70)
    near = near_miss(criteria()["clocc"], patient)
    assert [(change.variable, change.recoverable) for change in near.changes] == [
        ("platelets", True), ("ecog", True), ("age", False),
    ]  # fmt: skip
    assert [change.variable for change in near.fixed] == ["age"] and not near.possible
    assert [str(clause) for clause in near.changes[0].because] == ["platelets > 100000 /mm3"]
    assert near.after.kind is Kind.NOT_EXCLUDED


def test_the_smallest_change_that_does():
    near = near_miss(criteria()["nct06449937"], PASSING["nct06449937"].with_(haemoglobin="70 g/L", ecog=4))
    assert {change.variable: written(change.to) for change in near.changes} == {"haemoglobin": "90 g/L", "ecog": 1}
    assert near.possible


def test_of_two_ways_the_one_with_fewer_changes():
    patient = PASSING["nct06449937"].with_(metastases_resectable=False, largest_metastasis="4 cm", ablations=2)
    near = near_miss(criteria()["nct06449937"], patient)
    assert len(near.changes) == 1 and not near.possible


def test_a_way_that_can_happen_beats_a_shorter_one_that_cannot():
    patient = PASSING["epoc"].with_(
        other_malignancy="nonmelanoma_skin_cancer",
        other_malignancy_evidence="1 a ago",
        other_malignancy_treated=False,
    )
    near = near_miss(criteria()["epoc"], patient)
    assert near.possible and {change.variable for change in near.changes} <= {
        "other_malignancy_treated",
        "other_malignancy_evidence",
    }


def test_a_limit_in_another_unit():
    patient = PASSING["nct06120127"].with_(creatinine="1.5 mg/dL, limit 104 umol/L")
    near = near_miss(criteria()["nct06120127"], patient)
    assert [(change.variable, written(change.to)) for change in near.changes] == [("creatinine", "1 {ULN}")]


@given(patients())
@settings(max_examples=60, deadline=None)
def test_it_always_leads_out_of_exclusion(patient):
    for one in criteria().values():
        near = near_miss(one, patient)
        excluded = evaluate(one, patient).kind is Kind.EXCLUDED
        assert (near is None) != excluded
        if near:
            changed = patient.with_(**{change.variable: change.to for change in near.changes})
            assert evaluate(one, changed).kind is not Kind.EXCLUDED
            flags = [change.recoverable for change in near.changes]
            assert flags == sorted(flags, reverse=True)


@pytest.mark.parametrize(
    "changes",
    [
        {"platelets": "80 10*9/L"},
        {"alt": "6 {ULN}", "ast": "7 {ULN}"},
        {"creatinine": "2 {ULN}", "creatinine_clearance": "30 mL/min"},
        {"metastases_resectable": False, "largest_metastasis": "4 cm", "ablations": 8},
        {"age": "85 a", "nyha": 3, "heart_failure": "controlled"},
    ],
    ids=str,
)
def test_against_brute_force(changes):
    one = criteria()["nct06449937"]
    patient = PASSING["nct06449937"].with_(**changes)
    near = near_miss(one, patient)
    tries = domains([required(clause) for clause in one.clauses()])
    names = [name for name in (*changes, "sufficient_remnant", "bilirubin", "liver_metastases") if name in tries]
    for k in range(len(near.changes)):
        for some in combinations(names, k):
            for values in product(*(tries[name] for name in some)):
                changed = patient.with_(**dict(zip(some, values, strict=True)))
                assert evaluate(one, changed).kind is Kind.EXCLUDED, (some, values)

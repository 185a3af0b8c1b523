"""Trials side by side: relations after conversion, overlap with its cause or a verified witness."""

from itertools import combinations

import pytest
from hypothesis import given, settings

from tests.eligibility.strategies import patients
from widgets.eligibility.compare import Relation, compare, overlap, relation
from widgets.eligibility.evaluate import Kind, evaluate, meets
from widgets.eligibility.language import Clause, criteria, parse
from widgets.eligibility.logic import Truth
from widgets.eligibility.patient import Patient
from widgets.eligibility.solve import contradictions, find, required

SAME, STRICTER, LOOSER = Relation.SAME, Relation.STRICTER, Relation.LOOSER
DIFFERENT, NOT_COMPARABLE, NOT_STATED = Relation.DIFFERENT_VARIABLE, Relation.NOT_COMPARABLE, Relation.NOT_STATED


def rows(*trials, **options):
    return {row.topic: row.relations for row in compare(*(criteria()[trial] for trial in trials), **options)}


@pytest.mark.parametrize(
    "topic, expected",
    [
        ("absolute neutrophil count", SAME), ("platelets", SAME), ("haemoglobin", SAME),
        ("ALT", STRICTER), ("AST", STRICTER), ("kidney function", STRICTER), ("heart failure", STRICTER),
        ("number of lesions, upper limit", DIFFERENT), ("extrahepatic disease", Relation.OPPOSED),
        ("performance status", NOT_COMPARABLE), ("age, lower limit", SAME), ("age, upper limit", NOT_STATED),
        ("total bilirubin", NOT_STATED), ("albumin", NOT_STATED), ("coagulation", NOT_STATED),
        ("Child-Pugh score", NOT_STATED), ("left ventricular ejection fraction", NOT_STATED),
        ("hypertension", NOT_STATED), ("blood gases", NOT_STATED), ("size of lesions", NOT_STATED),
        ("earlier antitumour immunotherapy", NOT_STATED), ("sex", SAME), ("pregnant", SAME),
    ],
)  # fmt: skip
def test_nct06120127_seen_from_nct06449937(topic, expected):
    assert rows("nct06449937", "nct06120127")[topic] == (expected,)


def test_the_other_way_round():
    back = rows("nct06120127", "nct06449937")
    assert back["ALT"] == (LOOSER,) and back["kidney function"] == (LOOSER,) and back["heart failure"] == (LOOSER,)


def test_same_numbers_with_another_strictness_are_not_the_same():
    assert rows("nct06449937", "clocc")["platelets"] == (STRICTER,)  # > 100 000 /mm³ against ≥ 100 × 10⁹/L


def test_sizes_of_different_lesions_are_different_variables():
    assert rows("nct06449937", "clocc")["size of lesions"] == (DIFFERENT,)


def test_scales_compare_only_by_a_chosen_table():
    pair = ("nct06449937", "nct06120127")
    found = {
        scale: rows(*pair, scale=scale)["performance status"][0]
        for scale in ("common", "buccheri-1996", "ma-2010", "prasad-2018")
    }
    assert found == {"common": SAME, "buccheri-1996": LOOSER, "ma-2010": LOOSER, "prasad-2018": LOOSER}


def test_a_reading_can_decide_a_relation():
    pair = ("nct06449937", "nct06120127")
    assert rows(*pair)["myocardial infarction"] == (NOT_COMPARABLE,)
    either = rows(*pair, readings={"nct06449937": {"acute_event": "either"}})
    assert either["myocardial infarction"] == (STRICTER,)  # 12 months against 1 month


def test_not_specified_is_not_stated():
    assert rows("clocc", "nct06449937")["life expectancy"] == (NOT_STATED,)


def test_many_trials_in_one_table():
    table = compare(*criteria().values())
    assert all(len(row.cells) == 5 and len(row.relations) == 4 for row in table)
    assert {row.topic for row in table} >= {"platelets", "extrahepatic disease", "age, upper limit"}


def test_every_clause_stands_in_a_row():
    for pair in combinations(criteria().values(), 2):
        shown = {clause.id for row in compare(*pair) for cell in row.cells for clause in cell.clauses}
        assert shown == {clause.id for one in pair for clause in one.clauses()}


def clause(text: str) -> Clause:
    return Clause("x", 1, "inclusion", parse(f"{text} @ p"), True)


@pytest.mark.parametrize(
    "one, other, expected",
    [
        ("haemoglobin >= 9 g/dL", "haemoglobin >= 90 g/L", SAME),
        ("anc > 1500 /mm3", "anc > 1.5 10*9/L", SAME),
        ("anc >= 1500 /mm3", "anc > 1.5 10*9/L", STRICTER),
        ("alt < 5 {ULN}", "alt <= 5 {ULN}", LOOSER),
        ("liver_metastases < 10", "liver_metastases <= 9", SAME),
        ("not fracture within 4 wk", "not fracture within 28 d", SAME),
        ("not fracture within 4 wk", "not fracture within 1 mo", STRICTER),
        ("not nyha >= 3", "nyha <= 2", SAME),
        ("pregnant is no", "not pregnant is yes", SAME),
        ("pregnant is no", "pregnant is yes", Relation.OPPOSED),
        ("age >= 18 a", "age <= 80 a", NOT_COMPARABLE),
        ("bilirubin <= 34 umol/L", "bilirubin <= 1.5 {ULN}", NOT_COMPARABLE),
        ("bilirubin <= 34 umol/L", "bilirubin <= 2 mg/dL", LOOSER),
    ],
)
def test_relation_of_two_lines(one, other, expected):
    assert relation(clause(one), clause(other)) is expected


@given(patients(known_share=True))
@settings(max_examples=60, deadline=None)
def test_stricter_means_that_whoever_meets_it_meets_the_other(patient):
    if contradictions(patient):
        return
    for first, second in combinations(criteria().values(), 2):
        for row in compare(first, second):
            mine, theirs = (
                all(meets(clause, patient) is Truth.TRUE for clause in cell.clauses) for cell in row.cells
            )
            if row.relations == (STRICTER,):
                assert mine or not theirs, row.topic
            elif row.relations == (LOOSER,):
                assert theirs or not mine, row.topic
            elif row.relations == (SAME,):
                assert mine == theirs, row.topic


# --- overlap --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pair, cause",
    [
        (("nct06449937", "nct06120127"), {"extrahepatic_disease"}),
        (("nct06449937", "clocc"), {"extrahepatic_disease"}),
        (("nct06449937", "epoc"), {"extrahepatic_disease"}),
        (("clocc", "epoc"), {"metastases_resectable"}),
    ],
)
def test_empty_by_a_cause(pair, cause):
    found = overlap(*(criteria()[trial] for trial in pair))
    assert found.empty and found.verdicts == ()
    assert {name for clause in found.cause for name in clause.variables} == cause
    assert {clause.trial for clause in found.cause} == set(pair)
    assert find(map(required, found.cause)) is None


def test_a_three_way_circle_is_empty_by_construction():
    found = overlap(*(criteria()[trial] for trial in ("nct06449937", "nct06120127", "clocc")))
    assert found.empty and len(found.cause) == 2


@pytest.mark.parametrize("pair", [("clocc", "nct06120127"), ("epoc", "nct06120127")])
def test_a_witness_is_verified(pair):
    found = overlap(*(criteria()[trial] for trial in pair))
    assert not found.empty and found.silent == ()
    for trial, verdict in zip(pair, found.verdicts, strict=True):
        assert evaluate(criteria()[trial], found.witness).kind is verdict.kind is Kind.NOT_EXCLUDED
    assert contradictions(found.witness) == []
    assert Patient.from_json(found.witness.to_json()) == found.witness


def test_a_silent_trial_is_named_and_passes_nobody():
    found = overlap(criteria()["nct04562727"], criteria()["clocc"])
    assert found.silent == ("nct04562727",)
    assert [verdict.kind for verdict in found.verdicts] == [Kind.TOO_LITTLE, Kind.NOT_EXCLUDED]


def test_another_reading_opens_an_overlap():
    found = overlap(criteria()["clocc"], criteria()["epoc"], readings={"clocc": {"unresectable": "each_enough"}})
    assert not found.empty


@pytest.mark.parametrize("trial", list(criteria()))
def test_every_trial_can_be_entered(trial):
    assert not overlap(criteria()[trial]).empty


def test_rules_with_an_order_find_equal_values():
    """A lesion to be ablated of over 3 cm, and a largest lesion of under 3.5: only values between them do."""
    lines = ["largest_lesion_to_ablate > 3 cm", "largest_metastasis < 3.5 cm"]
    assert find([required(clause(text)) for text in lines]) is not None
    assert (
        find([required(clause(text)) for text in ["largest_lesion_to_ablate > 3 cm", "largest_metastasis < 3 cm"]])
        is None
    )

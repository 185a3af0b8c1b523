"""Verdicts: each kind for each trial where it is possible, the traps of the records, and laws for any patient."""

# ruff: noqa: E501 (one case per line)

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.eligibility.people import DISEASE, PASSING
from tests.eligibility.strategies import USED, patients
from widgets.eligibility import scales
from widgets.eligibility.evaluate import Kind, evaluate, explain, holds, meets
from widgets.eligibility.language import criteria, settle
from widgets.eligibility.logic import Truth
from widgets.eligibility.patient import NEVER, Ago, Measured, Patient, variable
from widgets.eligibility.units import ULN, Quantity, factor, same_dimension, unit

TRIALS = list(criteria())
JUDGED = [trial for trial in TRIALS if trial != "nct04562727"]


def kind(trial: str, patient: Patient, **options) -> Kind:
    return evaluate(criteria()[trial], patient, **options).kind


def one_change(trial: str, readings=None, scale=None, **changes) -> Kind:
    return kind(trial, PASSING[trial].with_(**changes), readings=readings, scale=scale)


# --- the four verdicts -------------------------------------------------------------------------------


@pytest.mark.parametrize("trial", JUDGED)
def test_not_excluded_counts_criteria_and_judgement(trial):
    verdict = evaluate(criteria()[trial], PASSING[trial])
    assert verdict.kind is Kind.NOT_EXCLUDED
    n, m = len(criteria()[trial].clauses()), len(criteria()[trial].judgement)
    assert str(verdict) == f"Not excluded by the {n} computable criteria; {m} items are left to judgement."


@pytest.mark.parametrize("trial", TRIALS)
def test_excluded(trial):
    verdict = evaluate(criteria()[trial], PASSING[trial].with_(age="17 a"))
    assert verdict.kind is Kind.EXCLUDED
    assert [one.result.reason for one in verdict.excluded_by] == ["age is 17 years"]
    assert str(verdict).startswith("Excluded by age")


@pytest.mark.parametrize("trial", JUDGED)
def test_undecided_names_what_it_needs(trial):
    verdict = evaluate(criteria()[trial], PASSING[trial].with_(age=None))
    assert verdict.kind is Kind.UNDECIDED
    assert [need.variable for need in verdict.needs] == ["age"]
    assert str(verdict) == "Undecided: needs age."


@pytest.mark.parametrize("trial", JUDGED)
def test_of_an_unknown_patient_everything_is_undecided(trial):
    verdict = evaluate(criteria()[trial], Patient())
    assert verdict.kind is Kind.UNDECIDED
    assert all(one.met is Truth.UNKNOWN for one in verdict.outcomes)


def test_a_record_without_a_disease_criterion_passes_nobody():
    assert not criteria()["nct04562727"].states_disease
    assert kind("nct04562727", PASSING["nct04562727"]) is Kind.TOO_LITTLE
    assert kind("nct04562727", Patient()) is Kind.TOO_LITTLE
    assert str(evaluate(criteria()["nct04562727"], DISEASE)) == "Too little stated to judge."
    assert kind("nct04562727", DISEASE.with_(age="81 a")) is Kind.EXCLUDED


def test_nobody_is_ever_called_eligible():
    for trial in TRIALS:
        for patient in (PASSING[trial], Patient(), PASSING[trial].with_(age="17 a")):
            assert "eligible" not in str(evaluate(criteria()[trial], patient)).lower()


def test_judgement_is_listed_and_never_computed():
    verdict = evaluate(criteria()["nct06449937"], PASSING["nct06449937"])
    assert "informed consent" in [item.says for item in verdict.judgement]
    assert not any("consent" in str(one) for one in verdict.outcomes)


# --- the traps ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "trial, changes, expected",
    [
        # strictness: each bound itself, and the step beyond it
        ("nct06449937", {"bilirubin": "1.5 {ULN}"}, False), ("nct06449937", {"bilirubin": "1.49 {ULN}"}, True),
        ("nct06449937", {"alt": "5 {ULN}"}, False), ("nct06120127", {"alt": "2.5 {ULN}"}, True),
        ("nct06120127", {"alt": "2.51 {ULN}"}, False), ("nct06449937", {"albumin": "30 g/L"}, False),
        ("nct06449937", {"platelets": "100 10*9/L"}, True), ("clocc", {"platelets": "100000 /mm3"}, False),
        ("clocc", {"platelets": "100001 /mm3"}, True), ("clocc", {"anc": "1.5 10*9/L"}, False),
        ("clocc", {"liver_metastases": 9}, True), ("clocc", {"liver_metastases": 10}, False),
        ("epoc", {"liver_metastases": 4}, True), ("epoc", {"liver_metastases": 5}, False),
        ("clocc", {"largest_metastasis": "4 cm", "largest_lesion_to_ablate": "4 cm"}, True),
        ("clocc", {"largest_lesion_to_ablate": "4.1 cm"}, False), ("clocc", {"liver_involvement": "50 %"}, True),
        ("clocc", {"liver_involvement": "51 %"}, False), ("epoc", {"neuropathy_grade": 1}, True),
        ("epoc", {"neuropathy_grade": 2}, False), ("epoc", {"investigational_drug": "30 d ago"}, True),
        ("epoc", {"investigational_drug": "29 d ago"}, False), ("clocc", {"major_surgery": "28 d ago"}, False),
        ("clocc", {"major_surgery": "29 d ago"}, True), ("clocc", {"myocardial_infarction": "12 mo ago"}, False),
        # units: the same bound in another unit
        ("nct06449937", {"haemoglobin": "9 g/dL"}, True), ("nct06449937", {"haemoglobin": "90 g/L"}, True),
        ("nct06120127", {"haemoglobin": "9 g/dL"}, True), ("nct06120127", {"haemoglobin": "8.9 g/dL"}, False),
        # an age without upper limit is not stated, and not 80
        ("nct06120127", {"age": "95 a"}, True), ("nct06449937", {"age": "81 a"}, False),
        # an inclusion sentence in the exclusion list: it permits
        ("nct06449937", {"other_malignancy": "other", "other_malignancy_evidence": "5 a ago"}, True),
        ("nct06449937", {"other_malignancy": "other", "other_malignancy_evidence": "4 a ago"}, False),
        # a double negative around a list of bounds
        ("nct06120127", {"anc": "1.4 10*9/L"}, False), ("nct06120127", {"creatinine": "1 {ULN}"}, True),
        ("nct06120127", {"creatinine": "1.2 {ULN}"}, False), ("nct06449937", {"creatinine": "1.2 {ULN}"}, True),
        # any of two routes, of which only ablation has limits
        ("nct06449937", {"largest_metastasis": "9 cm", "ablations": 12}, True),
        ("nct06449937", {"metastases_resectable": False}, True),
        ("nct06449937", {"metastases_resectable": False, "largest_metastasis": "3 cm"}, False),
        ("nct06449937", {"metastases_resectable": False, "ablations": 6}, False),
        ("nct06449937", {"metastases_resectable": False, "liver_metastases": 12}, True),
        # any of two different quantities
        ("nct06449937", {"creatinine": "2 {ULN}", "creatinine_clearance": "51 mL/min"}, True),
        ("nct06449937", {"creatinine": "2 {ULN}", "creatinine_clearance": "50 mL/min"}, False),
        # exclusions from different classes, grades and windows
        ("nct06449937", {"nyha": 2, "heart_failure": "controlled"}, True), ("nct06120127", {"nyha": 2}, False),
        ("nct06449937", {"infection_grade": 3, "infection_uncontrolled": True}, False),
        ("nct06449937", {"infection_grade": 2, "infection_uncontrolled": True}, True),
        ("nct06449937", {"infection_grade": 3}, True), ("clocc", {"infection_grade": 1}, False),
        ("nct06449937", {"myocardial_infarction": "6 mo ago"}, True),
        ("nct06120127", {"myocardial_infarction": "6 mo ago"}, False),
        ("nct06120127", {"liver_resection": "R0", "resection_margin": "0.5 cm"}, False),
        ("nct06120127", {"liver_resection": "R0", "resection_margin": "0.4 cm"}, True),
        ("nct06120127", {"liver_resection": "not_done", "resection_margin": None}, False),
        # exempt lists differ
        ("nct06120127", {"other_malignancy": "nonmelanoma_skin_cancer", "other_malignancy_evidence": "1 a ago", "other_malignancy_treated": True}, True),
        ("nct06120127", {"other_malignancy": "nonmelanoma_skin_cancer", "other_malignancy_evidence": "1 a ago", "other_malignancy_treated": False}, False),
        ("nct06449937", {"other_malignancy": "nonmelanoma_skin_cancer", "other_malignancy_evidence": "1 a ago"}, False),
        ("nct06449937", {"other_malignancy": "thyroid_cancer", "other_malignancy_evidence": "1 a ago"}, True),
        ("nct06120127", {"other_malignancy": "thyroid_cancer", "other_malignancy_evidence": "1 a ago"}, False),
        # chemotherapy before CLOCC, and a window counted from the end of it
        ("clocc", {"chemotherapy_for_metastases": "fluorouracil_oxaliplatin", "chemotherapy_courses": 4, "chemotherapy_duration": "2 mo", "chemotherapy_response": "stable", "disease_confined_to_liver_then": True}, True),
        ("clocc", {"chemotherapy_for_metastases": "fluorouracil_oxaliplatin", "chemotherapy_courses": 4, "chemotherapy_duration": "2 mo", "chemotherapy_response": "progression", "disease_confined_to_liver_then": True}, False),
        ("clocc", {"adjuvant_chemotherapy": "with_oxaliplatin", "metastases_diagnosed": "11 mo ago"}, False),
        ("clocc", {"adjuvant_chemotherapy": "with_oxaliplatin", "metastases_diagnosed": "13 mo ago"}, True),
        ("clocc", {"adjuvant_chemotherapy": "without_oxaliplatin", "metastases_diagnosed": "1 mo ago"}, True),
        ("clocc", {"proteinuria_on_dipstick": True, "urine_protein": "0.5 g/d"}, False),
        ("clocc", {"proteinuria_on_dipstick": True, "urine_protein": "400 mg/d"}, True),
        # synchronous metastases before EPOC: primary resected more than a month ago, or all in one procedure
        ("epoc", {"metastases_timing": "synchronous", "primary_resection": "1 mo ago"}, False),
        ("epoc", {"metastases_timing": "synchronous", "primary_resection": "32 d ago"}, True),
        ("epoc", {"metastases_timing": "synchronous", "primary_tumour": "resectable", "primary_resection": "never", "single_procedure_possible": True, "primary_resection_delayable": True}, True),
        ("epoc", {"ecog": 3, "karnofsky": 60}, True), ("epoc", {"ecog": 2, "karnofsky": 50}, True), ("epoc", {"ecog": 3, "karnofsky": 50}, False),
    ],
    ids=str,
)  # fmt: skip
def test_traps(trial, changes, expected):
    assert one_change(trial, **changes) is (Kind.NOT_EXCLUDED if expected else Kind.EXCLUDED)


@pytest.mark.parametrize(
    "trial, dispute, changes, by_reading",
    [
        ("nct06449937", "acute_event", {"stroke_or_tia": "2 wk ago"}, {"both": True, "either": False}),
        ("nct06449937", "acute_event", {"stroke_or_tia": "2 wk ago", "vascular_disease_uncontrolled": True}, {"both": False, "either": False}),
        ("nct06449937", "pressure", {"systolic_pressure": "165 mm[Hg]"}, {"either_pressure": False, "both_pressures": True}),
        ("nct06449937", "pressure", {"systolic_pressure": "160 mm[Hg]", "diastolic_pressure": "95 mm[Hg]"}, {"either_pressure": True, "both_pressures": True}),
        ("nct06449937", "bleeding", {"inr": "1.6 1"}, {"tendency_required": True, "bounds_alone": False}),
        ("nct06449937", "four_weeks", {"major_surgery": "1 a ago"}, {"all_events": True, "fracture_and_ulcer": False}),
        ("nct06449937", "four_weeks", {"fracture": "27 d ago"}, {"all_events": False, "fracture_and_ulcer": False}),
        ("nct06449937", "exempt_malignancies", {"other_malignancy": "thyroid_cancer", "other_malignancy_evidence": "9 a ago"}, {"exempt_from_the_years": True, "never_permitted": False}),
        ("nct06449937", "lines_counted", {"current_line": 0, "systemic_lines": 0}, {"present_line": False, "lines_so_far": True}),
        ("nct06449937", "histology_scope", {"primary_tumour": "resectable", "colorectal_histology": None, "primary_resection": "never"}, {"both_routes": None, "resected_only": True}),
        ("nct06120127", "lesions_counted", {"liver_metastases": 7}, {"before_resection": False, "remaining": True}),
        ("nct06120127", "cured_scope", {"other_malignancy": "cervical_carcinoma_in_situ", "other_malignancy_evidence": "1 a ago", "other_malignancy_treated": False}, {"skin_cancer_alone": True, "both": False}),
        ("nct06120127", "uncontrolled_scope", {"mental_disorder": "controlled"}, {"epilepsy_alone": False, "all_three": True}),
        ("clocc", "unresectable", {"metastases_resectable": None, "three_hepatic_veins_reached": True}, {"examples": None, "each_enough": True}),
        ("epoc", "neutrophils", {"anc": "1.5 10*9/L"}, {"registry": False, "report": True}),
        ("epoc", "platelet_count", {"platelets": "100 10*9/L"}, {"registry": False, "report": True}),
        ("epoc", "creatinine_bound", {"creatinine": "2 {ULN}"}, {"registry": False, "report": True}),
        ("epoc", "insufficiency", {"hepatic_insufficiency": "minor"}, {"registry": False, "report": True}),
        ("epoc", "uncontrolled_scope", {"hypertension": "controlled"}, {"registry": False, "report": True}),
    ],
    ids=str,
)  # fmt: skip
def test_disputed_sentences(trial, dispute, changes, by_reading):
    kinds = {True: Kind.NOT_EXCLUDED, False: Kind.EXCLUDED, None: Kind.UNDECIDED}
    assert set(by_reading) == set(criteria()[trial].disputes[dispute].options)
    for reading, expected in by_reading.items():
        assert one_change(trial, readings={dispute: reading}, **changes) is kinds[expected], reading


def test_every_dispute_has_a_patient():
    tested = {mark.args[1][i][:2] for mark in test_disputed_sentences.pytestmark for i in range(len(mark.args[1]))}
    assert tested == {(trial, name) for trial in TRIALS for name in criteria()[trial].disputes}


def test_carbon_dioxide_changes_nothing():
    assert not any("paco2" in str(clause) for clause in criteria()["nct06449937"].clauses())
    assert "PaCO2" in criteria()["nct06449937"].notes["excl.10"]


# --- multiples of the upper limit of normal -----------------------------------------------------------


def test_a_multiple_of_the_limit_needs_the_limit_or_a_ratio():
    trial = "nct06449937"
    alone = PASSING[trial].with_(creatinine="110 umol/L", creatinine_clearance=None)
    verdict = evaluate(criteria()[trial], alone)
    assert verdict.kind is Kind.UNDECIDED
    assert "the laboratory's upper limit of normal for serum creatinine" in str(verdict)
    assert kind(trial, alone.with_(creatinine="110 umol/L, limit 104")) is Kind.NOT_EXCLUDED
    assert kind(trial, alone.with_(creatinine="156 umol/L, limit 104")) is Kind.NOT_EXCLUDED
    assert (
        kind(trial, alone.with_(creatinine="156.1 umol/L, limit 104", creatinine_clearance="10 mL/min"))
        is Kind.EXCLUDED
    )
    assert kind(trial, alone.with_(creatinine="1.5 {ULN}")) is Kind.NOT_EXCLUDED
    assert kind(trial, alone.with_(creatinine="1.2 mg/dL, limit 104 umol/L")) is Kind.NOT_EXCLUDED


# --- ECOG and Karnofsky ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "scale, karnofsky, expected",
    [
        (None, 70, Kind.UNDECIDED), (None, 100, Kind.UNDECIDED), ("common", 70, Kind.NOT_EXCLUDED),
        ("buccheri-1996", 70, Kind.EXCLUDED), ("ma-2010", 70, Kind.EXCLUDED), ("prasad-2018", 70, Kind.EXCLUDED),
        ("common", 60, Kind.EXCLUDED), ("ma-2010", 80, Kind.NOT_EXCLUDED), ("buccheri-1996", 80, Kind.NOT_EXCLUDED),
    ],
)  # fmt: skip
def test_published_tables_disagree_about_karnofsky_70(scale, karnofsky, expected):
    assert one_change("clocc", scale=scale, ecog=None, karnofsky=karnofsky) is expected


@pytest.mark.parametrize(
    "scale, ecog, expected",
    [
        (None, 0, Kind.UNDECIDED), ("common", 1, Kind.NOT_EXCLUDED), ("common", 2, Kind.EXCLUDED),
        ("ma-2010", 2, Kind.UNDECIDED), ("buccheri-1996", 2, Kind.UNDECIDED), ("prasad-2018", 2, Kind.NOT_EXCLUDED),
    ],
)  # fmt: skip
def test_a_band_on_both_sides_stays_unknown(scale, ecog, expected):
    assert one_change("nct06120127", scale=scale, karnofsky=None, ecog=ecog) is expected


def test_the_reason_names_the_table():
    verdict = evaluate(criteria()["clocc"], PASSING["clocc"].with_(ecog=None, karnofsky=70), scale="ma-2010")
    assert "in the table ma-2010" in str(verdict)
    verdict = evaluate(criteria()["clocc"], PASSING["clocc"].with_(ecog=None, karnofsky=70))
    assert "or a table of conversion" in str(verdict)
    with pytest.raises(KeyError, match="known: common, buccheri-1996, ma-2010, prasad-2018"):
        evaluate(criteria()["clocc"], Patient(), scale="oken")


def test_the_scale_that_was_measured_is_never_overruled():
    assert one_change("clocc", scale="ma-2010", ecog=1, karnofsky=70) is Kind.NOT_EXCLUDED


def test_every_table_covers_both_scales_once():
    for name, rows in scales.tables().items():
        assert sorted(grade for ecog, _ in rows for grade in ecog) == list(range(6)), name
        assert sorted(value for _, index in rows for value in index) == list(range(0, 101, 10)), name
        assert scales.citation(name)


# --- laws, for any patient ------------------------------------------------------------------------------

any_scale = st.sampled_from([None, *scales.tables()])


@given(patients(), any_scale)
@settings(max_examples=60, deadline=None)
def test_no_patient_crashes_it_and_reasons_agree_with_verdicts(patient, scale):
    for one in criteria().values():
        verdict = evaluate(one, patient, scale=scale)
        assert str(verdict)
        assert (verdict.kind is Kind.EXCLUDED) == bool(verdict.excluded_by)
        for outcome in verdict.outcomes:
            assert outcome.met is meets(outcome.clause, patient, scale)
            assert outcome.result.reason
            assert bool(outcome.result.needs) == (outcome.met is Truth.UNKNOWN)


@given(patients(), st.data(), any_scale)
@settings(max_examples=60, deadline=None)
def test_filling_an_unknown_never_flips_what_is_settled(patient, data, scale):
    unknown = [name for name in USED if name not in patient and name not in scales.OTHER]
    if not unknown:
        return
    names = data.draw(st.lists(st.sampled_from(unknown), min_size=1, max_size=8, unique=True))
    filled = data.draw(patients(names, known_share=True))
    more = Patient(**{**patient, **filled})
    for one in criteria().values():
        for clause in one.clauses():
            before, after = meets(clause, patient, scale), meets(clause, more, scale)
            assert before is Truth.UNKNOWN or before is after, str(clause)


def test_measuring_the_other_scale_may_correct_a_conversion_only():
    """Without a table nothing is converted, so filling in a scale is monotone too."""
    for clause in criteria()["clocc"].clauses():
        if "ecog" in clause.variables:
            assert meets(clause, Patient(karnofsky=70)) is Truth.UNKNOWN


SAME = {"10*9/L": ["/mm3", "/uL", "10*3/uL"], "g/L": ["g/dL", "mg/dL"], "umol/L": ["mg/dL", "mmol/L"], "cm": ["mm", "m"],
        "mm[Hg]": ["kPa"], "mL/min": ["L/h", "mL/s"], "d": ["wk", "a", "mo"], "mo": ["d"], "a": ["d", "mo"], "wk": ["d"],
        "%": ["1"], "g/d": ["mg/d"], "s": ["ms"]}  # fmt: skip


def rewritten(known, value, code):
    """The same value in another unit, where that is a finite decimal."""

    def move(quantity):
        if quantity.unit == ULN or not known.takes(code):
            return quantity
        by = factor(quantity.unit, code, known.molar if not same_dimension(quantity.unit, code) else None)
        number = Decimal(quantity.value) * by.numerator / by.denominator
        back = Quantity(number, code).inside(quantity.unit, known.molar)
        return (
            Quantity(number, code)
            if back == Quantity(quantity.value, quantity.unit).inside(quantity.unit)
            else quantity
        )

    if isinstance(value, Ago):
        return Ago(move(value.time))
    if isinstance(value, Measured):
        return Measured(move(value.quantity), value.limit and move(value.limit))
    return value


@given(patients(known_share=True), st.data())
@settings(max_examples=40, deadline=None)
def test_the_unit_does_not_matter(patient, data):
    changed = {}
    for name, value in patient.items():
        quantity = value.time if isinstance(value, Ago) else value.quantity if isinstance(value, Measured) else None
        codes = [code for code in SAME.get(quantity.unit if quantity else "", [])]
        if codes:
            changed[name] = rewritten(variable(name), value, data.draw(st.sampled_from(codes)))
    other = patient.with_(**changed)
    for one in criteria().values():
        for clause in one.clauses():
            assert meets(clause, patient) is meets(clause, other), str(clause)


def test_units_of_the_list_above_can_be_read():
    assert all(unit(code) for codes in SAME.values() for code in codes)


@given(patients())
@settings(max_examples=30, deadline=None)
def test_explain_keeps_every_child(patient):
    for one in criteria().values():
        for node in one.nodes:
            whole = settle(node, {})
            result = explain(whole, patient)
            assert result.truth is holds(whole, patient)
            assert len(result.children) == len(getattr(whole, "children", ()))


def test_never_happened_lies_outside_every_window():
    assert one_change("clocc", stroke_or_tia=NEVER) is Kind.NOT_EXCLUDED

"""Patients: what can be entered, what is refused with one sentence, JSON there and back."""

import json

import pytest
from hypothesis import given, settings

from tests.eligibility.strategies import patients
from widgets.eligibility.patient import SECTIONS, Patient, PatientError, variable, variables
from widgets.eligibility.solve import contradictions


@given(patients())
@settings(max_examples=50, deadline=None)
def test_json_there_and_back(patient):
    assert Patient.from_json(patient.to_json()) == patient
    assert hash(Patient.from_json(patient.to_json())) == hash(patient)


def test_every_section_has_variables_and_every_variable_words():
    assert {known.section for known in variables().values()} == set(SECTIONS)
    assert all(known.says for known in variables().values())


def test_missing_is_unknown():
    patient = Patient(ecog=1, anc=None)
    assert "anc" not in patient and patient.get("anc") is None
    assert patient.with_(ecog=None) == Patient()


@pytest.mark.parametrize(
    "name, entry, message",
    [
        ("anc", "1.5", "blood.anc: expected a number and its unit"),
        ("anc", "1.5 kg", "blood.anc: expected a unit that converts to 10*9/L, found 'kg'"),
        ("anc", "1.5 {ULN}", "blood.anc: expected a unit that converts to 10*9/L"),
        ("anc", "1,5 10*9/L", "blood.anc: expected a number and its unit"),
        ("anc", "-1 10*9/L", "blood.anc: expected a number and its unit"),
        ("anc", "150 10*9/L", "blood.anc: 150 10*9/L is outside what can be: 0 to 100"),
        ("anc", "2 10*9/L, limit 7", "blood.anc: takes no upper limit"),
        ("haemoglobin", "12 g/L, limit 3", "haemoglobin"),
        ("creatinine", "80 umol/L, limit 0", "limit 0|outside what can be"),
        ("creatinine", "1.2 {ULN}, limit 104", "takes no upper limit of normal in {ULN}"),
        ("ecog", 6, "fitness.ecog: expected 0 to 5, found 6"),
        ("ecog", "1", "fitness.ecog: expected a whole number"),
        ("ecog", True, "fitness.ecog: expected a whole number"),
        ("karnofsky", 75, "in steps of 10, found 75"),
        ("pregnant", "no", "fitness.pregnant: expected true or false, found 'no'"),
        ("pregnant", 0, "fitness.pregnant: expected true or false, found 0"),
        ("sex", "m", "fitness.sex: expected one of female, male, found 'm'"),
        ("stroke_or_tia", "3 mo", "history.stroke_or_tia: expected 'never' or a time"),
        ("stroke_or_tia", "3 kg ago", "expected a unit of time"),
        ("stroke_or_tia", "200 a ago", "outside what can be"),
        ("anx", 1, "no variable 'anx'; did you mean: anc"),
    ],
)
def test_one_clear_error_for_a_bad_entry(name, entry, message):
    with pytest.raises(PatientError, match=message.replace("{", r"\{").replace("*", r"\*")) as caught:
        Patient(**{name: entry})
    assert len(caught.value.problems) == 1


def test_every_bad_entry_is_told():
    with pytest.raises(PatientError) as caught:
        Patient(anc="5 kg", ecog=9, sex="female")
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize(
    "text, message",
    [
        ("{", "not JSON: line 1, column 2"),
        ("[]", "expected sections"),
        ('{"bloods": {}}', "bloods: no such section; expected one of disease"),
        ('{"blood": 3}', "blood: expected variables"),
        ('{"blood": {"ecog": 1}}', "blood.ecog: belongs to fitness"),
        ('{"fitness": {"ecog": 1.5}}', "expected a whole number"),
        ('{"fitness": {"age": 63}}', "such as '1.5 a', found 63"),
    ],
)
def test_bad_json(text, message):
    with pytest.raises(PatientError, match=message):
        Patient.from_json(text)


def test_null_is_unknown_and_plain_numbers_keep_their_digits():
    patient = Patient.from_json('{"blood": {"inr": 1.1, "anc": null}}')
    assert json.loads(patient.to_json()) == {"blood": {"inr": "1.1"}}


def test_contradictions_are_named_and_unknown_contradicts_nothing():
    assert contradictions(Patient(sex="male")) == []
    assert contradictions(Patient(sex="male", pregnant=True)) == ["a man is not pregnant"]
    assert contradictions(Patient(brain_metastases=True, extrahepatic_disease=False))
    assert contradictions(Patient(ecog=4, karnofsky=100))
    assert not contradictions(Patient(ecog=1, karnofsky=70))
    assert not contradictions(Patient(ecog=2, karnofsky=70))


def test_the_laboratory_limit_may_stand_in_its_own_unit():
    patient = Patient(creatinine="1.2 mg/dL, limit 104 umol/L")
    assert Patient.from_json(patient.to_json()) == patient


def test_unknown_variable_names_near_ones():
    with pytest.raises(KeyError, match="did you mean: platelets"):
        variable("platelet")

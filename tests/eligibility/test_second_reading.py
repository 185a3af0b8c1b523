"""The second reading of the criteria: the form is complete, differences are found, and none are left."""

import csv

import pytest

from tests.eligibility.second_reading import COLUMNS, FILE, differences, encoded, entered
from widgets.eligibility.language import criteria


def read(file):
    with file.open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def test_a_second_reader_agrees_or_the_difference_is_settled():
    rows = read(FILE)
    assert list(rows[0]) == COLUMNS
    places = {(trial.trial, place) for trial in criteria().values() for place in trial.places}
    assert {(row["trial"], row["place"]) for row in rows} == places
    settled = read(FILE.with_name("second_reader_settled.csv"))
    differing = {(row["trial"], row["place"], row["figures"]) for row in rows if differences([row])}
    assert differing == {(row["trial"], row["place"], row["second"]) for row in settled}
    assert all(row["reason"] for row in settled)


@pytest.mark.parametrize(
    "trial, place, right, wrong",
    [
        ("nct06449937", "incl.10.3", ">= 90 g/L", "> 9 g/dL"),
        ("nct06449937", "incl.6.2", "< 3 cm; <= 5", "< 3 cm"),
        ("nct06449937", "incl.1", ">= 18 a; <= 80 a", ">= 18 a"),
        ("nct06120127", "excl.7", ">= 1.5 10*9/L; >= 90 g/L; >= 100 10*9/L; <= 2.5 {ULN}; <= 1 {ULN}", "none"),
        ("clocc", "prior.surgery.1", "> 28 d", "> 4 wk; > 1 a"),
        ("clocc", "cardiovascular.5", "within 12 mo", "within 6 mo"),
        ("epoc", "prior.other.1", ">= 30 d", "> 30 d"),
        ("nct06449937", "excl.2", "none", "> 1"),
        ("nct06449937", "incl.8", ">= 3 mo", "x"),
    ],
)
def test_differences_are_found(trial, place, right, wrong):
    assert differences([{"trial": trial, "place": place, "figures": right}]) == []
    if wrong == "x":
        with pytest.raises(ValueError, match="operator number unit"):
            entered(wrong)
    else:
        assert differences([{"trial": trial, "place": place, "figures": wrong}])


def test_places_with_figures_are_many():
    many = sum(bool(encoded(trial, place)) for trial in criteria().values() for place in trial.places)
    assert many >= 50

import json
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from widgets.records.library import records
from widgets.survival.published import overall_survival
from widgets.survival.summary import Assumptions, Printed, Summary, SummaryError


def changed(path, value):
    data = overall_survival("clocc.2017")
    *way, last = path
    target = data
    for step in way:
        target = target[step]
    target[last] = value
    return data


# The abstract of 2017, typed by hand: estimate, lower and upper limit.
PRINTED = {
    "combined": {
        36: "56.9% 43.3% 68.5%",
        60: "43.1% 30.3% 55.3%",
        96: "35.9% 23.8% 48.2%",
        "median": "45.6 30.3 67.8",
    },
    "systemic": {
        36: "55.2% 41.6% 66.9%",
        60: "30.3% 19.0% 42.4%",
        96: "8.9% 3.3% 18.1%",
        "median": "40.5 27.5 47.7",
    },
}


def test_the_records_of_clocc_are_the_29_printed_numbers():
    def read(text):
        return [Printed.read("abstract", number) for number in text.split()]

    def numbers(limits):
        return [replace(number, text=number.text.removesuffix(" months")) for _, number in limits]

    summary = Summary.from_dict(overall_survival("clocc.2017"))
    assert len(summary) == 29
    assert [(arm.name, arm.n, arm.deaths) for arm in summary.arms] == [("combined", 60, 39), ("systemic", 59, 53)]
    for arm in summary.arms:
        found = {months: numbers(limits) for months, limits in arm.landmarks} | {"median": numbers(arm.median)}
        assert found == {place: read(text) for place, text in PRINTED[arm.name].items()}
    assert numbers(summary.hazard_ratio) == read("0.58 0.38 0.88")
    assert summary.p_value.text == "0.01" and summary.median_follow_up.text == "9.7 years"
    assert summary.z == pytest.approx(1.959964) and "djx015" in summary.source


def test_the_binomial_rates_of_2012_are_no_landmarks():
    arms = overall_survival("clocc.2012")["arms"]
    assert [arm["landmarks"] for arm in arms.values()] == [[], []]


def test_a_report_with_two_candidates_is_refused(monkeypatch):
    numbers = records().analysis("clocc.2017")
    twice = [*numbers, *(one for one in numbers if one.result.id == "os.hr")]
    monkeypatch.setattr(type(records()), "analysis", lambda self, address: twice)
    with pytest.raises(ValueError, match=r"gives os.hr and os.hr"):
        overall_survival("clocc.2017")


@pytest.mark.parametrize(
    "text, value, step",
    [
        ("19.0%", Fraction(19, 100), Fraction(1, 1000)),
        ("0.190", Fraction(19, 100), Fraction(1, 1000)),
        (".01", Fraction(1, 100), Fraction(1, 100)),
        ("9.7 years", Fraction(1164, 10), Fraction(12, 10)),
        (Decimal("45.60"), Fraction(456, 10), Fraction(1, 100)),
        (12, Fraction(12), Fraction(1)),
    ],
)
def test_a_number_carries_its_rounding(text, value, step):
    printed = Printed.read("x", text)
    assert (printed.value, printed.step) == (value, step)


@pytest.mark.parametrize(
    "rounding, fits, fits_not",
    [
        ("nearest", (0.565, 0.575), (0.5649, 0.5751)),
        ("down", (0.57, 0.5799), (0.5699, 0.58)),
        ("up", (0.5601, 0.57), (0.56, 0.5701)),
    ],
)
def test_rounding_modes_differ_at_the_edges(rounding, fits, fits_not):
    low, high = Printed.read("x", "0.57").bounds(Assumptions(rounding=rounding))
    assert all(low <= x <= high for x in fits)
    assert not any(low <= x <= high for x in fits_not)


def test_below_and_not_reached():
    assert Printed.read("p", "<0.001").bounds(Assumptions())[1] < 0.001
    assert Printed.read("m", "not reached").bounds(Assumptions()) == (float("inf"),) * 2


def test_json_keeps_the_digits_of_unquoted_decimals():
    text = json.dumps(overall_survival("clocc.2017")).replace('"45.6 months"', "45.60")
    assert Summary.from_json(text).arms[0].median.estimate.step == Fraction(1, 100)


@pytest.mark.parametrize(
    "path, value, field, expected",
    [
        (("arms", "combined", "n"), "sixty", "arms.combined.n", "whole number"),
        (("arms", "combined", "deaths"), 61, "arms.combined.deaths", "whole number from 0 to 60"),
        (
            ("arms", "systemic", "landmarks", 1, "survival"),
            0.303,
            "arms.systemic.landmarks[1].survival",
            "as text",
        ),
        (
            ("arms", "systemic", "landmarks", 1, "survival"),
            "30.3",
            "arms.systemic.landmarks[1].survival",
            "0 to 1",
        ),
        (
            ("arms", "systemic", "landmarks", 1, "months"),
            30,
            "arms.systemic.landmarks[1].months",
            "later time",
        ),
        (("arms", "systemic", "landmarks", 0, "lower"), "60%", "arms.systemic.landmarks[0].lower", "at most"),
        (("arms", "systemic", "median", "upper"), "40.0", "arms.systemic.median.upper", "at least"),
        (("arms", "systemic", "mean"), "40.0", "arms.systemic.mean", "one of"),
        (("p_value",), "about .01", "p_value", "number as text"),
        (("level",), "95", "level", "between 0 and 1"),
        (("arms",), {"one": {"n": 3}}, "arms", "two arms"),
    ],
)
def test_an_error_names_field_and_expectation(path, value, field, expected):
    with pytest.raises(SummaryError) as caught:
        Summary.from_dict(changed(path, value))
    assert caught.value.field == field and expected in str(caught.value)


def test_numbers_can_be_left_out():
    arm = Summary.from_dict(overall_survival("clocc.2017")).arms[0].without("36.lower", "deaths")
    assert arm.landmarks[0][1].lower is None and arm.deaths is None
    with pytest.raises(SummaryError, match="one of 36"):
        arm.without("36.lower")


def test_assumptions_refuse_unknown_names_and_choices():
    with pytest.raises(SummaryError, match="one of interval"):
        Assumptions().with_(transform="log-log")
    with pytest.raises(SummaryError, match="one of log-log, linear"):
        Assumptions(interval="loglog")


def test_a_landmark_of_which_nothing_is_left_goes():
    arm = Summary.from_dict(overall_survival("clocc.2017")).arms[0]
    assert [months for months, _ in arm.without("60.estimate", "60.lower", "60.upper").landmarks] == [36, 96]

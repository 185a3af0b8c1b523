"""Numbers in prose: what an address gives, and what happens to an address that gives nothing."""

import re
from decimal import Decimal

import pytest

from widgets.publish.bindings import bound_numbers, rewritten, value_of
from widgets.records.library import records

VALUES = {
    # published numbers and their parts, as printed
    "clocc.2017.os.hr": "0.58",
    "clocc.2017.os.hr lower": "0.38",
    "clocc.2017.os.hr upper": "0.88",
    "clocc.2017.os.hr level": "95",
    "epoc.2008.pfs.eligible.hr": "0.77",
    "epoc.2008.pfs.eligible.hr lower": "0.60",
    "epoc.2008.pfs.eligible.hr level": "95.66",
    "clocc.2017.deaths.total of": "119",
    "clocc.2017.os.rate.combined.36 months": "36",
    "clocc.2017.deaths.percentage.combined": "65.0",
    "clocc.2017.pfs.hr": "NOT_STATED",
    # fields of trials
    "clocc.designModule.enrollmentInfo.count": "119",
    "clocc.workbook.centres": "22",
    "clocc.workbook.plannedEnrollment.0": "152",
    "clocc.workbook.plannedEnrollment.1": "142",
    "clocc.statusModule.startDateStruct.date": "2002-05",
    "nct04562727.eligibilityModule.minimumAge": "18 Years",
    # computed from printed numbers
    "clocc.2017.os.difference.36 1": "+1.7",
    "clocc.2017.os.difference.36 lower 0": "−16",
    "clocc.2017.os.difference.96 0": "+27",
    "clocc.2017.os.difference.96 p": "0.00026",
    "clocc.2017.os.difference.60 p 2": "0.15",
    "clocc.2017.os.risk_ratio.96 2": "0.70",
    "clocc.2017.os.median_difference": "5.1",
    "clocc.2012.os.median_difference 1": "4.8",
    "clocc.2012.os.alive.combined": "37",
    "clocc.2012.os.alive.systemic of": "59",
    "clocc.2012.os.target_p.systemic 4": "0.0017",
    "clocc.2017.deaths.other.combined": "4",
    "clocc.2017.deaths.other.systemic 0": "4",
}


@pytest.mark.parametrize("words, text", VALUES.items())
def test_what_an_address_gives(words, text):
    assert value_of(words) == text


UNKNOWN = {
    "clocc.2017.os.hazard": KeyError,  # no such number
    "clocc.2018.os.difference.36": KeyError,  # no such report
    "clocc.2017.os.difference.48": KeyError,  # no such time
    "clocc.2012.os.alive.surgery": KeyError,  # no such arm
    "clocc.2017.os.hr middle": ValueError,  # no such part
    "clocc.2017.os.p lower": ValueError,  # a part it does not have
    "clocc.2017.os.difference.36 level": ValueError,
    "clocc.2017.pfs.hr lower": ValueError,  # not stated
    "nct00000000.workbook.centres": KeyError,  # no such trial
    "clocc.workbook.hospitals": KeyError,  # no such field
    "clocc.workbook": ValueError,  # not a single value
    "clocc.conditionsModule.conditions": ValueError,
    "clocc.workbook.plannedEnrollment": ValueError,  # two values
    "clocc.statusModule.completionDateStruct": ValueError,  # not stated: no value to print
    "clocc.workbook.plannedEnrollment.7": KeyError,
}


@pytest.mark.parametrize("words, error", UNKNOWN.items())
def test_an_address_that_gives_nothing_is_an_error(words, error):
    with pytest.raises(error, match=re.escape(words.split(".")[0])):
        value_of(words)
    with pytest.raises(error):
        rewritten(f"Text 1<!-- {words} -->.")


def test_every_published_number_can_be_bound():
    for address, one in records().results.items():
        assert value_of(address) == str(one.result.estimate)


TEXT = """The hazard ratio was 0.59<!-- clocc.2017.os.hr -->
(0.38<!-- clocc.2017.os.hr lower -->–<!-- clocc.2017.os.hr upper -->), the difference at 3 years
-16<!-- clocc.2017.os.difference.36 lower 0 --> to 20<!--clocc.2017.os.difference.36 upper 0--> points;
<!-- a remark --> **35 %**, 3.5 and 7<!---->."""


def test_rewriting_changes_bound_numbers_and_nothing_else():
    once = rewritten(TEXT)
    assert "was 0.58<!-- clocc.2017.os.hr -->" in once and "<!-- a remark --> **35 %**, 3.5 and 7<!---->" in once
    assert rewritten(once) == once


def test_a_page_that_is_up_to_date_says_so():
    assert {bound.text == bound.expected for bound in bound_numbers(rewritten(TEXT))} == {True}
    assert [bound.text for bound in bound_numbers(TEXT) if bound.text != bound.expected]


def test_a_negative_number_has_the_minus_sign_and_only_a_difference_a_plus():
    lower, upper = (value_of(f"clocc.2017.os.difference.60 {part} 1") for part in ("lower", "upper"))
    assert lower.startswith("−") and upper.startswith("+")
    assert "-" not in lower and not value_of("clocc.2017.os.difference.60 p 2").startswith("+")
    assert not value_of("clocc.2017.os.risk_ratio.60 upper 2").startswith("+")


@pytest.mark.parametrize("text", ["−16", "+27", "0.58", "<0.001", "NOT_STATED", "2002-05"])
def test_the_whole_word_before_the_comment_is_replaced(text):
    assert rewritten(f"it was {text}<!-- clocc.2017.os.hr -->") == "it was 0.58<!-- clocc.2017.os.hr -->"


def test_decimals_are_those_asked_for():
    for digits in range(4):
        text = value_of(f"clocc.2017.os.difference.96 {digits}")
        assert -Decimal(text).as_tuple().exponent == digits

"""The published numbers among themselves, and that each checker would notice if they did not fit."""

from decimal import Decimal

import pytest

from tests.records.arithmetic import TRANSFORMS, complaints, reports, rounds_to, standard_error, symmetric
from widgets.records.library import records

REPORTS = reports(records())


def number(address: str) -> Decimal:
    return records().result(address).result.estimate


@pytest.mark.parametrize("address", REPORTS)
def test_the_numbers_of_a_report_fit(address):
    assert not list(complaints(REPORTS[address]))


# A wrong number of each kind, and whom the complaint names: field, value, checker's words.
WRONG = {
    "total": ("clocc.2017.deaths.total", {"estimate": 93}, "93 is not 39 + 53"),
    "enrolled": ("epoc.2008.n.surgery", {"estimate": 181}, "364 is not 182 + 181"),
    "excluded": ("clocc.letter.excluded.combined", {"estimate": 8}, "8 excluded, 51 left, 60 in all"),
    "percentage": ("clocc.2017.deaths.percentage.total", {"estimate": "77.4"}, "77.4 % of 119 is not 92"),
    "denominator": ("epoc.2008.resected.percentage.surgery", {"of": 171}, "percentage of 171, count of 182"),
    "no such count": ("tanis.2014.recurrence.patient.resection", {"estimate": "7.5"}, "of 81 is not a whole number"),
    "exact limit": ("clocc.2012.os.rate.combined.30", {"lower": "48.3"}, "37 of 60"),
    "exact rate": ("clocc.2012.os.rate.systemic.30", {"estimate": "57.7"}, "34 of 59"),
    "log-log": ("clocc.2017.os.rate.systemic.96", {"upper": "19.1"}, "not symmetric"),
    "rising": ("clocc.2017.os.rate.systemic.60", {"estimate": "60.3", "upper": "72.4"}, "60.3 % after 55.2 %"),
    "median": ("clocc.2017.os.median.combined", {"estimate": "62.0"}, "yet 43.1 % at 60 months"),
    "difference": (
        "epoc.2008.pfs.resected.difference.36",
        {"estimate": "9.3"},
        "not the difference of 33.2 and 42.4",
    ),
    "time": ("clocc.2017.os.rate.combined.36", {"months": 37}, "stands at 37 months"),
    "arm": ("clocc.2017.os.rate.combined.36", {"arm": "systemic"}, "is about systemic"),
    "ratio": ("clocc.2017.os.hr", {"estimate": "0.61"}, "not in the middle"),
    "P": ("clocc.2017.os.p", {"estimate": "0.03"}, "from the interval"),
    "P of 2012": ("clocc.2012.pfs.p", {"estimate": "0.052"}, "from the interval"),
    "events": ("epoc.2008.pfs.events", {"estimate": 200}, "from the events 0.141"),
    "level": ("epoc.2008.pfs.hr", {"level": "90"}, "from the events"),
    "planned rate": ("epoc.design.pfs.rate.surgery.36", {"estimate": "22.0"}, "from the rates"),
    "planned median": ("epoc.design.pfs.median.increase", {"estimate": 41}, "does not make"),
    "power": ("epoc.design.power", {"estimate": 90}, "Schoenfeld"),
}


def changed(result, **fields):
    """The result with some fields replaced, limits among them, without any check."""
    fields = {name: value if name in ("of", "arm") else Decimal(value) for name, value in fields.items()}
    limits = {name: fields.pop(name) for name in ("lower", "upper", "level") if name in fields}
    if limits:
        fields["interval"] = result.interval.model_copy(update=limits)
    return result.model_copy(update=fields)


@pytest.mark.parametrize("address, fields, message", WRONG.values(), ids=WRONG)
def test_a_wrong_number_is_noticed(address, fields, message):
    one = records().result(address)
    report = REPORTS[f"{one.trial}.{one.analysis.id}"]
    wrong = one._replace(result=changed(one.result, **fields))
    found = list(complaints([wrong if other is one else other for other in report]))
    assert any(message in complaint for complaint in found), found


# --- what the numbers tell ----------------------------------------------------------------------

LANDMARKS = [f"clocc.2017.os.rate.{arm}.{months}" for arm in ("combined", "systemic") for months in (36, 60, 96)]


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_only_log_log_intervals_explain_the_six_landmarks_of_2017(transform):
    fitting = [symmetric(records().result(address).result, TRANSFORMS[transform]) for address in LANDMARKS]
    assert all(fitting) == (transform == "log-log"), fitting


@pytest.mark.parametrize("n, count, address", [
    (60, 37, "clocc.2012.os.rate.combined.30"),
    (59, 34, "clocc.2012.os.rate.systemic.30"),
    (119, 92, "clocc.2017.deaths.percentage.total"),
    (81, 6, "tanis.2014.recurrence.patient.resection"),
    (55, 8, "tanis.2014.recurrence.patient.ablation"),
    (55, 17, "tanis.2014.recurrence.elsewhere.ablation"),
    (81, None, "tanis.2014.recurrence.elsewhere.resection"),
])  # fmt: skip
def test_the_whole_number_behind_a_percentage(n, count, address):
    assert [k for k in range(n + 1) if rounds_to(100 * k / n, number(address))] == ([] if count is None else [count])


def test_the_overall_survival_of_2017_rests_on_39_and_53_deaths():
    hr = records().result("clocc.2017.os.hr").result
    assert number("clocc.2017.deaths.combined") == 39 and number("clocc.2017.deaths.systemic") == 53
    from_interval = standard_error(hr.limits.level)(float(hr.limits.lower), float(hr.limits.upper))
    assert from_interval == pytest.approx((1 / 39 + 1 / 53) ** 0.5, rel=0.02)


@pytest.mark.parametrize("analysis", ["pfs", "pfs.eligible", "pfs.resected", "pfs.usual"])
def test_the_intervals_of_epoc_have_the_level_that_the_interim_look_left(analysis):
    level = records().result(f"epoc.2008.{analysis}.hr").result.limits.level
    assert level == 100 * (1 - number("epoc.2008.alpha"))


def test_printed_defects_are_defects():
    """Each recorded contradiction is one: were it a slip of ours, its figures would fit."""
    defects = {one.id: one for one in records().analysis("epoc.2008")[0].analysis.printedDefects}

    def figures(name):
        return [Decimal(text.strip("%").replace("·", ".")) for text in defects[name].asWritten]

    rise, surgery, perioperative = figures("usual-definition-increase")
    assert rise != perioperative - surgery
    assert (surgery, perioperative) == tuple(
        number(f"epoc.2008.pfs.usual.rate.{arm}.36") for arm in ("surgery", "perioperative")
    )
    assert sum(figures("number-of-metastases")) != number("epoc.2008.n.surgery")
    one, other = defects["surgery-upper-limit"].asWritten
    assert one != other and one in records().result("epoc.2008.pfs.rate.surgery.36").result.asWritten
    assert "(312%)" in defects["cea-percentage"].asWritten[0]


def test_the_four_responses_add_up_to_what_the_note_says():
    parts = ("complete", "partial", "stable", "progression")
    note = records().result("epoc.2008.response.measurable").result.note
    assert f"add up to {sum(number(f'epoc.2008.response.{part}') for part in parts)};" in note

"""Values against their own quotations, and quotations against the sources."""

import pytest

from tests.records.as_written import (
    DOCUMENTS,
    SHARED,
    Quotation,
    date_in,
    misquotations,
    misquoted,
    notes,
    quotations,
    quoted,
    says,
    source_text,
    stands_in,
)
from widgets.records.library import records
from widgets.records.schema import AnalysisDate

QUOTATIONS = list(quotations(records()))
needs_sources = pytest.mark.skipif(
    not SHARED.is_dir(), reason="the texts of the sources are not kept in the project; here they lie in ../shared"
)


def test_every_published_number_is_the_one_quoted():
    assert not [f"{one.address}: {wrong}" for one in records().results.values() if (wrong := misquoted(one.result))]


@pytest.mark.parametrize("trial", records().trials)
def test_every_value_of_a_trial_is_the_one_quoted(trial):
    assert not list(misquotations(records().trial(trial)))


def test_every_date_of_a_report_is_the_one_quoted():
    dated = [one.analysis.analysisDate for one in records().results.values()]
    dated = [one for one in dated if isinstance(one, AnalysisDate)]
    assert dated and all(says(one.asWritten, one) for one in dated)
    assert not any(says(one.asWritten, one.model_copy(update={"value": "2007-04"})) for one in dated)


def test_most_values_of_the_trials_quote_something():
    """The checks above see nothing where nothing is quoted."""
    stated = [one for trial in records().trials.values() for one in quoted(trial, trial.id) if not one.own]
    assert sum(bool(one.evidence.asWritten) for one in stated) / len(stated) > 0.75


@needs_sources
@pytest.mark.parametrize("source", DOCUMENTS)
def test_every_quotation_stands_in_its_source(source):
    own = [one for one in QUOTATIONS if one.source == source]
    assert not [one for one in own if not stands_in(one, source_text(source))]
    assert own or source == "nct06449937-trialx"  # the second mirror is quoted for nothing


@needs_sources
def test_most_quotations_of_the_other_sources_stand_in_the_notes_on_them(capsys):
    others = [one for one in QUOTATIONS if one.source not in DOCUMENTS]
    found = [one for one in others if stands_in(one._replace(place=""), notes())]
    with capsys.disabled():
        print(f"\n{len(found)} of {len(others)} quotations stand word for word in the notes on their sources")
    assert len(found) / len(others) >= 0.55


# --- the checkers themselves --------------------------------------------------------------------


@pytest.mark.parametrize("written, value, right", [
    ("Non-Randomized", "NON_RANDOMIZED", True),
    ("Non-Randomized", "RANDOMIZED", False),
    ("randomized controlled", "RANDOMIZED", True),
    ("randomised", "RANDOMIZED", True),
    ("Parallel Assignment", "PARALLEL", True),
    ("Parallel Assignment", "CROSSOVER", False),
    ("Not yet recruiting", "NOT_YET_RECRUITING", True),
    ("Not yet recruiting", "RECRUITING", False),
    ("None (Open label)", "NONE", True),
    ("Phase 2", "PHASE3", False),
    ("Investigator, Participant", ["INVESTIGATOR", "PARTICIPANT"], True),
    ("Investigator, Participant", ["INVESTIGATOR"], False),
    ("18-80 years", "18 Years", True),
    ("18 to 80 years old", "80 Years", True),
    ("18 to 80 years old", "8 Years", False),
    ("18 to 80 years old", "80 Months", False),
    ("22 centers", 22, True),
    ("22 centers", 2, False),
    ("every 3 months for 2½ years", "every 3 months for 2½ years, then every 6 months", True),
    ("every 3 months for 2½ years", "every 3 months for 2 years", False),
    ("Oct 10, 2000, and July 5, 2004", "10 October 2000 to 5 July 2004", True),
    ("Oct 10, 2000, and July 5, 2004", "10 October 2000 to 5 June 2004", False),
    ("low accrual", "toxicity", False),
])  # fmt: skip
def test_what_a_quotation_says(written, value, right):
    assert says(written, value) == right


@pytest.mark.parametrize("written, date", [
    ("May 2002", "2002-05"), ("March, 2007", "2007-03"), ("September 24, 2012", "2012-09-24"),
    ("Oct 10, 2000", "2000-10-10"), ("5 July 2004", "2004-07-05"), ("2021-03-01", "2021-03-01"),
])  # fmt: skip
def test_dates_in_words(written, date):
    assert date_in(written) == date


@pytest.mark.parametrize("place, text, found", [
    ("", "45.6 months", True),
    ("", "5.6 months", False),
    ("", "P = .01", True),
    ("", "P = .0", False),
    ("Sex", "All", True),
    ("Ages", "All", False),
    ("Centres", "6", True),
])  # fmt: skip
def test_when_a_quotation_stands_in_a_text(place, text, found):
    page = "Sex All Ages 18 to 80 years old. Median OS was 45.6 months (P = .01). Centres 6"
    assert stands_in(Quotation("", "", place, text), page) == found

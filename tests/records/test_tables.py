"""The records as tables: a row per thing, a state beside every gap, numbers as numbers."""

from numbers import Real

import pandas as pd
import pytest
from pandas.api.types import is_float_dtype, is_integer_dtype

from widgets.records import tables
from widgets.records.library import records
from widgets.records.schema import NotStated

STATES = {"stated", "not stated", "not applicable", "conflicting"}


def listed(items) -> list:
    return [] if isinstance(items, NotStated) else items


TRIALS = records().trials
ROWS = {
    "trials": list(TRIALS),
    "arms": [(trial.id, arm) for trial in TRIALS.values() for arm in trial.arms],
    "outcomes": [
        (trial.id, kind, outcome.id)
        for trial in TRIALS.values()
        for kind in ("primary", "secondary")
        for outcome in listed(getattr(trial.outcomesModule, f"{kind}Outcomes"))
    ],
    "results": list(records().results),
}
KEYS = {
    "trials": ["trial"],
    "arms": ["trial", "arm"],
    "outcomes": ["trial", "kind", "outcome"],
    "results": ["address"],
}


@pytest.fixture(params=ROWS)
def table(request) -> pd.DataFrame:
    table = getattr(tables, request.param)()
    table.attrs["name"] = request.param
    return table


def test_one_row_per_thing(table):
    keys = table[KEYS[table.attrs["name"]]]
    rows = [row[0] if len(row) == 1 else row for row in keys.itertuples(index=False, name=None)]
    assert rows == ROWS[table.attrs["name"]] and rows


def test_a_value_is_there_where_its_state_says_stated_and_nowhere_else(table):
    columns = [name for name in table if name.endswith("_state")]
    assert columns or table.attrs["name"] == "results"
    for name in columns:
        assert set(table[name]) <= STATES
        assert (table[name.removesuffix("_state")].notna() == (table[name] == "stated")).all(), name


def test_no_blank_text_and_no_object_of_ours(table):
    """A cell holds text, a number or nothing; nothing is spelt out as a word."""
    cells = [cell for name in table for cell in table[name].dropna()]
    assert all(isinstance(cell, str | Real) for cell in cells)
    assert not {cell for cell in cells if isinstance(cell, str) and cell.strip() in ("", "nan", "None", "<NA>", "[]")}


def test_numbers_are_numbers_and_stated_where_the_state_says_so():
    table = tables.results().set_index("address")
    for name in ("estimate", "lower", "upper", "level", "months"):
        assert is_float_dtype(table[name]), name
    assert is_integer_dtype(table["of"])
    assert (table["estimate"].notna() == (table["state"] == "stated")).all()
    assert set(table["state"]) == {"stated", "not stated"}
    limits = table[["lower", "upper", "level"]]
    assert (limits.notna().all(axis=1) == limits.notna().any(axis=1)).all()
    inside = table.dropna(subset=["lower"])
    assert (
        len(inside) > 20
        and (inside["lower"] <= inside["estimate"]).all()
        and (inside["estimate"] <= inside["upper"]).all()
    )


def test_a_row_says_what_the_record_says():
    row = tables.results().set_index("address").loc["epoc.2008.pfs.eligible.hr"]
    assert (row["estimate"], row["lower"], row["upper"], row["level"]) == (0.77, 0.60, 1.00, 95.66)
    assert (row["population"], row["report"], row["source"]) == ("ELIGIBLE", "2008", "epoc-2008")
    row = tables.results().set_index("address").loc["clocc.2017.os.hr"]
    assert row["population"] == "ALL_RANDOMISED"  # taken from the report where the number names none
    trials = tables.trials().set_index("trial")
    assert trials.loc["clocc", "enrollmentCount"] == 119 and trials.loc["clocc", "startDate"] == "2002-05"
    assert trials.loc["clocc", "plannedEnrollment_state"] == "conflicting"
    assert trials.loc["nct06120127", "maximumAge_state"] == "not stated"
    assert trials.loc["nct04562727", "name"] == "NCT04562727"  # no acronym is stated


def test_counts_of_trials_are_whole_numbers():
    for name in ("enrollmentCount", "plannedEnrollment"):
        assert all(isinstance(cell, int) for cell in tables.trials()[name].dropna())

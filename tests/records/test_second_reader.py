"""The second reading: complete, in agreement or settled, and without leftovers."""

import csv

import pytest

from tests.records.second_reading import COLUMNS, FILE, SETTLED, agree, doubted, entries, second_entries, settlements
from widgets.records.library import records

FIRST = {(entry.address, entry.field): entry.value for entry in entries(records())}
SECOND = second_entries()
SETTLEMENTS = settlements()
# A settlement may be that nothing stands: then there is no first entry any more.
REMOVED = {key for key, row in SETTLEMENTS.items() if not row["settled"]}


def test_every_value_is_entered_twice_and_nothing_else_is():
    assert len(FIRST) == len(list(entries(records())))
    assert FIRST.keys() == SECOND.keys() - REMOVED


def test_the_two_entries_agree_or_the_disagreement_is_settled():
    assert not [(entry, SECOND.get((entry.address, entry.field))) for entry in doubted(entries(records()))]


@pytest.mark.parametrize("key", SETTLEMENTS, ids=".".join)
def test_a_settlement_is_what_stands_now_and_says_why(key):
    row = SETTLEMENTS[key]
    assert FIRST.get(key, "") == row["settled"]
    assert SECOND.get(key, row["second"]) == row["second"]
    assert not agree(row["first"], row["second"])
    assert row["reason"].endswith(".")


@pytest.mark.parametrize("file, columns", [
    (FILE, COLUMNS),
    (SETTLED, ["address", "field", "first", "second", "settled", "reason"]),
])  # fmt: skip
def test_no_row_is_there_twice_and_every_row_says_where(file, columns):
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert list(rows[0]) == columns
    assert len({(row["address"], row["field"]) for row in rows}) == len(rows)
    assert not [row for row in rows if None in row or not row[columns[-1]].strip()]


@pytest.mark.parametrize("first, second, same", [
    ("0.60", "0.6", True),
    ("0.60", "0.61", False),
    ("35.5", "35.5 | 35.3", False),
    ("NOT_STATED", "not_stated", True),
    ("NOT_STATED", "0", False),
    ("RANDOMIZED", "NON_RANDOMIZED", False),
    ("NCT00043004", "NCT00043005", False),
    ("2012-09-24; ESTIMATED", "2012-09-24; ESTIMATED", True),
    ("2012-09-24; ESTIMATED", "2012-09-24; ACTUAL", False),
    ("364; ACTUAL", "364; NOT_STATED", False),
    ("152 | 142", "152", False),
    ("every 3 months for 2½ years", "every 3 months during 2.5 years", True),
    ("every 3 months for 2 years", "every 6 months for 2 years", False),
    ("DRUG; oxaliplatin; PROCEDURE; surgery", "PROCEDURE; surgery; DRUG; oxaliplatin", True),
    ("DRUG; oxaliplatin; PROCEDURE; surgery", "PROCEDURE; surgery", False),
    ("18 Years", "18 Months", False),
    ("low accrual", "slow accrual", True),  # words of their own: only that something is stated
    ("low accrual", "NOT_STATED", False),
])  # fmt: skip
def test_when_two_entries_say_the_same(first, second, same):
    assert agree(first, second) == same

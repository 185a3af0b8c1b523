"""Tables: nothing from data is markup, nothing exported is a formula."""

import csv
import io
from decimal import Decimal

import pytest

from widgets.ui.table import Mark, Row, Table

HOSTILE = '<img src=x onerror="alert(1)">&"\''
MARK = Mark(HOSTILE, HOSTILE, HOSTILE, 'https://example.org/?a="><script>', HOSTILE, HOSTILE)


def test_whatever_comes_from_data_is_escaped():
    made = Table(HOSTILE, [Row({HOSTILE: HOSTILE, "n": 1}, (MARK,))]).html()
    assert "<img" not in made and "<script" not in made and 'onerror="' not in made
    assert made.count("&lt;img") >= 7


@pytest.mark.parametrize(
    "cell, exported",
    [
        ("=1+1", "'=1+1"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("-16.4", "-16.4"),
        ("+1.7", "+1.7"),
        (Decimal("-4.6"), "-4.6"),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_formulas_are_disarmed_and_numbers_are_not(cell, exported):
    text = Table("t", [Row({"x": cell})]).csv("n")
    assert next(csv.DictReader(io.StringIO(text)))["x"] == exported


def test_an_empty_table_is_still_a_table():
    empty = Table("nothing", [])
    assert empty.columns == [] and empty.csv("n").strip() == "notice" and "<table>" in empty.html()


def test_decimals_become_floats_and_words_stay_words():
    frame = Table("t", [Row({"a": "x", "b": Decimal("65.0")}), Row({"a": "y", "b": "not stated"})]).frame()
    assert frame["b"].tolist() == [65.0, "not stated"]


def test_rows_may_have_different_columns():
    table = Table("t", [Row({"a": 1}), Row({"b": 2})])
    assert table.columns == ["a", "b"] and table.html().count("<td>") == 4

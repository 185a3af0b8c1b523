"""Units: exact, and in agreement with another library (ucumvert on pint)."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from widgets.eligibility.language import Bound, Within, criteria, lines
from widgets.eligibility.patient import variables
from widgets.eligibility.units import ULN, Quantity, UnitError, factor, plain, same_dimension, unit


def _used() -> list[str]:
    found = {known.unit for known in variables().values()}
    for trial in criteria().values():
        for node in trial.nodes:
            for one in lines(node):
                if isinstance(one.predicate, Bound):
                    found.add(one.predicate.quantity.unit)
                elif isinstance(one.predicate, Within) and one.predicate.time:
                    found.add(one.predicate.time.unit)
    return sorted(found - {ULN})


CODES = sorted(
    {
        *_used(),
        "umol/L",
        "mmol/L",
        "mg/dL",
        "g/dL",
        "kPa",
        "mm",
        "wk",
        "d",
        "10*3/uL",
        "/uL",
        "ug/L",
        "mL/s",
        "U/L",
        "mg/d",
    }
)


@pytest.fixture(scope="module")
def oracle():
    return pytest.importorskip("ucumvert").PintUcumRegistry()


@pytest.mark.parametrize("code", CODES)
def test_agrees_with_ucumvert(oracle, code):
    for other in CODES:
        left, right = oracle.from_ucum(code), oracle.from_ucum(other)
        assert same_dimension(code, other) == left.is_compatible_with(right), (code, other)
        if same_dimension(code, other):
            theirs = (1 * left).to(right.units).magnitude / (right.magnitude if hasattr(right, "magnitude") else 1)
            assert float(factor(code, other)) == pytest.approx(float(theirs), rel=5e-6), (
                code,
                other,
            )  # UCUM rounds mmHg


@pytest.mark.parametrize(
    "value, have, want, expected",
    [
        ("1500", "/mm3", "10*9/L", "1.5"),
        ("100000", "/mm3", "10*9/L", "100"),
        ("9", "g/dL", "g/L", "90"),
        ("60", "mm[Hg]", "Pa", "7999.32"),
        ("1", "a", "d", "365.25"),
        ("12", "mo", "a", "1"),
        ("4", "wk", "d", "28"),
        ("0.5", "cm", "mm", "5"),
    ],
)
def test_exact(value, have, want, expected):
    assert Quantity(Decimal(value), have).inside(want) == Fraction(expected)


def test_molar_mass_carries_mass_to_amount():
    creatinine = Decimal("113.12")
    assert float(Quantity(Decimal(1), "mg/dL").inside("umol/L", creatinine)) == pytest.approx(88.4, abs=0.01)
    assert float(Quantity(Decimal("88.4"), "umol/L").inside("mg/dL", creatinine)) == pytest.approx(1, abs=0.001)
    with pytest.raises(UnitError, match="does not convert"):
        factor("mg/dL", "umol/L")


@pytest.mark.parametrize("code", ["", "x", "10*", "g//L", "g/", "gdL", "mmHg", "10^9/L", "ULN", "kg·m", "cmin"])
def test_refuses(code):
    with pytest.raises(UnitError, match="not a UCUM unit"):
        unit(code)


def test_a_multiple_of_the_limit_converts_to_nothing():
    for code in ("1", "%", "umol/L"):
        assert not same_dimension(ULN, code)
        with pytest.raises(UnitError):
            factor(code, ULN)


@given(st.decimals(0, 10**6, places=4), st.sampled_from(CODES), st.sampled_from(CODES))
def test_there_and_back(value, one, other):
    if same_dimension(one, other):
        assert Quantity(value, one).inside(other) * factor(other, one) == Fraction(value)


def test_numbers_as_people_write_them():
    assert [plain(Decimal(text)) for text in ("1.50", "100", "1E+2", "0.5")] == ["1.5", "100", "100", "0.5"]
    assert plain(Fraction(1, 4)) == "0.25"
    assert plain(Fraction(1, 3)) == "0.333333"

"""Quantities with UCUM units, converted exactly.

UCUM (Unified Code for Units of Measure, ucum.org) writes 10*9/L, g/dL, mm[Hg], /mm3. The part of
it that blood values, lengths and times need is read here. Numbers are Decimal, factors are
fractions: 1500 /mm3 is 1.5 10*9/L to the last digit, which binary floats do not promise.
`{ULN}`, the multiple of a laboratory's upper limit of normal, is a dimension of its own: nothing
converts to it without that limit.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache

ULN = "{ULN}"
# Atoms: factor to the base units, dimension (powers of metre, gram, second, mole, multiple of ULN), metric or not.
# A month is the mean Julian one, a year is 365.25 days: UCUM's own definitions.
_LENGTH, _MASS, _TIME = (1, 0, 0, 0, 0), (0, 1, 0, 0, 0), (0, 0, 1, 0, 0)
_AMOUNT, _LIMIT = (0, 0, 0, 1, 0), (0, 0, 0, 0, 1)
_NUMBER, _VOLUME, _PRESSURE = (0, 0, 0, 0, 0), (3, 0, 0, 0, 0), (-1, 1, -2, 0, 0)
_DAY = 86400
_ATOMS: dict[str, tuple[Fraction, tuple[int, ...], bool]] = {
    "m": (Fraction(1), _LENGTH, True),
    "g": (Fraction(1), _MASS, True),
    "s": (Fraction(1), _TIME, True),
    "min": (Fraction(60), _TIME, False),
    "h": (Fraction(3600), _TIME, False),
    "d": (Fraction(_DAY), _TIME, False),
    "wk": (Fraction(7 * _DAY), _TIME, False),
    "mo": (Fraction("30.4375") * _DAY, _TIME, False),
    "a": (Fraction("365.25") * _DAY, _TIME, False),
    "L": (Fraction(1, 1000), _VOLUME, True),
    "l": (Fraction(1, 1000), _VOLUME, True),
    "mol": (Fraction(1), _AMOUNT, True),
    "U": (Fraction(1, 60_000_000), (0, 0, -1, 1, 0), True),
    "Pa": (Fraction(1000), _PRESSURE, True),
    "m[Hg]": (Fraction("133322") * 1000, _PRESSURE, True),
    "%": (Fraction(1, 100), _NUMBER, False),
    ULN: (Fraction(1), _LIMIT, False),
}
_PREFIXES = {"k": 3, "d": -1, "c": -2, "m": -3, "u": -6, "n": -9, "p": -12}
_PART = re.compile(
    r"(?P<power>10\*-?\d+)|(?P<atom>\{ULN\}|%|[A-Za-z]+(?:\[Hg\])?)(?P<exponent>-?\d+)?|(?P<count>\d+)"
)


class UnitError(ValueError):
    """A unit that cannot be read, or two that do not convert."""


@dataclass(frozen=True)
class Unit:
    """What a UCUM code means: its factor to the base units and its dimension."""

    code: str
    factor: Fraction
    dimension: tuple[int, ...]


@cache
def unit(code: str) -> Unit:
    """Read a UCUM code, such as `10*9/L`. Raises UnitError, saying where reading stopped."""
    factor, dimension = Fraction(1), [0] * len(_NUMBER)
    position, sign = 0, 1
    if code.startswith("/"):
        position, sign = 1, -1
    while True:
        match = _PART.match(code, position)
        if not match:
            raise UnitError(f"not a UCUM unit known here: {code!r} at character {position + 1}")
        step, powers = _part(match, code)
        factor *= step**sign
        dimension = [have + sign * add for have, add in zip(dimension, powers, strict=True)]
        position = match.end()
        if position == len(code):
            return Unit(code, factor, tuple(dimension))
        if code[position] not in "./":
            raise UnitError(f"not a UCUM unit known here: {code!r} at character {position + 1}")
        sign = -1 if code[position] == "/" else 1
        position += 1


def _part(match: re.Match, code: str) -> tuple[Fraction, list[int]]:
    if match["power"]:
        return Fraction(10) ** int(match["power"][3:]), [0] * len(_NUMBER)
    if match["count"]:
        return Fraction(int(match["count"])), [0] * len(_NUMBER)
    name, exponent = match["atom"], int(match["exponent"] or 1)
    if name in _ATOMS:
        factor, dimension, _ = _ATOMS[name]
    elif name[0] in _PREFIXES and name[1:] in _ATOMS and _ATOMS[name[1:]][2]:
        base, dimension, _ = _ATOMS[name[1:]]
        factor = base * Fraction(10) ** _PREFIXES[name[0]]
    else:
        raise UnitError(f"not a UCUM unit known here: {name!r} in {code!r}")
    return factor**exponent, [exponent * power for power in dimension]


def same_dimension(one: str, other: str) -> bool:
    """Whether two units measure the same kind of quantity."""
    return unit(one).dimension == unit(other).dimension


def factor(have: str, want: str, grams_per_mole: Decimal | None = None) -> Fraction:
    """By what a number in `have` is multiplied to be one in `want`.

    With the molar mass of the substance (g/mol), mass and amount convert into each other
    (creatinine mg/dL and umol/L). Raises UnitError where they do not convert.
    """
    one, other = unit(have), unit(want)
    if one.dimension == other.dimension:
        return one.factor / other.factor
    if grams_per_mole is not None:
        mass, amount = _MASS.index(1), _AMOUNT.index(1)
        swapped = list(one.dimension)
        swapped[mass], swapped[amount] = swapped[amount], swapped[mass]
        if tuple(swapped) == other.dimension:
            molar = Fraction(grams_per_mole) ** (one.dimension[mass] - one.dimension[amount])
            return one.factor / molar / other.factor
    raise UnitError(f"{have} does not convert to {want}")


@dataclass(frozen=True)
class Quantity:
    """A number and its UCUM unit; `1` is the unit of a plain number."""

    value: Decimal
    unit: str

    def inside(self, code: str, grams_per_mole: Decimal | None = None) -> Fraction:
        """The number this quantity is in another unit, exactly."""
        if code == self.unit:
            return Fraction(self.value)
        return Fraction(self.value) * factor(self.unit, code, grams_per_mole)

    def __str__(self) -> str:
        return plain(self.value) + ("" if self.unit == "1" else f" {self.unit}")


def plain(value: Decimal | Fraction) -> str:
    """A number as people write it: no exponent, no needless zeros, six digits at most for an endless fraction."""
    if isinstance(value, Fraction):
        value = Decimal(value.numerator) / Decimal(value.denominator)
        value = value if value == value.quantize(Decimal("1e-9")) else Decimal(f"{value:.6g}")
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text

"""What a report prints about two survival curves, and the conventions under which it is read.

A number in print carries its rounding with it: "19.0%" says more than 0.19. Numbers are therefore
taken as text (in JSON, unquoted decimals keep their digits too) and become `Printed`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from statistics import NormalDist
from typing import Any

NOTICE = "reconstructed from published numbers; not patient data"

_UNITS = {
    "": 1,
    "%": Fraction(1, 100),
    "months": 1,
    "years": 12,
    "weeks": Fraction(12 * 7 * 100, 36525),
    "days": Fraction(12 * 100, 36525),
}
_NUMBER = re.compile(r"(?P<below><?)\s*(?P<digits>\d*\.?\d+)\s*(?P<unit>%|[a-z]*)")
_TIE = 1e-12  # float error of a survival estimate is below 1e-13; no rounding step is near either


class SummaryError(ValueError):
    """A field of a summary is not what it should be; says which field, and what was expected."""

    def __init__(self, field: str, expected: str, found: Any):
        super().__init__(f"{field}: expected {expected}, found {found!r}")
        self.field, self.expected, self.found = field, expected, found


@dataclass(frozen=True)
class Printed:
    """A number as it stands in print.

    `value` and `step` (one unit of its last digit) are exact, in months or as a fraction of one.
    `below` marks "<0.001"; `value` is None where a median or limit was not reached.
    """

    text: str
    value: Fraction | None
    step: Fraction
    below: bool = False

    @classmethod
    def read(cls, field: str, text: Any, units: str = "") -> Printed:
        """Read "56.9%", "45.6", "9.7 years", "<0.001" or "not reached"; `units` is the default unit."""
        expected = 'a number as text, such as "56.9%", "45.6" or "not reached" (digits tell the rounding)'
        if isinstance(text, bool | float) or not isinstance(text, str | int | Decimal):
            raise SummaryError(field, expected, text)
        words = str(text).strip().lower()
        if words in {"not reached", "nr"}:
            return cls(str(text), None, Fraction(0))
        match = _NUMBER.fullmatch(words)
        if not match or match["unit"] not in _UNITS:
            raise SummaryError(field, expected, text)
        try:
            digits = Decimal(match["digits"])
        except InvalidOperation:  # pragma: no cover - the pattern admits decimals only
            raise SummaryError(field, expected, text) from None
        unit = _UNITS[match["unit"] or units]
        step = Fraction(Decimal(1).scaleb(digits.as_tuple().exponent))
        return cls(str(text), Fraction(digits) * unit, step * unit, bool(match["below"]))

    def bounds(self, assumptions: Assumptions) -> tuple[float, float]:
        """Smallest and largest number that prints so, as floats; a tie fits rounding either way.

        Returns (inf, inf) for "not reached" and (0, value) for "<value".
        """
        if self.value is None:
            return float("inf"), float("inf")
        value, step = float(self.value), float(self.step) * assumptions.tolerance
        if self.below:
            return 0.0, value - _TIE
        match assumptions.rounding:
            case "nearest":
                return value - step / 2 - _TIE, value + step / 2 + _TIE
            case "down":
                return value - _TIE, value + step - 2 * _TIE
            case _:
                return value - step + 2 * _TIE, value + _TIE


CHOICES = {
    "interval": ("log-log", "linear", "log", "logit", "arcsine"),
    "median_interval": ("log-log", "linear", "log", "logit", "arcsine"),
    "rounding": ("nearest", "down", "up"),
    "follow_up": ("reverse Kaplan-Meier", "survivors", "everybody"),
    "test": ("log-rank", "Wald"),
}


@dataclass(frozen=True)
class Assumptions:
    """The conventions by which printed numbers were made. Each is a switch; none is printed in a paper.

    interval         transform of the Greenwood interval at a landmark
    median_interval  transform of the Brookmeyer-Crowley limits of the median
    rounding         how printed numbers were rounded; `tolerance` multiplies the rounding step
    inclusive        S at a landmark counts the deaths on that day
    follow_up        median follow-up over both arms together: reverse Kaplan-Meier, or the median time
                     of those alive, or of everybody
    test             what the P value belongs to; it and the Cox model are unadjusted and unstratified
    """

    interval: str = "log-log"
    median_interval: str = "log-log"
    rounding: str = "nearest"
    tolerance: float = 1.0
    inclusive: bool = True
    follow_up: str = "reverse Kaplan-Meier"
    test: str = "log-rank"

    def __post_init__(self):
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise SummaryError(f"assumptions.{name}", f"one of {', '.join(allowed)}", getattr(self, name))
        if not self.tolerance > 0:
            raise SummaryError("assumptions.tolerance", "a positive number", self.tolerance)

    def with_(self, **changes) -> Assumptions:
        """The same assumptions with some switched; refuses unknown names."""
        known = [field.name for field in fields(self)]
        for name in changes:
            if name not in known:
                raise SummaryError("assumptions", f"one of {', '.join(known)}", name)
        return replace(self, **changes)


@dataclass(frozen=True)
class Limits:
    """A printed estimate and the limits of its sampling interval; what was not printed is None."""

    estimate: Printed | None = None
    lower: Printed | None = None
    upper: Printed | None = None

    def __iter__(self) -> Iterator[tuple[str, Printed | None]]:
        return iter((("estimate", self.estimate), ("lower", self.lower), ("upper", self.upper)))


@dataclass(frozen=True)
class Arm:
    """One arm: patients, deaths (None if not printed), survival at landmarks by month, median."""

    name: str
    n: int
    deaths: int | None
    landmarks: tuple[tuple[float, Limits], ...]
    median: Limits
    z: float

    def numbers(self) -> dict[str, Printed | int]:
        """Every printed number that can be left out, by name: "36.lower", "median.estimate", "deaths"."""
        found = {f"{months:g}.{part}": number for months, limits in self.landmarks for part, number in limits}
        found |= {f"median.{part}": number for part, number in self.median}
        found["deaths"] = self.deaths
        return {name: number for name, number in found.items() if number is not None}

    def without(self, *names: str) -> Arm:
        """The arm as if these numbers had not been printed."""
        unknown = set(names) - set(self.numbers())
        if unknown:
            raise SummaryError(self.name, f"one of {', '.join(self.numbers())}", min(unknown))

        def rest(prefix, limits):
            return Limits(*(None if f"{prefix}.{part}" in names else number for part, number in limits))

        return replace(
            self,
            deaths=None if "deaths" in names else self.deaths,
            landmarks=tuple(
                (months, left)
                for months, limits in self.landmarks
                if (left := rest(f"{months:g}", limits)) != Limits()
            ),
            median=rest("median", self.median),
        )


@dataclass(frozen=True)
class Summary:
    """The printed summary of two arms. The hazard ratio is that of the first arm against the second."""

    title: str
    source: str
    arms: tuple[Arm, Arm]
    hazard_ratio: Limits
    p_value: Printed | None
    median_follow_up: Printed | None
    z: float

    def __len__(self) -> int:
        """How many printed numbers there are, patients and deaths aside."""
        between = [number for _, number in self.hazard_ratio] + [self.p_value, self.median_follow_up]
        return sum(len(arm.numbers()) - (arm.deaths is not None) for arm in self.arms) + sum(
            number is not None for number in between
        )

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Summary:
        """Check and type a summary. The first arm is the one whose hazard ratio it is.

            {"title": "…", "source": "…", "level": "95%",
             "arms": {"treated": {"n": 60, "deaths": 39,
                                  "landmarks": [{"months": 36, "survival": "56.9%", "lower": …, "upper": …}],
                                  "median": {"estimate": "45.6", "lower": "30.3", "upper": "not reached"}},
                      "control": {…}},
             "hazard_ratio": {"estimate": "0.58", "lower": …, "upper": …},
             "p_value": "0.01", "median_follow_up": "9.7 years"}

        What was not printed is left out; of an arm, only n is needed here. For a report among the
        records `published.overall_survival` writes this. Raises SummaryError with the first field
        that is wrong and what was expected there.
        """
        _known(
            "summary",
            data,
            {"title", "source", "level", "arms", "hazard_ratio", "p_value", "median_follow_up"},
        )
        level = Printed.read("level", data.get("level", "95%"))
        if level.value is None or not 0 < level.value < 1:
            raise SummaryError("level", 'a level between 0 and 1, such as "95%"', data["level"])
        z = NormalDist().inv_cdf(float(1 + level.value) / 2)
        arms = data.get("arms")
        if not isinstance(arms, Mapping) or len(arms) != 2:
            raise SummaryError("arms", "two arms by name, the one whose hazard ratio it is first", arms)
        ratio = _limits("hazard_ratio", data.get("hazard_ratio"))
        p_value = _optional("p_value", data, high=1)
        return cls(
            str(data.get("title", "")),
            str(data.get("source", "")),
            tuple(_arm(str(name), arm, z) for name, arm in arms.items()),
            ratio,
            p_value,
            _optional("median_follow_up", data),
            z,
        )

    @classmethod
    def from_json(cls, source: str | Path) -> Summary:
        """Read a summary from JSON text or from the file at a path."""
        text = Path(source).read_text("utf-8") if isinstance(source, Path) else source
        try:
            data = json.loads(text, parse_float=Decimal)
        except json.JSONDecodeError as error:
            raise SummaryError("summary", "JSON", str(error)) from None
        if not isinstance(data, dict):
            raise SummaryError("summary", "a JSON object", data)
        return cls.from_dict(data)


def _known(field: str, data: Mapping, names: set[str]) -> None:
    if not isinstance(data, Mapping):
        raise SummaryError(field, "a mapping", data)
    for name in data:
        if name not in names:
            raise SummaryError(f"{field}.{name}", f"one of {', '.join(sorted(names))}", name)


def _optional(name: str, data: Mapping, high: float = float("inf"), prefix: str = "") -> Printed | None:
    field = prefix + name
    if data.get(name) is None:
        return None
    number = Printed.read(field, data[name])
    if number.value is not None and not 0 <= number.value <= high:
        raise SummaryError(field, f"a number from 0 to {high:g}", data[name])
    return number


def _limits(
    field: str,
    data: Any,
    estimate: str = "estimate",
    most: float = float("inf"),
    extra: frozenset[str] = frozenset(),
) -> Limits:
    data = data or {}
    _known(field, data, {estimate, "lower", "upper"} | extra)
    limits = Limits(*(_optional(name, data, most, f"{field}.") for name in (estimate, "lower", "upper")))
    middle, low, high = (math.inf if x and x.value is None else x and x.value for _, x in limits)
    if low is not None and middle is not None and low > middle:
        raise SummaryError(f"{field}.lower", f"at most the {estimate}", data["lower"])
    if high is not None and middle is not None and high < middle:
        raise SummaryError(f"{field}.upper", f"at least the {estimate}", data["upper"])
    return limits


def _count(field: str, value: Any, least: int, most: float = float("inf")) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise SummaryError(field, f"a whole number from {least} to {most:g}", value)
    return value


def _arm(name: str, data: Any, z: float) -> Arm:
    field = f"arms.{name}"
    _known(field, data, {"n", "deaths", "landmarks", "median"})
    n = _count(f"{field}.n", data.get("n"), 1)
    deaths = None if data.get("deaths") is None else _count(f"{field}.deaths", data["deaths"], 0, n)
    landmarks = []
    for index, row in enumerate(data.get("landmarks", ())):
        place = f"{field}.landmarks[{index}]"
        limits = _limits(place, row, "survival", 1, frozenset({"months"}))
        months = row.get("months")
        if isinstance(months, bool) or not isinstance(months, int | float | Decimal) or not months > 0:
            raise SummaryError(f"{place}.months", "a time in months, above 0", months)
        if landmarks and months <= landmarks[-1][0]:
            raise SummaryError(f"{place}.months", "a later time than the landmark before", months)
        if limits.estimate is None:
            raise SummaryError(f"{place}.survival", "the printed survival", None)
        landmarks.append((float(months), limits))
    return Arm(name, n, deaths, tuple(landmarks), _limits(f"{field}.median", data.get("median")), z)

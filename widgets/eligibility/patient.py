"""A patient: what is known of one, by the variables of data/variables.yaml; whatever is missing is unknown.

Values are written as a clinician writes them: `1.5 10*9/L`, `110 umol/L, limit 104`, `1.2 {ULN}`,
`3 mo ago`, `never`, `synchronous`, true, 1. Numbers are kept exactly.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from fractions import Fraction
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from pydantic import model_validator

from widgets.eligibility.units import ULN, Quantity, UnitError, plain, same_dimension, unit
from widgets.records.library import DATA, checked
from widgets.records.reading import read
from widgets.records.schema import Identifier, Record, Text

SECTIONS = ("disease", "liver", "extrahepatic", "fitness", "blood", "history", "treatment")
ENTRY = "entry"
NEVER = "never"
_QUANTITY = re.compile(
    r"(?P<value>\d+(?:\.\d+)?) (?P<unit>\S+?)(?:, limit (?P<limit>\d+(?:\.\d+)?)(?: (?P<limit_unit>\S+))?)?"
)
_AGO = re.compile(r"(?P<value>\d+(?:\.\d+)?) (?P<unit>\S+) ago")


# --- what can be known ---------------------------------------------------------------------------


class Variable(Record):
    """One line of data/variables.yaml; that file says what each field means."""

    name: Identifier
    section: Literal[SECTIONS]
    kind: Literal["quantity", "whole", "choice", "yes_no", "event"]
    says: Text
    unit: Text = "1"
    range: tuple[Decimal, Decimal] | None = None
    step: int = 1
    places: int = 0
    of: tuple[Text, ...] = ()
    anchor: Identifier = ENTRY
    limit: bool = False
    recovers: bool = False
    molar: Decimal | None = None
    topic: str = ""
    sides: bool = False

    @model_validator(mode="after")
    def whole(self):
        if (self.kind in ("quantity", "whole")) != (self.range is not None):
            raise ValueError(f"{self.kind} {'needs' if self.range is None else 'takes no'} range")
        if (self.kind == "choice") != bool(self.of):
            raise ValueError("a choice, and nothing else, says of which words")
        try:
            unit(self.unit)
        except UnitError as problem:
            raise ValueError(str(problem)) from None
        return self

    @property
    def matter(self) -> str:
        """The topic under which trials are compared."""
        return self.topic or self.says

    def takes(self, code: str) -> bool:
        """Whether a number in this unit can be a value of, or a bound on, this variable."""
        try:
            if code == ULN:
                return self.limit
            if self.kind == "event":
                return same_dimension(code, "d")
            self.convert(Quantity(Decimal(1), code))
        except UnitError:
            return False
        return True

    def convert(self, quantity: Quantity, code: str = "") -> Fraction:
        """A quantity of this variable as the number it is in `code` (default: the variable's unit)."""
        return quantity.inside(code or self.unit, self.molar)


@cache
def variables(path: Path = DATA / "variables.yaml") -> Mapping[str, Variable]:
    """All variables by name. Raises RecordError for the first line that is wrong."""
    document = read(path)
    found: dict[str, Variable] = {}
    for section, rows in document.content.items():
        for name, row in rows.items():
            part = type(document)(path, {"name": name, "section": section, **row})
            part.lines = {(): document.line((section, name))}
            if name in found:
                raise part.error((), f"{name} stands in {found[name].section} too")
            found[name] = checked(Variable, part)
    return MappingProxyType(found)


def variable(name: str) -> Variable:
    """A variable by its name. Raises KeyError with near names."""
    known = variables()
    if name in known:
        return known[name]
    near = get_close_matches(name, known, n=3, cutoff=0.5)
    raise KeyError(f"no variable {name!r}" + (f"; did you mean: {', '.join(near)}?" if near else ""))


# --- one patient ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Measured:
    """A quantity, and the laboratory's upper limit of normal where it was given."""

    quantity: Quantity
    limit: Quantity | None = None

    def __str__(self) -> str:
        return f"{self.quantity}" + (f", limit {self.limit}" if self.limit else "")


@dataclass(frozen=True)
class Ago:
    """An event, this long before its anchor (as a rule the day of entry)."""

    time: Quantity

    def __str__(self) -> str:
        return f"{self.time} ago"


Value = Measured | Ago | bool | int | str


class PatientError(ValueError):
    """Entries that cannot be: `problems` holds one sentence for each."""

    def __init__(self, problems: list[str]):
        self.problems = problems
        super().__init__("\n".join(problems))


class Patient(Mapping[str, Value]):
    """What is known of one patient: a mapping from variable to value, without the unknown ones.

    `Patient(anc="1.5 10*9/L", ecog=1, pregnant=False)`; None means unknown. Immutable; `with_` makes
    a changed copy. Raises PatientError, with one sentence for each entry that cannot be.
    """

    def __init__(self, **entries: Any):
        values, problems = {}, []
        for name, entry in entries.items():
            try:
                value = _value(variable(name), entry)
            except (ValueError, KeyError) as problem:
                problems.append(_placed(name, str(problem.args[0])))
            else:
                if value is not None:
                    values[name] = value
        if problems:
            raise PatientError(problems)
        self._values = values

    def __getitem__(self, name: str) -> Value:
        return self._values[name]

    def get(self, name: str, default: Any = None) -> Any:
        return self._values.get(name, default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Patient) and self._values == other._values

    def __hash__(self) -> int:
        return hash(frozenset(self._values.items()))

    def __repr__(self) -> str:
        return f"Patient({', '.join(f'{name}={written(value)!r}' for name, value in self.items())})"

    def with_(self, **changes: Any) -> "Patient":
        """A copy with some entries changed; None makes one unknown."""
        return Patient(**{**self._values, **changes})

    @classmethod
    def from_json(cls, text: str) -> "Patient":
        """Read `{"blood": {"anc": "1.5 10*9/L"}, "fitness": {"ecog": 1}}`. Raises PatientError."""
        try:
            content = json.loads(text, parse_float=Decimal)
        except json.JSONDecodeError as problem:
            raise PatientError([f"not JSON: line {problem.lineno}, column {problem.colno}: {problem.msg}"]) from None
        if not isinstance(content, dict):
            raise PatientError([f"expected sections ({', '.join(SECTIONS)}), found {json.dumps(content)[:40]}"])
        entries, problems = {}, []
        for section, rows in content.items():
            if section not in SECTIONS:
                problems.append(f"{section}: no such section; expected one of {', '.join(SECTIONS)}")
            elif not isinstance(rows, dict):
                problems.append(f"{section}: expected variables with their values")
            else:
                for name, entry in rows.items():
                    if name in variables() and variable(name).section != section:
                        problems.append(f"{section}.{name}: belongs to {variable(name).section}")
                    else:
                        entries[name] = entry
        try:
            patient = cls(**entries)
        except PatientError as error:
            raise PatientError(problems + error.problems) from None
        if problems:
            raise PatientError(problems)
        return patient

    def to_json(self) -> str:
        """The patient as JSON that `from_json` reads back to an equal patient."""
        content: dict[str, dict[str, Any]] = {}
        for name, known in variables().items():
            if name in self:
                content.setdefault(known.section, {})[name] = written(self[name])
        return json.dumps(content, ensure_ascii=False, indent=2)


def written(value: Value) -> Any:
    """A value as it is entered: text, a whole number, or true or false."""
    return str(value) if isinstance(value, Measured | Ago) else value


def _placed(name: str, problem: str) -> str:
    known = variables().get(name)
    return f"{known.section}.{name}: {problem}" if known else problem


def _value(known: Variable, entry: Any) -> Value | None:
    if entry is None:
        return None
    return _READERS[known.kind](known, entry)


def _yes_no(known: Variable, entry: Any) -> bool:
    if not isinstance(entry, bool):
        raise ValueError(f"expected true or false, found {entry!r}")
    return entry


def _choice(known: Variable, entry: Any) -> str:
    if not isinstance(entry, str) or entry not in known.of:
        raise ValueError(f"expected one of {', '.join(known.of)}, found {entry!r}")
    return entry


def _whole(known: Variable, entry: Any) -> int:
    if isinstance(entry, bool) or not isinstance(entry, int):
        raise ValueError(f"expected a whole number, found {entry!r}")
    low, high = known.range
    if not low <= entry <= high or (entry - low) % known.step:
        raise ValueError(
            f"expected {low} to {high}"
            + (f" in steps of {known.step}" if known.step > 1 else "")
            + f", found {entry}"
        )
    return entry


def _quantity(known: Variable, entry: Any) -> Measured:
    if isinstance(entry, Quantity):
        entry = Measured(entry)
    if not isinstance(entry, Measured):
        match = _QUANTITY.fullmatch(entry) if isinstance(entry, str) else None
        if not match and known.unit == "1":
            match = _QUANTITY.fullmatch(f"{entry} 1")
        if not match:
            raise ValueError(f"expected a number and its unit, such as '1.5 {known.unit}', found {entry!r}")
        quantity = Quantity(_decimal(match["value"]), match["unit"])
        limit = match["limit"] and Quantity(_decimal(match["limit"]), match["limit_unit"] or match["unit"])
        entry = Measured(quantity, limit or None)
    _fits(known, entry.quantity)
    if entry.limit is not None:
        if not known.limit or entry.limit.unit == ULN:
            raise ValueError(f"takes no upper limit of normal in {entry.limit.unit}")
        _fits(known, entry.limit)
        if entry.limit.value == 0:
            raise ValueError("an upper limit of normal of 0 cannot be")
    return entry


def _fits(known: Variable, quantity: Quantity) -> None:
    if not known.takes(quantity.unit):
        more = " or {ULN}" if known.limit else ""
        raise ValueError(f"expected a unit that converts to {known.unit}{more}, found {quantity.unit!r}")
    if quantity.unit == ULN:
        low, high, number = Fraction(0), Fraction(1000), Fraction(quantity.value)
    else:
        low, high = (Fraction(end) for end in known.range)
        number = known.convert(quantity)
    if not low <= number <= high:
        shown = ULN if quantity.unit == ULN else known.unit
        raise ValueError(f"{quantity} is outside what can be: {plain(low)} to {plain(high)} {shown}")


def _event(known: Variable, entry: Any) -> Ago | str:
    if entry == NEVER:
        return NEVER
    if isinstance(entry, Ago):
        time = entry.time
    else:
        match = _AGO.fullmatch(entry) if isinstance(entry, str) else None
        if not match:
            raise ValueError(f"expected 'never' or a time, such as '3 mo ago', found {entry!r}")
        time = Quantity(_decimal(match["value"]), match["unit"])
    if not known.takes(time.unit):
        raise ValueError(f"expected a unit of time (d, wk, mo, a), found {time.unit!r}")
    if time.value < 0 or time.inside("a") > 120:
        raise ValueError(f"{time} ago is outside what can be: 0 to 120 a")
    return Ago(time)


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(f"expected a number, found {text!r}") from None


_READERS = {"yes_no": _yes_no, "choice": _choice, "whole": _whole, "quantity": _quantity, "event": _event}

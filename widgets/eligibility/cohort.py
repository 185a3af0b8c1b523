"""A synthetic cohort against a trial: how many each criterion costs, alone, first, and as a fair share.

Everything a cohort says holds for its assumed distributions (data/cohort.yaml) and for nobody real.
Numbers are held as scaled integers, so that every comparison is as exact as the one for a single patient.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache, cached_property, reduce
from zlib import crc32

import numpy as np
from pydantic import ValidationError, model_validator

from widgets.eligibility import scales
from widgets.eligibility.evaluate import OPERATORS
from widgets.eligibility.language import Bound, Clause, Criteria, Criterion, Group, Node, OneOf, Within
from widgets.eligibility.logic import Truth
from widgets.eligibility.patient import NEVER, Ago, Measured, Patient, Variable, variable, variables
from widgets.eligibility.units import ULN, Quantity
from widgets.records.library import DATA, checked
from widgets.records.reading import Document, read
from widgets.records.schema import Record

UNKNOWN = -1
_NEVER = np.iinfo(np.int32).max  # an event that never happened lies longer ago than any window
BLOCK = 1 << 17  # patients looked at together: what is in hand fits into the processor's cache


# --- how values are drawn ------------------------------------------------------------------------


class Spread(Record):
    """One line of data/cohort.yaml; that file says what each field means."""

    normal: tuple[float, float] | None = None
    lognormal: tuple[float, float] | None = None
    poisson: float | None = None
    least: int = 0
    words: dict[str, float] | None = None
    yes: float | None = None
    ever: tuple[float, float] | None = None
    missing: float = 0

    @model_validator(mode="after")
    def one_way(self):
        ways = [
            name
            for name in ("normal", "lognormal", "poisson", "words", "yes", "ever")
            if getattr(self, name) is not None
        ]
        if len(ways) != 1:
            raise ValueError(
                f"expected one of normal, lognormal, poisson, words, yes, ever; found {' and '.join(ways) or 'none'}"
            )
        shares = [
            self.missing,
            *([self.yes] if self.yes is not None else []),
            *((self.words or {}).values()),
            *((self.ever or ())[:1]),
        ]
        if any(not 0 <= share <= 1 for share in shares):
            raise ValueError("a share lies between 0 and 1")
        if self.words and not math.isclose(sum(self.words.values()), 1, abs_tol=1e-9):
            raise ValueError(f"the shares add up to {sum(self.words.values()):g}; expected 1")
        return self


@cache
def spreads() -> Mapping[str, Spread]:
    """The distributions of data/cohort.yaml by variable. Raises RecordError for the first line that is wrong."""
    document = read(DATA / "cohort.yaml")
    found = {}
    for name, row in document.content.items():
        variable(name)
        part = Document(document.path, _fields(row))
        part.lines = {(): document.line((name,))}
        found[name] = checked(Spread, part)
    return found


def _changed(name: str, row: Mapping) -> Spread:
    variable(name)
    try:
        return Spread(**_fields(row))
    except ValidationError as problem:
        message = problem.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise ValueError(f"{name}: {message}") from None


def _fields(row: Mapping) -> dict:
    return {"least" if key == "from" else key: value for key, value in row.items()}


def _stored(known: Variable) -> tuple[str, int]:
    """Unit and decimals in which a quantity is held: with a laboratory limit, as its multiple."""
    return (ULN, 2) if known.limit else (known.unit, known.places)


def _draw(known: Variable, spread: Spread, n: int, random: np.random.Generator) -> np.ndarray:
    if spread.yes is not None:
        return (random.random(n) < spread.yes).astype(np.int8)
    if spread.words is not None:
        names = list(spread.words)
        codes = np.array([known.of.index(word) if known.kind == "choice" else int(word) for word in names])
        picked = np.searchsorted(np.cumsum(list(spread.words.values())), random.random(n), side="right")
        return codes[np.minimum(picked, len(names) - 1)].astype(np.int8)
    if spread.ever is not None:
        share, median = spread.ever
        days = np.ceil(random.exponential(median / math.log(2), n)).clip(1, 40_000)
        return np.where(random.random(n) < share, days, _NEVER).astype(np.int32)
    low, high = map(float, known.range)
    if spread.poisson is not None:
        drawn = spread.least + random.poisson(max(spread.poisson - spread.least, 0), n)
        return drawn.clip(low, high).astype(np.int8)
    if spread.normal is not None:
        drawn = random.normal(*spread.normal, n)
    else:
        median, factor = spread.lognormal
        drawn = median * np.exp(random.normal(0, math.log(factor), n))
    code, places = _stored(known)
    if code == ULN:
        low, high = 0, 1000
    return np.rint(drawn.clip(low, high) * 10**places).astype(np.int32)


# --- the cohort ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cohort:
    """Patients as columns: for each variable an integer array of length n, -1 where it is not known.

    yes_no: 0 or 1 · choice: the word's number · whole: the number · quantity: the number in its stored
    unit times 10^places · event: days ago, or the largest integer for never.
    """

    columns: Mapping[str, np.ndarray]
    n: int
    seed: int | None = None
    synthetic: bool = True

    @cached_property
    def complete(self) -> frozenset[str]:
        """The variables that are known of everybody."""
        return frozenset(name for name, column in self.columns.items() if column.min() != UNKNOWN)

    def patient(self, number: int) -> Patient:
        """One row as a Patient, exactly."""
        entries = {}
        for name, column in self.columns.items():
            code = int(column[number])
            if code != UNKNOWN:
                entries[name] = _decoded(variable(name), code)
        return Patient(**entries)


def _decoded(known: Variable, code: int):
    if known.kind == "yes_no":
        return bool(code)
    if known.kind == "choice":
        return known.of[code]
    if known.kind == "whole":
        return code
    if known.kind == "event":
        return NEVER if code == _NEVER else Ago(Quantity(Decimal(code), "d"))
    unit, places = _stored(known)
    return Measured(Quantity(Decimal(code).scaleb(-places), unit))


def cohort(n: int, seed: int = 1, changes: Mapping[str, Mapping] | None = None) -> Cohort:
    """n synthetic patients. The same seed gives the same patients; a changed variable leaves the others as drawn.

    `changes` replaces lines of data/cohort.yaml, for example `{"age": {"normal": [70, 8]}}`. Raises
    ValueError for a distribution that cannot be, KeyError for an unknown variable.
    """
    if n < 1:
        raise ValueError(f"expected at least one patient, found {n}")
    ways = {**spreads(), **{name: _changed(name, row) for name, row in (changes or {}).items()}}
    columns = {
        name: _draw(known, ways[name], n, np.random.default_rng([seed, crc32(name.encode())]))
        for name, known in variables().items()
        if name in ways
    }
    _mend(columns)
    for name, column in columns.items():
        if ways[name].missing:
            random = np.random.default_rng([seed, crc32(name.encode()), 1])
            column[random.random(n) < ways[name].missing] = UNKNOWN
    return Cohort(columns, n, seed)


def _mend(columns: dict[str, np.ndarray]) -> None:
    """Make what cannot be true together agree (the rules of `solve.contradictions`)."""

    def code(name: str, word: str) -> int:
        return variable(name).of.index(word)

    def upto(name: str, most: str) -> None:
        columns[name] = np.minimum(columns[name], columns[most])

    men = columns["sex"] == code("sex", "male")
    for name in ("pregnant", "breast_feeding"):
        columns[name][men] = 0
    columns["extrahepatic_disease"][columns["brain_metastases"] == 1] = 1
    upto("liver_metastases_remaining", "liver_metastases")
    upto("lesions_to_resect", "liver_metastases")
    upto("largest_lesion_to_ablate", "largest_metastasis")
    upto("current_line", "systemic_lines")
    columns["nyha"][columns["heart_failure"] == code("heart_failure", "none")] = 0
    columns["infection_uncontrolled"][columns["infection_grade"] == 0] = 0
    columns["other_malignancy_evidence"][columns["other_malignancy"] == code("other_malignancy", "none")] = _NEVER
    columns["primary_resection"][columns["primary_tumour"] < code("primary_tumour", "resected_completely")] = _NEVER
    for name in ("ascites_cancer_cells", "ascites_cea_above_blood"):
        columns[name][columns["ascites"] == code("ascites", "none")] = 0
    columns["metastases_diagnosed"][columns["adjuvant_chemotherapy"] == code("adjuvant_chemotherapy", "none")] = (
        _NEVER
    )
    bands = np.array([max(scales.band("common", "ecog", grade)) for grade in range(6)], dtype=np.int8)
    columns["karnofsky"] = bands[columns["ecog"]] if "ecog" in columns else columns["karnofsky"]


# --- a trial's requirements, all patients at once ------------------------------------------------

# Where it is true, and where it is false; unknown is neither. None: false wherever it is not true.
Rails = tuple[np.ndarray, np.ndarray | None]


def _false(rails: Rails) -> np.ndarray:
    return ~rails[0] if rails[1] is None else rails[1]


class _Block:
    """Some rows of a cohort, judged together."""

    def __init__(self, people: Cohort, rows: slice, scale: str | None):
        self.people, self.rows, self.scale = people, rows, scale
        self.n = rows.stop - rows.start
        self._known: dict[str, np.ndarray] = {}

    def column(self, name: str) -> np.ndarray:
        return self.people.columns[name][self.rows]

    def known(self, name: str) -> np.ndarray:
        if name not in self._known:
            self._known[name] = self.column(name) >= 0
        return self._known[name]

    def node(self, node: Node) -> Rails:
        true, false = self._group(node) if isinstance(node, Group) else self._line(node)
        if not node.negated:
            return true, false
        return (~true, None) if false is None else (false, true)

    def _group(self, node: Group) -> Rails:
        rails = [self.node(child) for child in node.children]
        k, of = node.k, len(rails)
        if k not in (1, of):
            yes = np.sum([true for true, _ in rails], axis=0, dtype=np.int16)
            no = np.sum([_false(one) for one in rails], axis=0, dtype=np.int16)
            return yes >= k, no > of - k
        both, either = (np.logical_or, np.logical_and) if k == 1 else (np.logical_and, np.logical_or)
        true = reduce(both, (true for true, _ in rails))
        if all(false is None for _, false in rails):
            return true, None
        return true, reduce(either, map(_false, rails))

    def _line(self, criterion: Criterion) -> Rails:
        one = criterion.predicate
        if one.variable not in self.people.columns:
            return self._nobody()
        if isinstance(one, Bound):
            rails = self._bound(one)
        elif isinstance(one, OneOf):
            rails = self._one_of(one)
        elif isinstance(one, Within):
            rails = self._within(one)
        else:
            return np.ones(self.n, dtype=bool), None
        if self.scale and one.variable in scales.OTHER and scales.OTHER[one.variable] in self.people.columns:
            return self._converted(one, rails)
        return rails

    def _nobody(self) -> Rails:
        """Unknown of everybody."""
        return np.zeros(self.n, dtype=bool), np.zeros(self.n, dtype=bool)

    def _unless_unknown(self, name: str, true: np.ndarray) -> Rails:
        """What does not hold is false where the value is known. `true` must not hold where it is unknown (-1)."""
        return true, None if name in self.people.complete else self.known(name) > true

    def _at_most(self, name: str, most: int) -> Rails:
        if name in self.people.complete:
            return self.column(name) <= most, None
        false = self.column(name) > max(most, UNKNOWN)
        return self.known(name) > false, false

    def _at_least(self, name: str, least: int) -> Rails:
        return self._unless_unknown(name, self.column(name) >= max(least, 0))

    def _bound(self, one: Bound) -> Rails:
        known = variable(one.variable)
        number = Fraction(one.quantity.value)
        if known.kind == "quantity":
            code, places = _stored(known)
            if (code == ULN) != (one.quantity.unit == ULN):
                return self._nobody()
            number = (number if code == ULN else known.convert(one.quantity, code)) * 10**places
        if one.operator in ("<", "<="):
            most = math.floor(number) if one.operator == "<=" else math.ceil(number) - 1
            return self._at_most(one.variable, most)
        if one.operator in (">", ">="):
            least = math.ceil(number) if one.operator == ">=" else math.floor(number) + 1
            return self._at_least(one.variable, least)
        if number.denominator != 1:
            return self._at_most(one.variable, UNKNOWN)
        return self._unless_unknown(one.variable, self.column(one.variable) == int(number))

    def _one_of(self, one: OneOf) -> Rails:
        known = variable(one.variable)
        if known.kind == "yes_no":
            codes = [("no", "yes").index(word) for word in one.words]
        else:
            codes = [known.of.index(word) if known.kind == "choice" else int(word) for word in one.words]
        column = self.column(one.variable)
        true = column == codes[0]
        for code in codes[1:]:
            true |= column == code
        return self._unless_unknown(one.variable, true)

    def _within(self, one: Within) -> Rails:
        if one.time is None:
            return self._at_most(one.variable, _NEVER - 1)
        days = one.time.inside("d")
        return self._at_most(one.variable, math.ceil(days) - 1 if one.strict else math.floor(days))

    def _converted(self, one: Bound, rails: Rails) -> Rails:
        """Where only the other scale is known, its band decides, if it lies on one side."""
        other = scales.OTHER[one.variable]
        answers = np.zeros((2, 102), dtype=bool)  # by the other scale's value; the last entry stands for unknown
        for value in range(int(variable(other).range[1]) + 1):
            band = scales.band(self.scale, other, value)
            found = {OPERATORS[one.operator](each, one.quantity.value) for each in band}
            answers[0, value], answers[1, value] = found == {True}, found == {False}
        missing = ~self.known(one.variable)
        column = self.column(other)
        return rails[0] | (missing & answers[0][column]), _false(rails) | (missing & answers[1][column])


@dataclass(frozen=True)
class Screen:
    """A cohort against one trial: `truth[clause, patient]` is 0 (failed), 1 (unknown) or 2 (met)."""

    trial: str
    clauses: tuple[Clause, ...]
    truth: np.ndarray
    states_disease: bool = True

    @property
    def n(self) -> int:
        return self.truth.shape[1]

    def fails(self, unknown_fails: bool = False) -> np.ndarray:
        """Which requirement excludes whom, as a bool array [clause, patient]; unknown counted as told."""
        return self.truth != Truth.TRUE if unknown_fails else self.truth == Truth.FALSE

    def together(self) -> np.ndarray:
        """Each patient's truth over all requirements, 0, 1 or 2."""
        return self.truth.min(axis=0, initial=2)


def screen(
    criteria: Criteria, people: Cohort, readings: Mapping[str, str] | None = None, scale: str | None = None
) -> Screen:
    """Every patient of a cohort against every requirement; agrees with `evaluate` patient by patient."""
    clauses = criteria.clauses(readings)
    found = np.empty((len(clauses), people.n), dtype=np.int8)
    for start in range(0, people.n, BLOCK):
        rows = slice(start, min(start + BLOCK, people.n))
        block = _Block(people, rows, scale)
        for clause, row in zip(clauses, found[:, rows], strict=True):
            true, false = block.node(clause.node)
            if not clause.wanted:
                true, false = (~true, None) if false is None else (false, true)
            not_false = true if false is None else ~false
            # true and not false: 2, neither: 1, false: 0
            np.add(true.view(np.int8), not_false.view(np.int8), out=row)
    return Screen(criteria.trial, clauses, found, criteria.states_disease)


# --- what criteria cost --------------------------------------------------------------------------


@dataclass(frozen=True)
class Cost:
    """What one requirement costs, in patients: who fail it, who fail nothing else, and its fair share.

    The share splits each excluded patient evenly among the requirements that exclude them. That is the
    Shapley value (Shapley 1953) of the game in which a set of requirements is worth the patients it excludes.
    """

    clause: Clause
    fails: int
    only: int
    share: Fraction


def costs(screened: Screen, unknown_fails: bool = False) -> list[Cost]:
    """The cost of each requirement; the shares add up, exactly, to the number of excluded patients."""
    fails = screened.fails(unknown_fails)
    reasons = fails.sum(axis=0, dtype=np.int16)
    found = []
    for clause, row in zip(screened.clauses, fails, strict=True):
        counts = np.bincount(reasons[row], minlength=2)
        share = sum((Fraction(int(many), k) for k, many in enumerate(counts) if k and many), Fraction(0))
        found.append(Cost(clause, int(row.sum()), int(counts[1]), share))
    return found


@dataclass(frozen=True)
class Step:
    """One step of a waterfall: how many it takes here, and how few or many in any other order."""

    clause: Clause
    taken: int
    remaining: int
    fewest: int
    most: int


def waterfall(screened: Screen, order: Sequence[int] | None = None, unknown_fails: bool = False) -> list[Step]:
    """Requirements one after the other, in the order given (positions from 0; default: as they stand).

    Over all orders a requirement takes fewest when it comes last (who fail only it) and most when it comes
    first (who fail it). Raises ValueError where the order is not one of all requirements.
    """
    order = list(range(len(screened.clauses))) if order is None else list(order)
    if sorted(order) != list(range(len(screened.clauses))):
        raise ValueError(f"expected every position from 0 to {len(screened.clauses) - 1} once")
    fails = screened.fails(unknown_fails)
    each = costs(screened, unknown_fails)
    left = np.ones(screened.n, dtype=bool)
    steps = []
    for position in order:
        taken = int(np.count_nonzero(left & fails[position]))
        left &= ~fails[position]
        cost = each[position]
        steps.append(Step(cost.clause, taken, int(np.count_nonzero(left)), cost.only, cost.fails))
    return steps


@dataclass(frozen=True)
class Left:
    """The cohort by verdict: excluded, undecided because a value is missing, not excluded, too little stated.

    They add up to all. `undecided` is the width of the band between the two ways of counting the unknown.
    """

    excluded: int
    undecided: int
    not_excluded: int
    too_little: int


def left(screened: Screen) -> Left:
    """How many patients get which verdict."""
    excluded, undecided, met = map(int, np.bincount(screened.together(), minlength=3))
    if screened.states_disease:
        return Left(excluded, undecided, met, 0)
    return Left(excluded, 0, 0, undecided + met)

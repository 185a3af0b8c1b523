"""A patient against the criteria of a trial: verdict and reason at every node, and what would change it.

Judgement and consent stand outside the verdict. A value that is missing is unknown; a thing that
the record does not mention is not stated; neither becomes yes or no.
"""

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from fractions import Fraction
from functools import cached_property

from widgets.eligibility import scales
from widgets.eligibility.language import Bound, Clause, Criteria, Criterion, Group, Judgement, Node, OneOf, Within
from widgets.eligibility.logic import Truth, all_of, at_least, truth
from widgets.eligibility.patient import NEVER, Patient, Value, variable
from widgets.eligibility.units import ULN
from widgets.eligibility.wording import fill, say, say_value

OPERATORS = {
    "<": operator.lt, "<=": operator.le, "=": operator.eq, ">=": operator.ge, ">": operator.gt,
}  # fmt: skip
Values = Mapping[str, Value]


# --- one line ------------------------------------------------------------------------------------


def holds(node: Node, values: Values, scale: str | None = None) -> Truth:
    """Whether a node, its disputes settled, holds for these values.

    `scale` names the table that converts ECOG and Karnofsky, if one is chosen.
    """
    if isinstance(node, Group):
        found = at_least(node.k, (holds(child, values, scale) for child in node.children))
    else:
        found = _line(node, values, scale)
    return ~found if node.negated else found


def meets(clause: Clause, values: Values, scale: str | None = None) -> Truth:
    """Whether a requirement is met."""
    found = holds(clause.node, values, scale)
    return found if clause.wanted else ~found


def _line(criterion: Criterion, values: Values, scale: str | None) -> Truth:
    """The line without its own `not`."""
    one = criterion.predicate
    value = values.get(one.variable)
    if value is None:
        if scale and isinstance(one, Bound) and one.variable in scales.OTHER:
            return _converted(one, values, scale)
        return Truth.UNKNOWN
    if isinstance(one, Bound):
        return truth(_bound(one, value))
    if isinstance(one, OneOf):
        word = ("no", "yes")[value] if isinstance(value, bool) else str(value)
        return truth(word in one.words)
    if isinstance(one, Within):
        if value == NEVER or one.time is None:
            return truth(value != NEVER)
        have, bound = (value.time.value, one.time.value)
        if value.time.unit != one.time.unit:
            have, bound = value.time.inside("d"), one.time.inside("d")
        return truth(have < bound if one.strict else have <= bound)
    return Truth.TRUE


def _bound(one: Bound, value: Value) -> bool | None:
    compare = OPERATORS[one.operator]
    if isinstance(value, int):
        return compare(value, one.quantity.value)
    have, limit, want = value.quantity, value.limit, one.quantity
    if have.unit == want.unit:
        return compare(have.value, want.value)
    known = variable(one.variable)
    if ULN in (have.unit, want.unit):
        if limit is None:
            return None
        normal = known.convert(limit)
        left = Fraction(have.value) * normal if have.unit == ULN else known.convert(have)
        right = Fraction(want.value) * normal if want.unit == ULN else known.convert(want)
        return compare(left, right)
    return compare(known.convert(have), known.convert(want))


def _converted(one: Bound, values: Values, scale: str) -> Truth:
    other = scales.OTHER[one.variable]
    if values.get(other) is None:
        return Truth.UNKNOWN
    band = scales.band(scale, other, values[other])
    found = {OPERATORS[one.operator](value, one.quantity.value) for value in band}
    return truth(found.pop()) if len(found) == 1 else Truth.UNKNOWN


# --- with reasons --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Need:
    """A value that is missing: what of it (`value`, `limit` or `scale`), and of which variable."""

    variable: str
    what: str

    def __str__(self) -> str:
        return fill("need", self.what, variable=variable(self.variable).says)


@dataclass(frozen=True)
class Result:
    """A node with its truth, its reason, and the results of its children."""

    node: Node
    truth: Truth
    children: tuple["Result", ...]
    values: Values
    scale: str | None

    @cached_property
    def needs(self) -> tuple[Need, ...]:
        """What is missing below, where it still matters."""
        if self.truth.settled:
            return ()
        if self.children:
            return tuple(dict.fromkeys(need for child in self.children for need in child.needs))
        name = self.node.variable
        if self.values.get(name) is not None:
            return (Need(name, "limit"),)
        other = scales.OTHER.get(name)
        return (Need(name, "scale" if other and self.values.get(other) is not None else "value"),)

    @cached_property
    def reason(self) -> str:
        """Why, in words."""
        if self.children:
            settling = [child.reason for child in self.children if self._decides(child)]
            return "; ".join(dict.fromkeys(settling or [child.reason for child in self.children]))
        name = self.node.variable
        value, says = self.values.get(name), variable(name).says
        if value is not None:
            kind = "value" if self.truth.settled else "limit"
            return fill("reason", kind, variable=says, value=say_value(value))
        other = scales.OTHER.get(name)
        if other is None or self.values.get(other) is None:
            return fill("reason", "missing", variable=says)
        parts = {"other": variable(other).says, "value": self.values[other], "scale": self.scale}
        if self.scale is None:
            return fill("reason", "scale", **parts)
        band = scales.band(self.scale, other, self.values[other])
        parts["band"] = f"{says} {' or '.join(map(str, sorted(band)))}"
        return fill("reason", "converted" if self.truth.settled else "straddles", **parts)

    def _decides(self, child: "Result") -> bool:
        return child.truth is (~self.truth if self.node.negated else self.truth)

    def __str__(self) -> str:
        return f"{say(self.node)}: {self.truth.name.lower()} ({self.reason})"


def explain(node: Node, values: Values, scale: str | None = None) -> Result:
    """The node with verdict and reason at every node below it."""
    if not isinstance(node, Group):
        return Result(node, holds(node, values, scale), (), values, scale)
    children = tuple(explain(child, values, scale) for child in node.children)
    found = at_least(node.k, (child.truth for child in children))
    return Result(node, ~found if node.negated else found, children, values, scale)


# --- a trial -------------------------------------------------------------------------------------


class Kind(Enum):
    """The four verdicts. None of them says that somebody may enter."""

    EXCLUDED = auto()
    UNDECIDED = auto()
    TOO_LITTLE = auto()
    NOT_EXCLUDED = auto()


@dataclass(frozen=True)
class Outcome:
    """A requirement, whether it is met, and the result of its node."""

    clause: Clause
    met: Truth
    result: Result

    def __str__(self) -> str:
        kind = "required" if self.clause.wanted else "excludes"
        return fill("outcome", kind, line=say(self.clause.node), reason=self.result.reason)


@dataclass(frozen=True)
class Verdict:
    """What the computable criteria of one trial say of one patient; never that anybody may enter."""

    trial: str
    kind: Kind
    outcomes: tuple[Outcome, ...]
    judgement: tuple[Judgement, ...]

    @property
    def excluded_by(self) -> tuple[Outcome, ...]:
        return tuple(one for one in self.outcomes if one.met is Truth.FALSE)

    @property
    def undecided(self) -> tuple[Outcome, ...]:
        return tuple(one for one in self.outcomes if one.met is Truth.UNKNOWN)

    @property
    def needs(self) -> tuple[Need, ...]:
        """The missing values that keep requirements undecided."""
        return tuple(dict.fromkeys(need for one in self.undecided for need in one.result.needs))

    def __str__(self) -> str:
        return fill(
            "verdict",
            self.kind.name,
            reasons="; ".join(map(str, self.excluded_by)),
            needs=", ".join(map(str, self.needs)),
            n=len(self.outcomes),
            m=len(self.judgement),
        )


def evaluate(
    criteria: Criteria, patient: Patient, readings: Mapping[str, str] | None = None, scale: str | None = None
) -> Verdict:
    """A patient against a trial, under the chosen readings and table of conversion.

    What is settled against the patient is said first; a record that states no disease criterion
    passes nobody. Raises KeyError for an unknown reading or table.
    """
    if scale is not None and scale not in scales.tables():
        raise KeyError(f"no table of conversion {scale!r}; known: {', '.join(scales.tables())}")
    outcomes = []
    for clause in criteria.clauses(readings):
        result = explain(clause.node, patient, scale)
        outcomes.append(Outcome(clause, result.truth if clause.wanted else ~result.truth, result))
    together = all_of(one.met for one in outcomes)
    if together is Truth.FALSE:
        kind = Kind.EXCLUDED
    elif not criteria.states_disease:
        kind = Kind.TOO_LITTLE
    else:
        kind = Kind.UNDECIDED if together is Truth.UNKNOWN else Kind.NOT_EXCLUDED
    return Verdict(criteria.trial, kind, tuple(outcomes), criteria.judgement)

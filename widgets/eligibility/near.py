"""Near misses: the fewest changes after which a patient's values no longer exclude. Arithmetic, not advice."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from widgets.eligibility.evaluate import Criteria, Kind, Verdict, evaluate, meets
from widgets.eligibility.language import Clause, lines
from widgets.eligibility.logic import Truth
from widgets.eligibility.patient import NEVER, Measured, Patient, Value, Variable, variable
from widgets.eligibility.solve import Constraint, apart, domains, required, with_rules
from widgets.eligibility.units import ULN


@dataclass(frozen=True)
class Change:
    """One variable, its value now (None: unknown) and one that would do; `recoverable` if it may change at all.

    `because` holds the failed requirements that speak of it.
    """

    variable: str
    now: Value | None
    to: Value
    recoverable: bool
    because: tuple[Clause, ...]


@dataclass(frozen=True)
class NearMiss:
    """The changes, recoverable ones first. `fixed` are those that cannot happen: with any, the patient stays out."""

    trial: str
    changes: tuple[Change, ...]
    after: Verdict

    @property
    def fixed(self) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if not change.recoverable)

    @property
    def possible(self) -> bool:
        return not self.fixed


def near_miss(
    criteria: Criteria, patient: Patient, readings: Mapping[str, str] | None = None, scale: str | None = None
) -> NearMiss | None:
    """The fewest changes after which no criterion is failed; of equally few, the ones that can happen.

    None for a patient whom nothing excludes. A change that cannot happen (a history, an age) is only
    named where no way without it exists. Values that are unknown stay unknown. The result is checked
    by `evaluate`: `after` is its verdict on the changed patient.
    """
    clauses = criteria.clauses(readings)
    failed = [clause for clause in clauses if meets(clause, patient, scale) is Truth.FALSE]
    if not failed:
        return None
    final = {one.variable for clause in clauses for one in lines(clause.node) if not one.recoverable}
    constraints = with_rules(required(clause) for clause in clauses)
    changes: dict[str, Value] = {}
    for group in apart(constraints):
        clausal = [one for one in group if isinstance(one.about, Clause)]
        if any(one.test(patient, scale) is Truth.FALSE for one in clausal):
            changes |= _nearest(group, patient, final, scale)
    found = [
        Change(
            name, patient.get(name), value, name not in final, tuple(one for one in failed if name in one.variables)
        )
        for name, value in changes.items()
    ]
    found.sort(key=lambda change: not change.recoverable)
    after = evaluate(criteria, patient.with_(**changes), readings, scale)
    assert after.kind is not Kind.EXCLUDED, "a near miss that still fails"
    return NearMiss(criteria.trial, tuple(found), after)


def _nearest(group: list[Constraint], patient: Patient, final: set[str], scale: str | None) -> dict[str, Value]:
    """The cheapest changes of one group: fewest that cannot happen, then fewest, then smallest."""
    tries = domains(group)
    known_contradictions = [
        one for one in group if isinstance(one.about, str) and one.test(patient, None) is Truth.FALSE
    ]
    group = [one for one in group if one not in known_contradictions]
    failed = {name for one in group if one.test(patient, scale) is Truth.FALSE for name in one.variables}
    names = sorted(tries, key=lambda name: (name not in failed, len(tries[name]), name))
    ranked = {
        name: sorted(tries[name], key=lambda value: _distance(variable(name), patient.get(name), value))
        for name in names
    }
    best: list = [(float("inf"),), {}]

    def go(position: int, values: dict, changes: dict, cost: tuple[int, int, int]) -> None:
        if cost >= best[0]:
            return
        if position == len(names):
            if all(one.test(values, scale) is not Truth.FALSE for one in group):
                best[:] = [cost, dict(changes)]
            return
        name = names[position]
        pending = set(names[position + 1 :])
        touched = [one for one in group if name in one.variables]

        def fits() -> bool:
            return all(
                one.test(values, None if one.variables & pending else scale) is not Truth.FALSE for one in touched
            )

        now = patient.get(name)
        if now is not None:
            values[name] = now
        if fits():
            go(position + 1, values, changes, cost)
        for rank, value in enumerate(ranked[name]):
            if value == now:
                continue
            values[name] = changes[name] = value
            if fits():
                step = (cost[0] + (name in final), cost[1] + 1, cost[2] + rank)
                go(position + 1, values, changes, step)
        values.pop(name, None)
        changes.pop(name, None)

    go(0, {}, {}, (0, 0, 0))
    return best[1]


def _distance(known: Variable, now: Value | None, value: Value) -> float:
    if isinstance(now, int) and isinstance(value, int):
        return abs(now - value)
    if isinstance(now, Measured) and isinstance(value, Measured):
        gap = _gap(known, now, value)
        return float(abs(gap)) if gap is not None else 0.0
    return 1.0 if value == NEVER else 0.0


def _gap(known: Variable, now: Measured, value: Measured) -> Fraction | None:
    """How far apart two measured values are, in the unit of the second; None where that cannot be told."""
    have, want = now.quantity, value.quantity
    if have.unit == want.unit:
        return Fraction(have.value) - Fraction(want.value)
    if ULN not in (have.unit, want.unit):
        return known.convert(have, want.unit) - Fraction(want.value)
    if want.unit == ULN and now.limit is not None:
        return known.convert(have) / known.convert(now.limit) - Fraction(want.value)
    return None

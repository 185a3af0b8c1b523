"""Looking for a patient: one who meets given requirements, or the nearest one to a patient who does not.

Every bound cuts the values of its variable into finitely many pieces in which all criteria answer
alike; one value of each piece (and each bound itself) is tried. Requirements that share no variable
are settled apart. Within a group of them values are set one after another, and Kleene's logic tells
early that a requirement can no longer be met, because what is not set yet counts as unknown. So the
answer is exact: if nobody is found, nobody can be.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import count

from widgets.eligibility import scales
from widgets.eligibility.evaluate import Values, meets
from widgets.eligibility.language import Bound, Clause, OneOf, Within, lines
from widgets.eligibility.logic import Truth, truth
from widgets.eligibility.patient import NEVER, Ago, Measured, Patient, Value, Variable, variable
from widgets.eligibility.units import ULN, Quantity
from widgets.eligibility.wording import fill

Test = Callable[[Values, str | None], Truth]


@dataclass(frozen=True)
class Constraint:
    """Something that must be true of a patient. `about` is the clause, or the name of the rule."""

    about: Clause | str
    variables: frozenset[str]
    test: Test


def required(clause: Clause, met: bool = True) -> Constraint:
    """The clause as a constraint: that it is met, or that it is not."""
    names = clause.variables
    if names & scales.OTHER.keys():
        names = names | scales.OTHER.keys()
    if met:
        return Constraint(clause, names, lambda values, scale: meets(clause, values, scale))
    return Constraint(clause, names, lambda values, scale: ~meets(clause, values, scale))


# --- what no patient can be ----------------------------------------------------------------------


def _both(one: str, other: str, fits: Callable[[Value, Value], bool]) -> Test:
    def test(values: Values, scale: str | None) -> Truth:
        left, right = values.get(one), values.get(other)
        return truth(None if left is None or right is None else fits(left, right))

    return test


def _length(value: Measured) -> Fraction:
    return value.quantity.inside("cm")


def _none_means_never(kind: Value, last: Value) -> bool:
    return (kind == "none") == (last == NEVER)


def _resected_means_done(tumour: Value, done: Value) -> bool:
    return tumour.startswith("resected") == (done != NEVER)


_RULES: tuple[tuple[str, str, str, Callable], ...] = (
    ("pregnant", "sex", "pregnant", lambda sex, yes: not (yes and sex == "male")),
    ("breast_feeding", "sex", "breast_feeding", lambda sex, yes: not (yes and sex == "male")),
    ("brain", "brain_metastases", "extrahepatic_disease", lambda brain, outside: outside or not brain),
    ("remaining", "liver_metastases_remaining", "liver_metastases", lambda left, all_: left <= all_),
    ("resect", "lesions_to_resect", "liver_metastases", lambda part, all_: part <= all_),
    ("ablate", "largest_lesion_to_ablate", "largest_metastasis", lambda one, top: _length(one) <= _length(top)),
    ("nyha", "nyha", "heart_failure", lambda grade, failure: (grade == 0) == (failure == "none")),
    ("malignancy", "other_malignancy", "other_malignancy_evidence", _none_means_never),
    ("infection", "infection_grade", "infection_uncontrolled", lambda grade, wild: grade > 0 or not wild),
    ("lines", "current_line", "systemic_lines", lambda now, so_far: now <= so_far),
    ("primary", "primary_tumour", "primary_resection", _resected_means_done),
    ("scales", "ecog", "karnofsky", scales.agree),
)  # fmt: skip
RULES = tuple(Constraint(name, frozenset((a, b)), _both(a, b, fits)) for name, a, b, fits in _RULES)


def contradictions(patient: Patient) -> list[str]:
    """What in the entries cannot be true together, one sentence each; unknown entries contradict nothing."""
    return [fill("rules", rule.about) for rule in RULES if rule.test(patient, None) is Truth.FALSE]


_ORDERED = (
    {"liver_metastases", "liver_metastases_remaining", "lesions_to_resect"},
    {"largest_metastasis", "largest_lesion_to_ablate"},
    {"systemic_lines", "current_line"},
)


# --- the values worth trying ---------------------------------------------------------------------


def domain(known: Variable, clauses: Iterable[Clause]) -> list[Value]:
    """Values of a variable such that every patient is matched, for these clauses, by one who has one of them."""
    # Variables that a rule puts in order share their cuts, so that equal values are among those tried.
    names = next((group for group in _ORDERED if known.name in group), {known.name})
    found = [one.predicate for clause in clauses for one in lines(clause.node) if one.variable in names]
    if known.kind == "yes_no":
        return [False, True]
    if known.kind == "choice":
        return list(known.of)
    if known.kind == "whole":
        return _whole_numbers(known, found)
    if known.kind == "event":
        times = [one.time for one in found if isinstance(one, Within) and one.time]
        units = {time.unit for time in times}
        code = units.pop() if len(units) == 1 else "d"
        numbers = _pieces(
            [time.inside(code) for time in times], Fraction(0), Quantity(Decimal(100), "a").inside(code)
        )
        return [NEVER, *(Ago(Quantity(number, code)) for number in numbers)]
    bounds = [one.quantity for one in found if isinstance(one, Bound)]
    low, high = map(Fraction, known.range)
    ratios = _pieces([Fraction(one.value) for one in bounds if one.unit == ULN], Fraction(0), Fraction(100))
    plain = _pieces([known.convert(one) for one in bounds if one.unit != ULN], low, high)
    if all(one.unit != ULN for one in bounds):
        return [Measured(Quantity(number, known.unit)) for number in plain]
    if all(one.unit == ULN for one in bounds):
        return [Measured(Quantity(ratio, ULN)) for ratio in ratios]
    # Bounds of both kinds: every pair of a multiple and a value, joined by the limit that makes them one.
    return [
        Measured(Quantity(ratio, ULN), Quantity(number / ratio, known.unit))
        for ratio in ratios
        for number in plain
        if ratio and number and number / ratio * ratio == number
    ]


def _whole_numbers(known: Variable, found: list) -> list[int]:
    low, high = map(int, known.range)
    cuts = {low, high}
    for one in found:
        numbers = (
            [int(one.quantity.value)]
            if isinstance(one, Bound)
            else map(int, one.words)
            if isinstance(one, OneOf)
            else ()
        )
        for number in numbers:
            cuts |= {number - known.step, number, number + known.step}
    if known.name in scales.OTHER or high - low <= 12:
        return list(range(low, high + 1, known.step))
    return sorted(cut for cut in cuts if low <= cut <= high)


def _pieces(bounds: Iterable[Fraction], low: Fraction, high: Fraction) -> list[Decimal]:
    """Each bound, and one round number between each two neighbours and beyond the ends."""
    cuts = sorted({bound for bound in bounds if low <= bound <= high})
    numbers = []
    for left, right in zip([low - 1, *cuts], [*cuts, high + 1], strict=True):
        inside = _between(max(left, low) if left < low else left, right, left < low, right > high, high)
        if inside is not None:
            numbers.append(inside)
        if right <= high:
            numbers.append(Decimal(right.numerator) / Decimal(right.denominator))
    return numbers


def _between(
    left: Fraction, right: Fraction, closed_left: bool, closed_right: bool, high: Fraction
) -> Decimal | None:
    """A number with few digits between two bounds (an end of the range itself belongs to it)."""
    right = high if closed_right else right
    if left > right or (left == right and not (closed_left and closed_right)):
        return None
    middle = (left + right) / 2 if not closed_right else left + min((right - left) / 2, max(left / 5, Fraction(1)))
    for places in count():
        number = Fraction(round(middle * 10**places), 10**places)
        if (left < number or (closed_left and left == number)) and (
            number < right or (closed_right and number == right)
        ):
            return Decimal(number.numerator) / Decimal(number.denominator)
    return None


# --- the search ----------------------------------------------------------------------------------


def apart(constraints: Iterable[Constraint]) -> list[list[Constraint]]:
    """The constraints in groups that share no variable."""
    groups: list[tuple[set[str], list[Constraint]]] = []
    for one in constraints:
        joined = [group for group in groups if group[0] & one.variables]
        names = set(one.variables).union(*(group[0] for group in joined))
        members = [member for group in joined for member in group[1]]
        groups = [group for group in groups if group not in joined]
        groups.append((names, [*members, one]))
    return [members for _, members in groups]


def domains(constraints: Iterable[Constraint]) -> dict[str, list[Value]]:
    """The values worth trying, by variable."""
    constraints = list(constraints)
    clauses = [one.about for one in constraints if isinstance(one.about, Clause)]
    names = sorted({name for one in constraints for name in one.variables})
    return {name: domain(variable(name), clauses) for name in names}


def with_rules(constraints: Iterable[Constraint]) -> list[Constraint]:
    """The constraints, and the rules between the variables they speak of."""
    constraints = list(constraints)
    names = frozenset().union(*(one.variables for one in constraints)) if constraints else frozenset()
    return [*constraints, *(rule for rule in RULES if rule.variables <= names)]


def find(constraints: Iterable[Constraint], scale: str | None = None) -> dict[str, Value] | None:
    """Values under which all constraints are true; None if there are none."""
    found: dict[str, Value] = {}
    for group in apart(with_rules(constraints)):
        tries = domains(group)
        part = _assign(group, tries, {}, sorted(tries, key=lambda name: len(tries[name])), scale)
        if part is None:
            return None
        found |= part
    return found


def _assign(
    group: list[Constraint], tries: Mapping[str, list[Value]], values: dict, rest: list[str], scale
) -> dict | None:
    if not rest:
        return dict(values) if all(one.test(values, scale) is Truth.TRUE for one in group) else None
    name, *later = rest
    touched = [one for one in group if name in one.variables]
    for value in tries[name]:
        values[name] = value
        if all(one.test(values, None) is not Truth.FALSE for one in touched):
            found = _assign(group, tries, values, later, scale)
            if found is not None:
                return found
        del values[name]
    values.pop(name, None)
    return None


def conflict(constraints: Iterable[Constraint], scale: str | None = None) -> list[Constraint]:
    """A smallest-by-removal set of constraints that nobody can meet together; empty if somebody can."""
    for group in apart(with_rules(constraints)):
        if find(group, scale) is not None:
            continue
        core = [one for one in group if isinstance(one.about, Clause)]
        for one in list(core):
            without = [other for other in core if other is not one]
            if find(without, scale) is None:
                core = without
        return core
    return []

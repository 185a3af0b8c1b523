"""Trials side by side: which requirement is stricter, and can one patient enter both?

Requirements are compared by what they admit, not by their wording: one is stricter than another when
every patient who meets it meets the other, and not the reverse. So 9 g/dL and 90 g/L are the same,
and `creatinine ≤ 1.5 × ULN or clearance > 50 mL/min` is looser than `creatinine ≤ 1 × ULN`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from widgets.eligibility.evaluate import Kind, Verdict, evaluate, meets
from widgets.eligibility.language import Clause, Criteria, Criterion, Unrestricted, lines, walk
from widgets.eligibility.logic import Truth, all_of
from widgets.eligibility.patient import Patient, variable
from widgets.eligibility.scales import tables
from widgets.eligibility.solve import conflict, find, required
from widgets.eligibility.wording import words

Chosen = Mapping[str, Mapping[str, str]]  # trial → dispute → reading


class Relation(Enum):
    """What the second trial asks, seen from the first."""

    SAME = auto()
    STRICTER = auto()
    LOOSER = auto()
    DIFFERENT_VARIABLE = auto()
    OPPOSED = auto()
    NOT_COMPARABLE = auto()
    NOT_STATED = auto()

    def __str__(self) -> str:
        return words()["relation"][self.name]


@dataclass(frozen=True)
class Cell:
    """What one trial asks about a topic: requirements, and lines that say there is no restriction."""

    trial: str
    clauses: tuple[Clause, ...] = ()
    unrestricted: tuple[Criterion, ...] = ()

    @property
    def stated(self) -> bool:
        return bool(self.clauses) or any(one.predicate.stated for one in self.unrestricted)

    def own_variables(self, names: frozenset[str]) -> frozenset[str]:
        """The variables of a topic that this trial speaks of."""
        spoken = [one.variables for one in self.clauses] + [frozenset({one.variable}) for one in self.unrestricted]
        return frozenset().union(*spoken) & names


@dataclass(frozen=True)
class Row:
    """One topic: the first trial's cell, the others', and the relation of each other trial to the first."""

    topic: str
    cells: tuple[Cell, ...]
    relations: tuple[Relation, ...]


def compare(
    first: Criteria, *others: Criteria, readings: Chosen | None = None, scale: str | None = None
) -> list[Row]:
    """Trials aligned by topic; each other trial is set against the first.

    A relation reads "the other is … than the first"; NOT_STATED means that one of the two is silent.
    `readings` chooses among disputed readings, by trial; `scale` a table between ECOG and Karnofsky,
    without which the two are not comparable.
    """
    readings = readings or {}
    trials = (first, *others)
    by_topic = [_topics(one, readings.get(one.trial)) for one in trials]
    rows = []
    for topic in dict.fromkeys(topic for cells in by_topic for topic in cells):
        cells = tuple(found.get(topic, Cell(one.trial)) for one, found in zip(trials, by_topic, strict=True))
        relations = tuple(_relation(topic, cells[0], cell, scale) for cell in cells[1:])
        rows.append(Row(topic, cells, relations))
    return rows


def relation(
    one: Clause | tuple[Clause, ...], other: Clause | tuple[Clause, ...], scale: str | None = None
) -> Relation:
    """The other requirement seen from the one: SAME, STRICTER, LOOSER, OPPOSED or NOT_COMPARABLE."""
    one = (one,) if isinstance(one, Clause) else one
    other = (other,) if isinstance(other, Clause) else other
    forward, backward = _implies(one, other, scale), _implies(other, one, scale)
    if forward and backward:
        return Relation.SAME
    if forward or backward:
        return Relation.LOOSER if forward else Relation.STRICTER
    opposed = find(map(required, (*one, *other)), scale) is None
    return Relation.OPPOSED if opposed else Relation.NOT_COMPARABLE


def _implies(some: tuple[Clause, ...], others: tuple[Clause, ...], scale: str | None) -> bool:
    """Whether nobody meets all of the first and fails one of the second."""
    given = [required(clause) for clause in some]
    return all(find([*given, required(clause, met=False)], scale) is None for clause in others)


def _topics(criteria: Criteria, readings: Mapping[str, str] | None) -> dict[str, Cell]:
    found: dict[str, tuple[list, list]] = {}
    for clause in criteria.clauses(readings):
        for topic in dict.fromkeys(_topic(clause, name) for name in sorted(clause.variables)):
            found.setdefault(topic, ([], []))[0].append(clause)
    for node in criteria.nodes:
        for one in walk(node):
            if isinstance(one, Criterion) and isinstance(one.predicate, Unrestricted):
                found.setdefault(variable(one.variable).matter, ([], []))[1].append(one)
    return {topic: Cell(criteria.trial, tuple(some), tuple(free)) for topic, (some, free) in found.items()}


def _topic(clause: Clause, name: str) -> str:
    """The topic of a variable; of some, a lower and an upper limit are two matters."""
    known = variable(name)
    if known.sides:
        bounds = [one.predicate.operator[0] for one in lines(clause.node) if one.variable == name]
        side = {"<": "upper limit", ">": "lower limit"}.get(bounds[0]) if len(set(bounds)) == 1 else None
        return f"{known.matter}, {side}" if side else known.matter
    return known.matter


def _relation(topic: str, one: Cell, other: Cell, scale: str | None) -> Relation:
    if not (one.stated and other.stated):
        return Relation.NOT_STATED
    if not one.clauses and not other.clauses:
        return Relation.SAME
    names = frozenset(
        name
        for clause in (*one.clauses, *other.clauses)
        for name in clause.variables
        if _topic(clause, name) == topic
    )
    mine, theirs = one.own_variables(names), other.own_variables(names)
    if mine and theirs and not mine & theirs:
        if names <= {"ecog", "karnofsky"}:
            return _scales(one, other, scale)
        return Relation.DIFFERENT_VARIABLE
    return relation(one.clauses, other.clauses, scale)


def _scales(one: Cell, other: Cell, scale: str | None) -> Relation:
    """ECOG against Karnofsky: by the chosen table, each value of one scale standing for its band of the other."""
    if scale is None:
        return Relation.NOT_COMPARABLE
    pairs = [(ecog, index) for row in tables()[scale] for ecog in row[0] for index in row[1]]
    answers = []
    for ecog, index in pairs:
        values = {"ecog": ecog, "karnofsky": index}
        answers.append(
            tuple(all_of(meets(clause, values) for clause in cell.clauses) is Truth.TRUE for cell in (one, other))
        )
    forward = all(theirs for mine, theirs in answers if mine)
    backward = all(mine for mine, theirs in answers if theirs)
    if forward and backward:
        return Relation.SAME
    return Relation.STRICTER if backward else Relation.LOOSER if forward else Relation.NOT_COMPARABLE


# --- can one patient satisfy both? ---------------------------------------------------------------


@dataclass(frozen=True)
class Overlap:
    """Whether one patient can meet the computable criteria of all trials named.

    Where one can, `witness` is such a patient, and `verdicts` what `evaluate` says of it for each
    trial. Where none can, `cause` holds requirements that nobody meets together. `silent` names the
    trials that state too little: they set the witness no limits of disease.
    """

    trials: tuple[str, ...]
    witness: Patient | None
    verdicts: tuple[Verdict, ...]
    cause: tuple[Clause, ...]
    silent: tuple[str, ...]

    @property
    def empty(self) -> bool:
        return self.witness is None


def overlap(*trials: Criteria, readings: Chosen | None = None, scale: str | None = None) -> Overlap:
    """Search for one patient who is not excluded from any of the trials; exact in both directions."""
    readings = readings or {}
    constraints = [required(clause) for one in trials for clause in one.clauses(readings.get(one.trial))]
    names = tuple(one.trial for one in trials)
    silent = tuple(one.trial for one in trials if not one.states_disease)
    values = find(constraints, scale)
    if values is None:
        cause = tuple(one.about for one in conflict(constraints, scale))
        return Overlap(names, None, (), cause, silent)
    witness = Patient(**values)
    verdicts = tuple(evaluate(one, witness, readings.get(one.trial), scale) for one in trials)
    assert all(one.kind in (Kind.NOT_EXCLUDED, Kind.TOO_LITTLE) for one in verdicts), "a witness who is excluded"
    return Overlap(names, witness, verdicts, (), silent)

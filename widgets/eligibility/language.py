"""The language of criteria: one readable line each, trees by indentation, checked as it is read.

A line says what is required, how far we interpreted, where it stands and the figures as written:

    creatinine <= 1.5 {ULN}                              @ incl.10.6  "≤ 1.5 * ULN"
    not myocardial_infarction within 12 mo               @ cardiovascular.5  "past 12 months"
    pao2 < 60 mm[Hg] (at rest)  [interpreted]            @ excl.10  "PaO2 < 60 mmHg"

Around lines stand the trees `all`, `any`, `at_least k`, `unless all` (an exclusion that negates a
list of inclusion bounds) and `readings <id>` (a dispute about AND and OR, for the reader to choose).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Literal

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedInput, VisitError
from pydantic import Field

from widgets.eligibility.patient import ENTRY, Variable, variable
from widgets.eligibility.units import Quantity
from widgets.records.library import DATA, Records, checked, records
from widgets.records.reading import Document, Location, RecordError, read
from widgets.records.schema import Identifier, Record, SourceId, Text

GRAMMAR = r"""
start: negation? predicate QUALIFIER? tag* mark+
negation: "not"
?predicate: bound | one_of | state | within | ever | unrestricted | not_specified
bound: NAME OPERATOR NUMBER UNIT?
one_of: NAME "in" "{" WORD ("," WORD)* "}"
state: NAME "is" WORD
within: NAME "within" BEFORE? NUMBER UNIT ("of" NAME)?
ever: NAME "ever"
unrestricted: NAME "unrestricted"
not_specified: NAME "not_specified"
tag: "[" TAG "]"
mark: "@" PLACE ("," PLACE)* WRITTEN?

NAME: /[a-z][a-z0-9_]*/
OPERATOR: "<=" | ">=" | "<" | ">" | "="
BEFORE: "<"
NUMBER: /\d+(\.\d+)?/
UNIT: /[^\s@"(\[,][^\s@"(,]*/
WORD: /\w+/
QUALIFIER: /\([^)]+\)/
TAG: "verbatim" | "normalised" | "interpreted" | "recoverable" | "final"
PLACE: /[A-Za-z0-9][\w.:-]*/
WRITTEN: /"[^"]+"/
%ignore /[ \t]+/
"""
_NAMES = {
    "NAME": "a variable", "OPERATOR": "<, <=, =, >= or >", "NUMBER": "a number", "UNIT": "a UCUM unit",
    "WORD": "a word", "QUALIFIER": "a qualifier in parentheses", "PLACE": "a place such as incl.10.1",
    "WRITTEN": "the figures as written, in double quotes", "LSQB": "a tag in brackets", "BEFORE": "<",
    "TAG": "verbatim, normalised, interpreted, recoverable or final", "__ANON_0": "@", "$END": "the end of the line",
}  # fmt: skip
INTERPRETED = ("verbatim", "normalised", "interpreted")


# --- the typed tree ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bound:
    """variable, operator, number with unit."""

    variable: str
    operator: Literal["<", "<=", "=", ">=", ">"]
    quantity: Quantity

    def __str__(self) -> str:
        return f"{self.variable} {self.operator} {self.quantity}"


@dataclass(frozen=True)
class OneOf:
    """variable in {words}; for yes_no variables the words are yes and no."""

    variable: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        if len(self.words) == 1:
            return f"{self.variable} is {self.words[0]}"
        return f"{self.variable} in {{{', '.join(self.words)}}}"


@dataclass(frozen=True)
class Within:
    """The event happened at most (`strict`: less than) this long before its anchor; without a time: ever."""

    variable: str
    time: Quantity | None
    strict: bool
    anchor: str

    def __str__(self) -> str:
        if self.time is None:
            return f"{self.variable} ever"
        end = "" if self.anchor == ENTRY else f" of {self.anchor}"
        return f"{self.variable} within {'< ' if self.strict else ''}{self.time}{end}"


@dataclass(frozen=True)
class Unrestricted:
    """The source says that it sets no limit (`stated`), or that it specifies none."""

    variable: str
    stated: bool

    def __str__(self) -> str:
        return f"{self.variable} {'unrestricted' if self.stated else 'not_specified'}"


Predicate = Bound | OneOf | Within | Unrestricted


@dataclass(frozen=True)
class Mark:
    """Where it stands: the source, the places in it, and the figures as written there."""

    source: str
    places: tuple[str, ...]
    as_written: str | None = None


@dataclass(frozen=True)
class Criterion:
    """One line. `negated` is the line's own `not`; `line` and `column` say where it stands in its file."""

    predicate: Predicate
    negated: bool
    qualifier: str | None
    recoverable: bool
    interpretation: Literal["verbatim", "normalised", "interpreted"]
    marks: tuple[Mark, ...]
    line: int = 0
    column: int = 0

    @property
    def variable(self) -> str:
        return self.predicate.variable

    def __str__(self) -> str:
        qualifier = f" ({self.qualifier})" if self.qualifier else ""
        return f"{'not ' if self.negated else ''}{self.predicate}{qualifier}"


@dataclass(frozen=True)
class Group:
    """At least `k` of the children hold; `all` is k = their number, `any` k = 1. `negated`: unless they do."""

    kind: Literal["all", "any", "at_least"]
    k: int
    children: tuple["Node", ...]
    negated: bool = False

    def __str__(self) -> str:
        head = f"at_least {self.k}" if self.kind == "at_least" else self.kind
        return f"{'unless ' if self.negated else ''}{head}({'; '.join(map(str, self.children))})"


@dataclass(frozen=True)
class Readings:
    """Several readings of one disputed sentence, by name; the first is taken unless the reader chooses."""

    id: str
    question: str
    options: Mapping[str, "Node"] = field(hash=False)

    def __str__(self) -> str:
        return f"readings {self.id}({' | '.join(self.options)})"


Node = Criterion | Group | Readings


@dataclass(frozen=True)
class Judgement:
    """An item that is listed and never computed, and why."""

    places: tuple[str, ...]
    kind: str
    says: str
    why: str


@dataclass(frozen=True)
class Clause:
    """One requirement of a trial: `node` must hold (or, where `wanted` is False, must not hold).

    All clauses of a trial must be met; taken together they are its computable criteria.
    """

    trial: str
    number: int
    role: Literal["inclusion", "exclusion", "exclusion complement"]
    node: Node
    wanted: bool

    @property
    def id(self) -> str:
        return f"{self.trial}.{self.number}"

    def __str__(self) -> str:
        return f"{self.node}" if self.wanted else f"not {self.node}"

    @property
    def variables(self) -> frozenset[str]:
        return frozenset(one.variable for one in lines(self.node))


@dataclass(frozen=True)
class Criteria:
    """Who may enter one trial, as its sources state it."""

    trial: str
    source: str
    places: tuple[str, ...]
    inclusion: tuple[Node, ...]
    exclusion: tuple[Node, ...]
    judgement: tuple[Judgement, ...]
    headings: Mapping[str, str] = field(hash=False)
    notes: Mapping[str, str] = field(hash=False)

    @property
    def nodes(self) -> tuple[Node, ...]:
        return (*self.inclusion, *self.exclusion)

    @property
    def disputes(self) -> dict[str, Readings]:
        """The disputed sentences by id."""
        return {one.id: one for node in self.nodes for one in walk(node) if isinstance(one, Readings)}

    @property
    def states_disease(self) -> bool:
        """Whether any criterion is about the disease; without one nobody can pass."""
        about = {"disease", "liver", "extrahepatic"}
        return any(
            variable(one.variable).section in about and not isinstance(one.predicate, Unrestricted)
            for node in self.nodes
            for one in lines(node)
        )

    def clauses(self, readings: Mapping[str, str] | None = None) -> tuple[Clause, ...]:
        """The requirements, one by one, under the chosen readings (dispute id → reading's name).

        Raises KeyError for an unknown dispute or reading, naming the known ones.
        """
        readings = dict(readings or {})
        for name, choice in readings.items():
            if name not in self.disputes:
                raise KeyError(f"{self.trial} has no dispute {name!r}; known: {', '.join(self.disputes) or 'none'}")
            if choice not in self.disputes[name].options:
                raise KeyError(f"{name} has no reading {choice!r}; known: {', '.join(self.disputes[name].options)}")
        found: list[tuple[str, Node, bool]] = []
        for node in self.inclusion:
            _split(settle(node, readings), True, "inclusion", found)
        for node in self.exclusion:
            _split(settle(node, readings), False, "exclusion", found)
        return tuple(Clause(self.trial, number, *one) for number, one in enumerate(found, start=1))


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it."""
    yield node
    below = node.children if isinstance(node, Group) else node.options.values() if isinstance(node, Readings) else ()
    for child in below:
        yield from walk(child)


def lines(node: Node) -> Iterator[Criterion]:
    """The lines of a node."""
    return (one for one in walk(node) if isinstance(one, Criterion))


def settle(node: Node, readings: Mapping[str, str]) -> Node:
    """The node with every dispute replaced by the chosen reading (default: the first)."""
    if isinstance(node, Readings):
        chosen = readings.get(node.id) or next(iter(node.options))
        return settle(node.options[chosen], readings)
    if isinstance(node, Group):
        return Group(node.kind, node.k, tuple(settle(child, readings) for child in node.children), node.negated)
    return node


def _split(node: Node, wanted: bool, role: str, found: list) -> None:
    """Split what must hold together into single requirements (all of; none of any)."""
    if isinstance(node, Group):
        if node.negated:
            node = Group(node.kind, node.k, node.children)
            wanted, role = not wanted, "exclusion complement" if role == "exclusion" else role
        if node.kind == ("all" if wanted else "any"):
            for child in node.children:
                _split(child, wanted, role, found)
            return
    elif isinstance(node.predicate, Unrestricted):
        return
    found.append((role, node, wanted))


# --- reading a line ------------------------------------------------------------------------------


class CriterionError(ValueError):
    """A line that does not say a criterion: column (from 1) and what was expected there."""

    def __init__(self, column: int, message: str):
        self.column = column
        super().__init__(message)


@cache
def _parser() -> Lark:
    return Lark(GRAMMAR, parser="lalr", propagate_positions=True)


def parse(text: str, source: str = "", line: int = 0, column: int = 1) -> Criterion:
    """Read one line. `source` is meant where a place names none.

    Raises CriterionError with the column in `text` and what was expected there.
    """
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as problem:
        raise CriterionError(_column(problem, text), _expectation(problem, text)) from None
    try:
        return _Builder(source, line, column).transform(tree)
    except VisitError as problem:
        raise problem.orig_exc from None


def _column(problem: UnexpectedInput, text: str) -> int:
    token = getattr(problem, "token", None)
    if token is not None and token.type == "$END":
        return len(text) + 1
    return problem.column


def _expectation(problem: UnexpectedInput, text: str) -> str:
    terminals = _parser().terminals
    literal = {one.name: one.pattern.value for one in terminals if one.pattern.type == "str"}
    wanted = getattr(problem, "allowed", None) or getattr(problem, "expected", None) or ()
    words = sorted({_NAMES.get(name) or literal.get(name, name) for name in wanted})
    rest = text[_column(problem, text) - 1 :].strip()
    found = f"found {rest.split()[0]!r}" if rest else "the line ended"
    return f"expected {' or '.join(words)}; {found}"


class _Builder(Transformer):
    """Turns lark's tree into a Criterion, checking every word against the variables."""

    def __init__(self, source: str, line: int, column: int):
        super().__init__()
        self.source, self.line, self.offset = source, line, column

    def negation(self, _):
        return "not"

    def tag(self, parts):
        return ("tag", parts[0])

    def mark(self, parts):
        written = parts.pop()[1:-1] if parts[-1].type == "WRITTEN" else None
        sources = {part.partition(":")[0] if ":" in part else self.source for part in parts}
        if len(sources) > 1:
            raise CriterionError(parts[1].column, "places of one mark stand in one source; begin another mark with @")
        return Mark(sources.pop(), tuple(str(part).rpartition(":")[2] for part in parts), written)

    def bound(self, parts):
        name, operator, number, *code = parts
        known = _known(name)
        if known.kind not in ("quantity", "whole"):
            raise CriterionError(operator.column, f"{name} is no number; expected {_asks(known)}")
        if not code and known.unit != "1":
            end = number.column + len(number)
            raise CriterionError(end, f"expected a unit that converts to {known.unit}; found none")
        quantity = Quantity(Decimal(number), str(code[0]) if code else "1")
        if code and not known.takes(quantity.unit):
            more = " or {ULN}" if known.limit else ""
            raise CriterionError(
                code[0].column, f"expected a unit that converts to {known.unit}{more}; found {str(code[0])!r}"
            )
        return Bound(str(name), str(operator), quantity)

    def one_of(self, parts):
        name, *words = parts
        known = _known(name)
        choices = _words(known)
        if not choices:
            raise CriterionError(words[0].column, f"{name} is not a choice of words; expected {_asks(known)}")
        for word in words:
            if word not in choices:
                raise CriterionError(word.column, f"expected one of {', '.join(choices)}; found {str(word)!r}")
        return OneOf(str(name), tuple(map(str, words)))

    state = one_of

    def within(self, parts):
        strict = parts[1].type == "BEFORE"
        name, number, code, *anchor = parts[:1] + parts[2:] if strict else parts
        known = _known(name)
        if known.kind != "event":
            raise CriterionError(name.column, f"{name} is no event; expected {_asks(known)}")
        if not known.takes(code):
            raise CriterionError(code.column, f"expected a unit of time (d, wk, mo, a); found {str(code)!r}")
        given = str(anchor[0]) if anchor else ENTRY
        if given != known.anchor:
            where = anchor[0].column if anchor else code.column + len(code)
            raise CriterionError(where, f"{name} is counted from {known.anchor}: expected 'of {known.anchor}'")
        return Within(str(name), Quantity(Decimal(number), str(code)), strict, given)

    def ever(self, parts):
        known = _known(parts[0])
        if known.kind != "event":
            raise CriterionError(parts[0].column, f"{known.name} is no event; expected {_asks(known)}")
        return Within(known.name, None, False, known.anchor)

    def unrestricted(self, parts):
        return Unrestricted(_known(parts[0]).name, True)

    def not_specified(self, parts):
        return Unrestricted(_known(parts[0]).name, False)

    def start(self, parts):
        negated = parts[0] == "not"
        predicate, *rest = parts[negated:]
        qualifier = next((str(part)[1:-1] for part in rest if isinstance(part, Token)), None)
        tags = [str(part[1]) for part in rest if isinstance(part, tuple) and part[0] == "tag"]
        levels = [tag for tag in tags if tag in INTERPRETED]
        ends = [tag for tag in tags if tag not in INTERPRETED]
        default = "verbatim" if isinstance(predicate, Bound | Within) else "normalised"
        recoverable = variable(predicate.variable).recovers if not ends else ends[0] == "recoverable"
        marks = tuple(part for part in rest if isinstance(part, Mark))
        level = levels[0] if levels else default
        return Criterion(predicate, negated, qualifier, recoverable, level, marks, self.line, self.offset)


def _known(name: Token) -> Variable:
    try:
        return variable(str(name))
    except KeyError as problem:
        raise CriterionError(name.column, f"expected a variable of data/variables.yaml; {problem.args[0]}") from None


def _words(known: Variable) -> tuple[str, ...]:
    if known.kind == "yes_no":
        return ("yes", "no")
    if known.kind == "whole":
        return tuple(str(number) for number in range(int(known.range[0]), int(known.range[1]) + 1, known.step))
    return known.of


def _asks(known: Variable) -> str:
    return {
        "yes_no": f"'{known.name} is yes' or 'is no'",
        "choice": f"'{known.name} in {{…}}' with words of {', '.join(known.of)}",
        "event": f"'{known.name} within 12 mo'",
    }.get(known.kind, f"'{known.name} <= … {known.unit}'")


# --- reading a file ------------------------------------------------------------------------------


class CriteriaError(RecordError):
    """A criteria file that says something it must not; names file, line, column and what was expected."""

    def __init__(self, path: Path, line: int, column: int, message: str):
        ValueError.__init__(self, f"{path.name}, line {line}, column {column}: {message}")
        self.path, self.line, self.column, self.field = path, line, column, ""


class _Judged(Record):
    place: Text | list[Text]
    kind: Literal["CONSENT", "COMPLIANCE", "TEAM", "DISCRETION", "UNDEFINED", "FORECAST"]
    says: Text
    why: Text


class _File(Record):
    trial: Identifier
    source: SourceId
    places: dict[Text, int]
    readings: dict[Identifier, Text] = Field(default_factory=dict)
    inclusion: list = Field(default_factory=list)
    exclusion: list = Field(default_factory=list)
    judgement: list[_Judged] = Field(default_factory=list)
    headings: dict[Text, Text] = Field(default_factory=dict)
    notes: dict[Text, Text] = Field(default_factory=dict)


def load(path: Path, library: Records | None = None) -> Criteria:
    """Read one file of data/criteria/.

    Raises RecordError (CriteriaError where a line is at fault) for the first thing wrong: a line that
    cannot be read, an unknown variable, unit, source or place, a place that nothing covers.
    """
    return _Loader(path, library or records()).load()


class _Loader:
    def __init__(self, path: Path, library: Records):
        self.document: Document = read(path)
        self.text = path.read_text(encoding="utf-8").splitlines()
        self.file: _File = checked(_File, self.document)
        self.library = library
        self.disputes: set[str] = set()

    def load(self) -> Criteria:
        file, document = self.file, self.document
        if file.trial != document.path.stem:
            raise document.error(("trial",), f"expected {document.path.stem}, as the file is named")
        if file.source not in self.library.sources:
            raise document.error(("source",), f"unknown source {file.source!r}")
        places = self._places()
        inclusion = self._list(("inclusion",), file.inclusion)
        exclusion = self._list(("exclusion",), file.exclusion)
        for name in file.readings:
            if name not in self.disputes:
                raise document.error(("readings", name), "asks about readings that no criterion offers")
        judgement = []
        for number, one in enumerate(file.judgement):
            spots = (one.place,) if isinstance(one.place, str) else tuple(one.place)
            judgement.append(Judgement(spots, one.kind, one.says, one.why))
            self._must_exist(("judgement", number, "place"), spots, places)
        criteria = Criteria(
            file.trial, file.source, places, inclusion, exclusion, tuple(judgement), file.headings, file.notes
        )
        for name in (*file.headings, *file.notes):
            where = ("headings" if name in file.headings else "notes", name)
            self._must_exist(where, (name,), places)
        self._cover(criteria)
        return criteria

    def _places(self) -> tuple[str, ...]:
        found = []
        for prefix, count in self.file.places.items():
            if count < 1:
                raise self.document.error(("places", prefix), f"expected the number of bullets, found {count}")
            found += [f"{prefix}.{number}" for number in range(1, count + 1)]
        return tuple(found)

    def _must_exist(self, location: Location, spots: tuple[str, ...], places: tuple[str, ...]) -> None:
        for spot in spots:
            if spot not in places:
                raise self.document.error(location, f"no place {spot!r}; `places` counts the bullets of the record")

    def _cover(self, criteria: Criteria) -> None:
        """Every bullet of the record is encoded, listed as judgement, or named as a heading."""
        encoded = {
            place
            for node in criteria.nodes
            for one in lines(node)
            for mark in one.marks
            if mark.source == criteria.source
            for place in mark.places
        }
        judged = {place for one in criteria.judgement for place in one.places}
        for place in criteria.places:
            if place not in encoded | judged | set(criteria.headings):
                prefix = place.rpartition(".")[0]
                message = f"{place} is neither encoded nor listed as judgement nor named as a heading"
                raise self.document.error(("places", prefix), message)

    def _list(self, location: Location, items: list) -> tuple[Node, ...]:
        return tuple(self._node((*location, number), item) for number, item in enumerate(items))

    def _node(self, location: Location, item) -> Node:
        if isinstance(item, str):
            return self._criterion(location, item)
        if not isinstance(item, dict) or len(item) != 1:
            raise self.document.error(location, "expected one line, or one of all, any, at_least k, readings")
        ((head, below),) = item.items()
        here = (*location, head)
        words = head.split()
        if words[0] == "readings" and len(words) == 2:
            return self._readings(here, words[1], below)
        if not isinstance(below, list) or not below:
            raise self.document.error(here, "expected an indented list of criteria")
        negated = words[0] == "unless"
        kind, *count = words[negated:] or [""]
        children = self._list(here, below)
        if kind in ("all", "any") and not count:
            return Group(kind, len(children) if kind == "all" else 1, children, negated)
        if kind == "at_least" and len(count) == 1 and count[0].isdigit() and 1 <= int(count[0]) <= len(children):
            return Group("at_least", int(count[0]), children, negated)
        raise self.document.error(
            here,
            f"expected all, any, at_least k (k up to {len(children)}), unless all or readings id; found {head!r}",
        )

    def _readings(self, location: Location, name: str, options) -> Readings:
        if name not in self.file.readings:
            raise self.document.error(location, f"`readings` does not say what the dispute {name!r} is about")
        if not isinstance(options, dict) or len(options) < 2:
            raise self.document.error(location, "expected two or more readings, each with a list of criteria")
        self.disputes.add(name)
        found = {}
        for option, items in options.items():
            if not isinstance(items, list):
                raise self.document.error((*location, option), "expected an indented list of criteria")
            nodes = self._list((*location, option), items)
            found[option] = nodes[0] if len(nodes) == 1 else Group("all", len(nodes), nodes)
        return Readings(name, self.file.readings[name], found)

    def _criterion(self, location: Location, text: str) -> Criterion:
        line = self.document.line(location)
        column = self.text[line - 1].find(text) + 1
        try:
            criterion = parse(text, self.file.source, line, column)
        except CriterionError as problem:
            raise CriteriaError(self.document.path, line, column + problem.column - 1, str(problem)) from None
        for mark in criterion.marks:
            if mark.source not in self.library.sources:
                message = f"unknown source {mark.source!r}; expected one of data/sources.yaml"
                raise CriteriaError(self.document.path, line, column + text.find(mark.source + ":"), message)
            if mark.source == self.file.source:
                for place in mark.places:
                    if place not in self._places():
                        where = column + text.rfind(place)
                        message = f"no place {place!r}; `places` counts the bullets of the record"
                        raise CriteriaError(self.document.path, line, where, message)
        return criterion


@cache
def criteria(folder: Path = DATA / "criteria") -> Mapping[str, Criteria]:
    """All criteria files by trial. Raises RecordError for the first thing wrong."""
    return {path.stem: load(path) for path in sorted(folder.glob("*.yaml"))}

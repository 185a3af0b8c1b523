"""The language: what it reads, and that each error names file, line, column and what was expected."""

# ruff: noqa: E501 (one case per line)

from decimal import Decimal

import pytest

from widgets.eligibility.language import (
    Bound,
    CriteriaError,
    CriterionError,
    Group,
    OneOf,
    Unrestricted,
    Within,
    criteria,
    lines,
    load,
    parse,
    settle,
    walk,
)  # fmt: skip
from widgets.eligibility.patient import variable
from widgets.eligibility.units import Quantity
from widgets.eligibility.wording import say, say_clause
from widgets.records.reading import RecordError

TRIALS = ["clocc", "epoc", "nct04562727", "nct06120127", "nct06449937"]


def test_a_line():
    one = parse(
        'not pao2 < 60 mm[Hg] (at rest) [interpreted] [final] @ excl.10, excl.11 "PaO2" @ epoc-2008:methods "x"', "s"
    )
    assert one.predicate == Bound("pao2", "<", Quantity(Decimal(60), "mm[Hg]"))
    assert one.negated and one.qualifier == "at rest" and one.interpretation == "interpreted" and not one.recoverable
    assert [(mark.source, mark.places, mark.as_written) for mark in one.marks] == [
        ("s", ("excl.10", "excl.11"), "PaO2"),
        ("epoc-2008", ("methods",), "x"),
    ]


@pytest.mark.parametrize(
    "text, predicate",
    [
        ("creatinine <= 1.5 {ULN} @ p", Bound("creatinine", "<=", Quantity(Decimal("1.5"), "{ULN}"))),
        ("ecog <= 1 @ p", Bound("ecog", "<=", Quantity(Decimal(1), "1"))),
        ("inr > 1.50 @ p", Bound("inr", ">", Quantity(Decimal("1.50"), "1"))),
        ("anc > 1500 /mm3 @ p", Bound("anc", ">", Quantity(Decimal(1500), "/mm3"))),
        ("infection_grade = 0 @ p", Bound("infection_grade", "=", Quantity(Decimal(0), "1"))),
        ("sex in {female, male} @ p", OneOf("sex", ("female", "male"))),
        ("current_line in {1, 2} @ p", OneOf("current_line", ("1", "2"))),
        ("pregnant is no @ p", OneOf("pregnant", ("no",))),
        ("fracture within 4 wk @ p", Within("fracture", Quantity(Decimal(4), "wk"), False, "entry")),
        ("fracture within < 4 wk @ p", Within("fracture", Quantity(Decimal(4), "wk"), True, "entry")),
        ("fracture ever @ p", Within("fracture", None, False, "entry")),
        ("metastases_diagnosed within 12 mo of adjuvant_end @ p", Within("metastases_diagnosed", Quantity(Decimal(12), "mo"), False, "adjuvant_end")),
        ("sex unrestricted @ p", Unrestricted("sex", True)),
        ("life_expectancy not_specified @ p", Unrestricted("life_expectancy", False)),
    ],
)  # fmt: skip
def test_predicates_and_back(text, predicate):
    one = parse(text)
    assert one.predicate == predicate
    assert parse(f"{one} @ p").predicate == predicate


@pytest.mark.parametrize(
    "text, column, message",
    [
        ("ancc >= 3 10*9/L @ p", 1, "did you mean: anc"),
        ("anc @ p", 5, "expected <, <=, =, >= or >"),
        ("anc => 3 10*9/L @ p", 6, "expected a number"),
        ("anc >= @ p", 8, "expected a number; found '@'"),
        ("anc >= 1,5 10*9/L @ p", 9, "expected"),
        ("anc >= 1.5 @ p", 11, "expected a unit that converts to 10\\*9/L; found none"),
        ("anc >= 1.5 kg @ p", 12, "expected a unit that converts to 10\\*9/L; found 'kg'"),
        ("anc >= 1.5 {ULN} @ p", 12, "expected a unit that converts to 10\\*9/L; found '{ULN}'"),
        ("ecog <= 1", 10, "the line ended"),
        ("ecog <= 1 @", 12, "expected a place .*; the line ended"),
        ("ecog <= 1 @ p p", 15, "expected"),
        ("sex in {female, mal} @ p", 17, "expected one of female, male; found 'mal'"),
        ("pregnant <= 1 @ p", 10, "'pregnant is yes' or 'is no'"),
        ("anc is yes @ p", 8, "not a choice of words"),
        ("anc within 3 mo @ p", 1, "anc is no event"),
        ("fracture within 3 kg @ p", 19, "expected a unit of time"),
        ("metastases_diagnosed within 12 mo @ p", 34, "expected 'of adjuvant_end'"),
        ("fracture within 12 mo of adjuvant_end @ p", 26, "counted from entry"),
        ("anc >= 1.5 10*9/L [roughly] @ p", 20, "expected verbatim, normalised, interpreted, recoverable or final"),
        ('ecog <= 1 @ p, epoc-2008:q "x"', 16, "begin another mark"),
        ("<= 3", 1, "expected a variable"),
    ],
)
def test_errors_say_where_and_what_was_expected(text, column, message):
    with pytest.raises(CriterionError, match=message) as caught:
        parse(text)
    assert caught.value.column == column


FILE = """trial: draft
source: nct06449937-veeva
places: {incl: 2}
inclusion:
  - ecog <= 1 @ incl.1 "0-1"
"""


def written(tmp_path, rest: str):
    path = tmp_path / "draft.yaml"
    path.write_text(FILE + rest, "utf-8")
    return path


@pytest.mark.parametrize(
    "rest, line, column, message",
    [
        ("  - anc >= 1.5 kg @ incl.2", 6, 16, "expected a unit that converts to 10\\*9/L; found 'kg'"),
        ("  - anc >= 1.5 10*9/L @ incl.3", 6, 25, "no place 'incl.3'"),
        ("  - anc >= 1.5 10*9/L @ nowhere:methods", 6, 25, "unknown source 'nowhere'"),
        (
            "  - any:\n      - anc >= 1.5 10*9/L @ incl.2\n      - alt << 3 @ incl.2",
            8,
            14,
            "expected a number; found '<'",
        ),
    ],
)
def test_a_bad_line_in_a_file_names_line_and_column(tmp_path, rest, line, column, message):
    with pytest.raises(CriteriaError, match=rf"draft.yaml, line {line}, column {column}: .*{message}"):
        load(written(tmp_path, rest))


@pytest.mark.parametrize(
    "rest, message",
    [
        ("", "line 3, places.incl: incl.2 is neither encoded nor listed as judgement"),
        ("  - some:\n      - anc >= 1.5 10*9/L @ incl.2", "line 7.*expected all, any, at_least k"),
        ("  - at_least 2:\n      - anc >= 1.5 10*9/L @ incl.2", "k up to 1"),
        ("  - all: anc >= 1.5 10*9/L @ incl.2", "expected an indented list"),
        (
            "  - readings scope:\n      a:\n        - anc >= 1.5 10*9/L @ incl.2",
            "does not say what the dispute 'scope' is about",
        ),
        ("judgement:\n  - {place: incl.9, kind: TEAM, says: x, why: y}", "no place 'incl.9'"),
        ("judgement:\n  - {place: incl.2, kind: GUESS, says: x, why: y}", "line 7"),
        ("headings: {incl.7: x}", "no place 'incl.7'"),
        ("readings: {scope: which?}", "no criterion offers"),
        ("extra: 1", "unknown field"),
    ],
)
def test_a_bad_file_names_its_line(tmp_path, rest, message):
    with pytest.raises(RecordError, match=message):
        load(written(tmp_path, rest))


def test_at_least_and_unless(tmp_path):
    rest = "  - at_least 2:\n" + "".join(
        f"      - {name} < 5 {{ULN}} @ incl.2\n" for name in ("alt", "ast", "bilirubin")
    )
    group = load(written(tmp_path, rest)).inclusion[1]
    assert isinstance(group, Group) and (group.kind, group.k, len(group.children)) == ("at_least", 2, 3)
    assert say(group).startswith("at least 2 of: ALT < 5 × upper limit of normal; AST")


# --- the files of the workbook ---------------------------------------------------------------------


@pytest.mark.parametrize("trial", TRIALS)
def test_every_file_loads_and_reads_aloud(trial):
    one = criteria()[trial]
    assert one.trial == trial
    for clause in one.clauses():
        aloud = say_clause(clause)
        assert "_" not in aloud and "{" not in aloud and "10*" not in aloud, aloud
    for node in one.nodes:
        assert str(node) and say(node)


@pytest.mark.parametrize("trial", TRIALS)
def test_every_reading_can_be_chosen_and_changes_something(trial):
    one = criteria()[trial]
    for name, dispute in one.disputes.items():
        ways = {tuple(map(str, one.clauses({name: option}))) for option in dispute.options}
        assert len(ways) == len(dispute.options) >= 2
    with pytest.raises(KeyError, match="no dispute 'nonsense'"):
        one.clauses({"nonsense": "x"})


def test_unknown_reading_is_named():
    with pytest.raises(KeyError, match="known: both, either"):
        criteria()["nct06449937"].clauses({"acute_event": "neither"})


def test_a_double_negative_becomes_inclusion_bounds():
    clauses = criteria()["nct06120127"].clauses()
    complement = [one for one in clauses if one.role == "exclusion complement"]
    assert [str(one) for one in complement] == [
        "anc >= 1.5 10*9/L", "haemoglobin >= 90 g/L", "platelets >= 100 10*9/L",
        "alt <= 2.5 {ULN}", "ast <= 2.5 {ULN}", "creatinine <= 1 {ULN}",
    ]  # fmt: skip
    assert all(one.wanted for one in complement)


def test_a_requirement_stated_twice_is_one_clause():
    clauses = [one for one in criteria()["nct06449937"].clauses() if one.variables == {"extrahepatic_disease"}]
    assert len(clauses) == 1
    assert clauses[0].node.marks[0].places == ("incl.4", "excl.1")


def test_recoverable_follows_the_variable_unless_a_line_says_otherwise():
    for trial in criteria().values():
        for node in trial.nodes:
            for one in lines(node):
                assert one.recoverable == variable(one.variable).recovers
    assert not variable("immunotherapy").recovers
    assert variable("platelets").recovers


def test_settle_leaves_no_dispute():
    for trial in criteria().values():
        for node in trial.nodes:
            assert all(not hasattr(one, "options") for one in walk(settle(node, {})))


def test_the_sentences_of_a_record_are_not_copied():
    for trial in criteria().values():
        for node in trial.nodes:
            for one in lines(node):
                for mark in one.marks:
                    assert mark.as_written is None or len(mark.as_written.split()) <= 10


def test_judgement_has_a_reason():
    for trial in criteria().values():
        assert all(item.why and item.says for item in trial.judgement)
    kinds = {item.kind for item in criteria()["nct06449937"].judgement}
    assert kinds == {"CONSENT", "COMPLIANCE", "TEAM", "FORECAST", "UNDEFINED", "DISCRETION"}

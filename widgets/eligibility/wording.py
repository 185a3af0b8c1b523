"""Criteria read aloud: the words of words.yaml filled in."""

from functools import cache
from pathlib import Path

from widgets.eligibility.language import Bound, Clause, Criterion, Group, Node, OneOf, Unrestricted, Within
from widgets.eligibility.patient import ENTRY, Ago, Measured, Value, variable
from widgets.eligibility.units import Quantity, plain
from widgets.records.reading import read


@cache
def words() -> dict:
    """The room's catalogue. Raises RecordError where it is broken."""
    return read(Path(__file__).with_name("words.yaml")).content


def fill(section: str, name: str, **parts: object) -> str:
    """A sentence of the catalogue with its names filled in."""
    return words()[section][name].format(**parts)


def say_quantity(quantity: Quantity) -> str:
    shown = words()["units"].get(quantity.unit, "" if quantity.unit == "1" else quantity.unit)
    return f"{plain(quantity.value)} {shown}".rstrip()


def say_value(value: Value) -> str:
    """A patient's value as people read it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Measured):
        return say_quantity(value.quantity) + (f" (limit {say_quantity(value.limit)})" if value.limit else "")
    return f"{say_quantity(value.time)} ago" if isinstance(value, Ago) else str(value).replace("_", " ")


def say(node: Node) -> str:
    """A criterion or a tree of them, in words."""
    if isinstance(node, Criterion):
        return _line(node)
    if isinstance(node, Group):
        children = "; ".join(say(child) for child in node.children)
        text = fill("group", node.kind, children=children, k=node.k)
        return fill("group", "unless", line=text) if node.negated else text
    return fill("group", "readings", question=node.question)


def say_clause(clause: Clause) -> str:
    """A requirement in words; what must not hold is said so."""
    return say(clause.node) if clause.wanted else fill("line", "not", line=say(clause.node))


def _line(criterion: Criterion) -> str:
    text = _predicate(criterion.predicate)
    if criterion.qualifier:
        text = fill("line", "qualifier", line=text, qualifier=criterion.qualifier)
    return fill("line", "not", line=text) if criterion.negated else text


def _predicate(one: Bound | OneOf | Within | Unrestricted) -> str:
    name = variable(one.variable).says
    if isinstance(one, Bound):
        return f"{name} {words()['operators'][one.operator]} {say_quantity(one.quantity)}"
    if isinstance(one, OneOf):
        if one.words in (("yes",), ("no",)):
            return fill("line", one.words[0], variable=name)
        return fill("line", "one_of", variable=name, words=" or ".join(one.words).replace("_", " "))
    if isinstance(one, Unrestricted):
        return fill("line", "unrestricted" if one.stated else "not_specified", variable=name)
    if one.time is None:
        return fill("line", "ever", variable=name)
    text = fill("line", "within_strict" if one.strict else "within", variable=name, time=say_quantity(one.time))
    return text if one.anchor == ENTRY else fill("line", "anchor", line=text, anchor=one.anchor.replace("_", " "))

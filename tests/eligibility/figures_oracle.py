"""A second, independent reader of figures: from the words of a record to operator, value and unit.

It shares nothing with the language of criteria: no grammar, no unit code, no variable.
"""

# ruff: noqa: E501 (one case per line)

import re
from decimal import Decimal
from typing import NamedTuple

WORDS = {"one": "1", "two": "2", "three": "3", "four": "4", "twice": "2", "II": "2", "III": "3", "IV": "4"}
UNITS = [
    (r"(?:[×x*]\s*10\^9/l|×10⁹/l)", "10*9/L"), (r"/mm\^3", "/mm3"), (r"g/dl", "g/dL"), (r"g/l", "g/L"),
    (r"g/24 hr", "g/d"), (r"ml/min", "mL/min"), (r"mmhg", "mm[Hg]"), (r"cm", "cm"), (r"%", "%"),
    (r"(?:\*|times)?\s*(?:the )?upper limit of normal", "{ULN}"), (r"(?:\*|times)?\s*uln", "{ULN}"),
    (r"years?(?: old)?", "a"), (r"months?", "mo"), (r"weeks?", "wk"), (r"days?", "d"),
    (r"(?:times|liver metastases|lesions|courses)", "1"),
]  # fmt: skip
NUMBER = r"(\d+(?:[.·]\d+)?|one|two|three|four|II|III|IV)"
PHRASES = [
    (r"(?:≥|>=|at least)", ">="), (r"(?:≤|<=|no more than|no greater than|no longer than|up to|maximum diameter of)", "<="),
    (r"(?:>|greater than|more than)", ">"), (r"(?:<|less than|fewer than)", "<"),
]  # fmt: skip


class Figure(NamedTuple):
    """Operator, value and unit; `since` figures count the time since an event."""

    operator: str
    value: Decimal
    unit: str
    since: bool = False


# What a heading or field of the record says for the bare figure under it.
HEADINGS = {"age": "{} years", "minimum_age": "at least {}", "maximum_age": "up to {}"}


def read(text: str, heading: str = "") -> set[Figure]:
    """All bounds that a short figure can mean; a range gives both ends. Empty where nothing can be read."""
    body = re.sub(r"(?<=\d),(?=\d{3})", "", HEADINGS.get(heading, "{}").format(text.strip()))
    if "\\" in body:
        return set()  # escape marks have eaten a sign: nothing is guessed
    body = re.sub(r"more than twice", "more than 2 times", body)
    since = bool(re.search(r"\bsince\b|\bbefore\b", body))
    span = re.search(rf"{NUMBER}(?: years)?\s*(?:-|–|to|and)\s*{NUMBER}", body)
    if span:
        unit = _unit(body[span.end() :])
        return {Figure(">=", _number(span[1]), unit), Figure("<=", _number(span[2]), unit)}
    if re.search(r"\bwithin\b", body):
        found = re.search(rf"within (?:the )?(?:past |last )?{NUMBER}", body)
        return {Figure("<=", _number(found[1]), _unit(body[found.end() :]), True)} if found else set()
    if found := re.search(rf"{NUMBER} or less", body):
        return {Figure("<=", _number(found[1]), _unit(body[found.end() :]))}
    if found := re.search(rf"class {NUMBER} or worse", body):
        return {Figure(">=", _number(found[1]), "1")}
    for phrase, operator in PHRASES:
        found = re.search(rf"{phrase}\s*(?:grade )?{NUMBER}(?:\s*/\s*{NUMBER})?", body, re.IGNORECASE)
        if found:
            unit = _unit(body[found.end() :])
            values = [one for one in found.groups() if one]
            return {Figure(operator, _number(one), unit, since) for one in values}
    return set()


def _number(text: str) -> Decimal:
    return Decimal(WORDS.get(text, text).replace("·", "."))


def _unit(rest: str) -> str:
    rest = rest.lower().lstrip()
    for pattern, code in UNITS:
        if re.match(pattern, rest):
            return code
    return "1"

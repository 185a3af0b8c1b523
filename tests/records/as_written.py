"""Whether a value is the one that its `asWritten` quotes, and whether the quotation stands in its source."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel

from tests.records.second_reading import ENUMS, OWN_WORDS, units
from widgets.records.library import Records
from widgets.records.schema import AnalysisDate, DateStruct, EnrollmentInfo, Evidence, Result, Stated, Trial

SHARED = Path(__file__).resolve().parents[3] / "shared"
# The sources whose text is kept there, by the number of the document.
DOCUMENTS = {
    "nct04562727-mirror": "000",
    "nct06449937-veeva": "001",
    "nct06449937-trialx": "002",
    "nct06120127-medpath": "003",
    "clocc-2017": "004",
}
WORDS = {"no": 0, "one": 1, "two": 2, "nine": 9}
# Enums that are not simply the source's word in capitals.
WRITTEN_AS = {
    "RANDOMIZED": ["randomised"],
    "NONE": ["open label"],
    "ALL": ["Both males and females"],
    "NA": ["Not Applicable", "N/A"],
    "PHASE2": ["Phase 2"],
    "PHASE3": ["Phase 3"],
    "AS_WRITTEN": ["Enrolling"],
}
NUMBER = re.compile(r"\d*\.?\d+½?")
MONTH = re.compile(r"\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b", re.IGNORECASE)
RELATION = {"<": "<", ">": ">", "<=": "<=", "≤": "<=", "⩽": "<=", "up to": "<="}


# --- published numbers --------------------------------------------------------------------------


def misquoted(result: Result) -> str | None:
    """What in a published number is not as written, or None.

    The estimate and its limits stand in the quotation, in this order and to the printed digit; so do
    the relation and the percent sign, where there is one.
    """
    if not result.stated:
        return None
    text = _plain(result.asWritten)
    wanted = [result.estimate]
    for spread in (result.limits, result.interquartileRange):
        wanted += [spread.lower, spread.upper] if spread else []
    if result.measure == "SIGNIFICANCE_LEVEL" and "%" in text:
        wanted = [(100 * result.estimate).normalize()]
    found = [_digits(match[0]) for match in NUMBER.finditer(text)] or [
        str(WORDS[word]) for word in re.findall(r"\w+", text) if word in WORDS
    ]
    if not _in_order([_digits(str(number)) for number in wanted], found):
        return f"{' '.join(map(str, wanted))} is not in {result.asWritten!r}"
    own = re.escape(_digits(str(wanted[0])))
    signs = [RELATION[sign] for sign in re.findall(rf"({'|'.join(RELATION)}) ?0?{own}(?![\d.])", text)] or ["="]
    if result.relation not in signs:
        return f"relation {result.relation} is not that of {result.asWritten!r}"
    per_cent = result.unit in ("%", "percentage points") or wanted[0] != result.estimate
    if per_cent != bool(re.search(rf"(?<![\d.])0?{own}%", text)):
        return f"unit {result.unit} is not that of {result.asWritten!r}"
    return None


def _plain(text: str) -> str:
    """Middle dots as points."""
    return text.replace("·", ".")


def _digits(number: str) -> str:
    """As printed, without a leading zero: `.01` for 0.01, but `65.0` for 65.0."""
    return number.removeprefix("0") if number.startswith("0.") else number


def _in_order(wanted: list[str], found: list[str]) -> bool:
    rest = iter(found)
    return all(number in rest for number in wanted)


# --- trials -------------------------------------------------------------------------------------


class Quoted(NamedTuple):
    """A value with its quotation. `own` marks words of ours, which quote only a part of what they say."""

    address: str
    value: Any
    evidence: Evidence
    own: bool


def quoted(model: BaseModel, address: str, own: bool = False) -> Iterator[Quoted]:
    """Every value or statement below a model that has a source."""
    if getattr(model, "source", None):
        yield Quoted(address, getattr(model, "value", None), model, own or not isinstance(model, Stated))
    for name in type(model).model_fields:
        below = getattr(model, name)
        for number, item in enumerate(below if isinstance(below, list) else [below]):
            if isinstance(item, BaseModel):
                place = getattr(item, "id", number) if isinstance(below, list) else None
                here = f"{address}.{name}" + (f".{place}" if place is not None else "")
                yield from quoted(item, here, own or name in OWN_WORDS)


def misquotations(trial: Trial) -> Iterator[str]:
    """Every value of a trial that is not the one its quotation gives."""
    for one in quoted(trial, trial.id):
        written = one.evidence.asWritten
        if written and not one.own and one.evidence.basis != "INFERRED" and not says(written, one.value):
            yield f"{one.address}: {one.value} is not in {written!r}"


def says(written: str, value: Any) -> bool:
    """Whether a quotation gives a value."""
    match value:
        case DateStruct() | AnalysisDate():
            return (value.date if isinstance(value, DateStruct) else value.value) == date_in(written)
        case EnrollmentInfo():
            return says(written, value.count)
        case int() | Decimal():
            return _digits(str(value)) in [_digits(match[0]) for match in NUMBER.finditer(written)]
        case list():
            parts = written.split(", ")
            return len(parts) == len(value) and all(map(says, parts, value))
        case str() if value in ENUMS:
            capitals = re.sub(r"\W+", "_", written).upper()
            return f"{capitals}_".startswith(f"{value}_") or any(
                text in written for text in WRITTEN_AS.get(value, [])
            )
    one, other = figures(value), figures(written)
    if one or other:
        units_one, units_other = ({unit.split()[-1] for unit in units(text)} for text in (value, written))
        alike = units_one <= units_other or units_other <= units_one
        return alike and bool(one and other) and (one <= other or other <= one)
    return value.casefold() in written.casefold() or written.casefold() in value.casefold()


def figures(text: str) -> Counter:
    """The numbers and the months that a text names."""
    months = [match[1].casefold() for match in MONTH.finditer(text)]
    return Counter([_digits(match[0]) for match in NUMBER.finditer(_plain(text))] + months)


def date_in(text: str) -> str:
    """The date that a text names, to the precision it has; the text itself where it names none."""
    plain = MONTH.sub(lambda match: match[1], text).replace(",", "")
    for written, iso in (("%b %d %Y", "%Y-%m-%d"), ("%d %b %Y", "%Y-%m-%d"), ("%b %Y", "%Y-%m")):
        try:
            return datetime.strptime(plain, written).strftime(iso)
        except ValueError:
            continue
    return text


# --- the sources --------------------------------------------------------------------------------


class Quotation(NamedTuple):
    where: str
    source: str
    place: str
    text: str


def quotations(library: Records) -> Iterator[Quotation]:
    """Every figure or phrase of data/ that is given as its source writes it."""
    for one in library.results.values():
        if one.result.asWritten:
            yield Quotation(one.address, one.source.id, one.result.place, one.result.asWritten)
    for analysis in {id(one.analysis): one.analysis for one in library.results.values()}.values():
        when = analysis.analysisDate
        if isinstance(when, AnalysisDate):
            yield Quotation(analysis.title, analysis.source, when.place, when.asWritten)
        for defect in analysis.printedDefects:
            yield from (Quotation(defect.id, analysis.source, defect.place, text) for text in defect.asWritten)
    for trial in library.trials.values():
        for one in quoted(trial, trial.id):
            if one.evidence.asWritten:
                yield Quotation(one.address, one.evidence.source, one.evidence.place, one.evidence.asWritten)


# How far below its heading a quotation may stand; a short one would be found by chance.
FAR, NEAR, SHORT = 900, 20, 6


def stands_in(quotation: Quotation, text: str) -> bool:
    """Whether a quotation stands in a text, word for word; where its place is a heading there, below it."""
    wanted, place = normalised(quotation.text), normalised(quotation.place)
    first = r"(?<![0-9.])" if wanted[0].isdigit() else r"(?<!\w)" if wanted[0].isalpha() else ""
    last = "(?![0-9])" if wanted[-1].isdigit() else ""
    spots = [match.start() for match in re.finditer(f"{first}{re.escape(wanted)}{last}", text)]
    headings = [match.end() for match in re.finditer(re.escape(place), text)] if place else []
    reach = NEAR if len(wanted) < SHORT else FAR
    return bool(spots) and (not headings or any(0 <= spot - end <= reach for spot in spots for end in headings))


def normalised(text: str) -> str:
    """Without emphasis and line breaks; points for middle dots."""
    return re.sub(r"\s+", " ", re.sub(r"[*\"“”]", "", _plain(text))).strip()


@cache
def source_text(source: str) -> str:
    """The text of a source that is kept as a document."""
    [file] = SHARED.glob(f"sources/{DOCUMENTS[source]}_*.txt")
    return normalised(file.read_text(encoding="utf-8"))


@cache
def notes() -> str:
    """The notes taken from the other sources."""
    return normalised((SHARED / "evidence" / "facts.md").read_text(encoding="utf-8"))

"""The second reading of data/: which values are entered twice, and how two entries are compared.

`python tests/records/second_reading.py` prints a blank form (CSV) that a second reader fills in from
the sources without seeing the first entry.
"""

import csv
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel

from widgets.records.library import Published, Records, records
from widgets.records.schema import UNITS, Conflicting, NotApplicable, NotStated, Stated, Trial

FILE = Path(__file__).parents[1] / "second_reader.csv"
SETTLED = Path(__file__).parents[1] / "second_reader_settled.csv"
COLUMNS = ["address", "field", "question", "value", "found_in"]


class Entry(NamedTuple):
    """One value of the first reading. `value` is text; `NOT_STATED` is a value too."""

    address: str
    field: str
    question: str
    value: str


def entries(library: Records) -> Iterator[Entry]:
    """Every value that is entered twice."""
    for published in library.results.values():
        yield from _of_result(published)
    for trial in library.trials.values():
        yield from _of_trial(trial)


def _of_result(published: Published) -> Iterator[Entry]:
    result = published.result
    population = result.population or published.analysis.population
    question = " · ".join(
        [published.source.citation, result.endpoint, result.measure, f"arm: {result.arm}", population, result.id]
    )
    if result.months:
        question += f" · at {result.months} months"
    where = question
    if not result.stated:
        yield Entry(published.address, "estimate", where, "NOT_STATED")
        return
    if len(UNITS[result.measure]) == 1:
        where += f" · in {result.unit}"
    else:
        yield Entry(
            published.address, "unit", f"{question}: of what, {' or '.join(UNITS[result.measure])}", result.unit
        )
    yield Entry(published.address, "estimate", where, str(result.estimate))
    if result.interval:
        for name in ("lower", "upper", "level"):
            value = getattr(result.limits, name) if result.limits else result.interval
            yield Entry(published.address, name, where, str(value))
    if result.interquartileRange:
        yield Entry(published.address, "iqr_lower", where, str(result.interquartileRange.lower))
        yield Entry(published.address, "iqr_upper", where, str(result.interquartileRange.upper))
    if result.months:
        yield Entry(published.address, "months", f"{question}: the time, in months", str(result.months))
    if result.of:
        yield Entry(published.address, "of", f"{question}: the denominator", str(result.of))
    if result.measure == "P_VALUE" and result.stated:
        yield Entry(published.address, "relation", f"{question}: = or <", result.relation)
        yield Entry(published.address, "test", f"{question}: which test", result.test)


# Words of our own, which a second reader would word otherwise.
OWN_WORDS = {"pico", "rationale", "title", "label", "shortLabel", "description", "measure", "population", "changes"}


def _of_trial(trial: Trial) -> Iterator[Entry]:
    yield Entry(trial.id, "number of arms", "how many arms are described", str(len(trial.arms) or "NOT_STATED"))
    yield from _of_model(trial, trial.id)


def _of_model(model: BaseModel, address: str) -> Iterator[Entry]:
    for name in type(model).model_fields:
        value = getattr(model, name)
        here = f"{address}.{name}"
        if name in OWN_WORDS:
            continue
        if isinstance(value, Stated | NotStated | NotApplicable | Conflicting):
            yield Entry(here, "value", "", text(value))
        elif isinstance(value, BaseModel):
            yield from _of_model(value, here)
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, BaseModel):
                    yield from _of_model(item, f"{here}.{getattr(item, 'id', '')}")


def text(datum: Any) -> str:
    """A datum as a second reader enters it: parts joined by `; `."""
    match datum:
        case NotStated():
            return "NOT_STATED"
        case NotApplicable():
            return "NOT_APPLICABLE"
        case Conflicting():
            return " | ".join(text(one) for one in datum.conflicting)
        case Stated():
            return text(datum.value)
        case BaseModel():
            return "; ".join(str(getattr(datum, name)) for name in type(datum).model_fields)
        case list():
            return "; ".join(text(one) for one in datum)
    return str(datum)


def agree(first: str, second: str) -> bool:
    """Whether two entries say the same: numbers by value, free text by the figures in it."""
    first, second = (part.strip().replace("½", ".5") for part in (first, second))
    if first.casefold() == second.casefold():
        return True
    if re.fullmatch(r"[A-Z_0-9]+", first) and not first.isdigit():
        return False  # an enum or a state must be the same
    figures = [re.findall(r"\d+(?:\.\d+)?", part) for part in (first, second)]
    if not figures[0]:
        return bool(re.search("[a-z]", first)) and second not in ("", "NOT_STATED", "NOT_APPLICABLE")
    return sorted(map(float, figures[0])) == sorted(map(float, figures[1]))


def second_entries() -> dict[tuple[str, str], str]:
    """The blind second entry, by address and field."""
    return {key: row["value"] for key, row in _rows(FILE)}


def settlements() -> dict[tuple[str, str], dict[str, str]]:
    """Disagreements that were settled: what stands now, and why."""
    return dict(_rows(SETTLED))


def _rows(file: Path) -> Iterator[tuple[tuple[str, str], dict[str, str]]]:
    with file.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            yield (row["address"], row["field"]), row


if __name__ == "__main__":
    form = csv.writer(sys.stdout)
    form.writerow(COLUMNS)
    for entry in entries(records()):
        form.writerow([entry.address, entry.field, entry.question, "", ""])

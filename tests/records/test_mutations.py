"""Every number of data/, made wrong in several ways: does any check notice?

A number that could be changed without a complaint would be one that nothing guards. Mutants are
made in memory, one result or one trial at a time.
"""

import copy
import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from tests.records.arithmetic import complaints, reports
from tests.records.as_written import misquotations, misquoted
from tests.records.second_reading import OWN_WORDS, doubted, of_result, of_trial
from widgets.records.library import DATA, records
from widgets.records.reading import read
from widgets.records.schema import UNITS, Result, Trial

RELATIONS = ("=", "<", ">", "<=")
ALL_UNITS = sorted({unit for units in UNITS.values() for unit in units})
CHECKS = ("as written", "second reader", "arithmetic")
Place = tuple[str | int, ...]


def put(content: Any, place: Place, value: Any) -> Any:
    """A copy with one value replaced."""
    changed = copy.deepcopy(content)
    inner = changed
    for part in place[:-1]:
        inner = inner[part]
    inner[place[-1]] = value
    return changed


def valid(model: type[BaseModel], content: Any) -> BaseModel | None:
    try:
        return model.model_validate(content)
    except ValidationError:
        return None


# --- published numbers --------------------------------------------------------------------------


def wrong_numbers(number: Decimal | int) -> set[Decimal | int]:
    """Ten times as much, one more, one more in the last printed place."""
    last = 1 if isinstance(number, int) else Decimal(1).scaleb(number.as_tuple().exponent)
    return {number * 10, number + 1, number + last} - {number}


def mutants_of(result: Result) -> Iterator[tuple[Place, dict]]:
    content = result.model_dump()
    for name, value in content.items():
        numbers = (
            {(name, key): below for key, below in value.items()} if isinstance(value, dict) else {(name,): value}
        )
        for place, number in numbers.items():
            if isinstance(number, Decimal | int):
                yield from ((place, put(content, place, wrong)) for wrong in wrong_numbers(number))
    yield from ((("relation",), {**content, "relation": other}) for other in RELATIONS if other != result.relation)
    yield from ((("unit",), {**content, "unit": other}) for other in ALL_UNITS if other != result.unit)


def test_no_wrong_published_number_passes(capsys):
    caught, survivors, total = Counter(), [], 0
    for numbers in reports(records()).values():
        for one in numbers:
            for place, content in mutants_of(one.result) if one.result.stated else ():
                total += 1
                result = valid(Result, content)
                if result is None:
                    caught["schema"] += 1
                    continue
                mutant = one._replace(result=result)
                noticed = {
                    "as written": bool(misquoted(result)),
                    "second reader": any(doubted(of_result(mutant))),
                    "arithmetic": any(complaints([mutant if other is one else other for other in numbers])),
                }
                caught.update(check for check, found in noticed.items() if found)
                if not any(noticed.values()):
                    survivors.append((one.address, place, content[place[0]]))
    tell(capsys, "published numbers", caught, total)
    assert total > 2500 and not survivors


# --- trials -------------------------------------------------------------------------------------

TIMES = {"year": "month", "month": "week", "week": "day", "day": "week"}


def figures_of(content: Any, place: Place = ()) -> Iterator[tuple[Place, str]]:
    """Every stated value with a figure in it, except in words of our own."""
    if isinstance(content, str):
        if "value" in place and re.search(r"\d", content):
            yield place, content
        return
    for key, below in content.items() if isinstance(content, dict) else enumerate(content):
        if key not in {*OWN_WORDS, "source", "place", "asWritten", "note"}:
            yield from figures_of(below, (*place, key))


def wrong_texts(text: str) -> Iterator[str]:
    """Each figure times ten and plus one, as wide as before; each unit of time another."""
    for match in re.finditer(r"\d+", text):
        for wrong in (f"{match[0]}0", str(int(match[0]) + 1).zfill(len(match[0]))):
            yield text[: match.start()] + wrong + text[match.end() :]
    for match in re.finditer(r"(?i)\b(year|month|week|day)(?=s?\b)", text):
        wrong = TIMES[match[0].lower()]
        yield text[: match.start()] + (wrong.capitalize() if match[0][0].isupper() else wrong) + text[match.end() :]


def test_no_wrong_figure_of_a_trial_passes(capsys):
    caught, survivors, total = Counter(), [], 0
    for trial in records().trials.values():
        content = read(DATA / "trials" / f"{trial.id}.yaml").content
        before = set(doubted(of_trial(trial)))
        for place, text in figures_of(content):
            for wrong in wrong_texts(text):
                total += 1
                mutant = valid(Trial, put(content, place, wrong))
                if mutant is None:
                    caught["schema"] += 1
                    continue
                noticed = {
                    "as written": any(misquotations(mutant)),
                    "second reader": bool(set(doubted(of_trial(mutant))) - before),
                }
                caught.update(check for check, found in noticed.items() if found)
                if not any(noticed.values()):
                    survivors.append((trial.id, place, text, wrong))
    tell(capsys, "figures of the trials", caught, total)
    assert total > 250 and not survivors


def tell(capsys: pytest.CaptureFixture, what: str, caught: Counter, total: int) -> None:
    rest = total - caught["schema"]
    shares = ", ".join(f"{check} {caught[check] / rest:.0%}" for check in CHECKS if caught[check])
    with capsys.disabled():
        print(
            f"\n{total} wrong {what}; the schema refuses {caught['schema'] / total:.0%}; of the rest notice: {shares}"
        )

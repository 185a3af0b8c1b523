"""The second reading of data/criteria/: each bullet's figures, entered again by someone who has not seen ours.

`python -m tests.eligibility.second_reading` prints a blank form (CSV). The second reader opens the source
that the form names and writes, for each bullet, its bounds as `operator number unit`, separated by `;`
(`>= 18 a; <= 80 a`, `< 3 cm; <= 5`, `within 12 mo`, `> 28 d` since), or `none`. UCUM units; `{ULN}` for
multiples of the upper limit of normal. The filled form is kept as second_reader.csv beside this file.
"""

import csv
import re
import sys
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from widgets.eligibility.language import Bound, Criteria, Criterion, Within, criteria, lines
from widgets.eligibility.units import factor, unit

FILE = Path(__file__).with_name("second_reader.csv")
COLUMNS = ["trial", "source", "place", "figures"]
OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "=": "="}
_FIGURE = re.compile(r"(within <|within|<=|>=|<|>|=)\s*(\d+(?:\.\d+)?)\s*(\S+)?")
_BASES = ("1", "{ULN}", "d", "cm", "10*9/L", "g/L", "mL/min", "mm[Hg]", "g/d")
Figure = tuple[str, Fraction, str]


def figure(operator: str, number: Decimal, code: str) -> Figure:
    """A bound in the base unit of its kind, so that 9 g/dL and 90 g/L are the same entry."""
    base = next(one for one in _BASES if unit(one).dimension == unit(code).dimension)
    operator = {"within": "<=", "within <": "<"}.get(operator, operator)
    return operator, Fraction(number) * factor(code, base), base


def entered(text: str) -> set[Figure]:
    """What a second reader wrote. Raises ValueError for what cannot be read."""
    if text.strip() == "none":
        return set()
    found = set()
    for part in text.split(";"):
        match = _FIGURE.fullmatch(part.strip())
        if not match:
            raise ValueError(f"expected 'operator number unit', found {part.strip()!r}")
        found.add(figure(match[1], Decimal(match[2]), match[3] or "1"))
    return found


def ours(one: Criterion) -> set[Figure]:
    """A line's figure, as it stands and (for a line with `not`) as it works."""
    predicate = one.predicate
    if isinstance(predicate, Bound):
        operator, quantity = predicate.operator, predicate.quantity
    elif isinstance(predicate, Within) and predicate.time:
        operator, quantity = "<" if predicate.strict else "<=", predicate.time
    else:
        return set()
    ways = {operator, OPPOSITE[operator]} if one.negated else {operator}
    return {figure(way, quantity.value, quantity.unit) for way in ways}


def encoded(trial: Criteria, place: str) -> list[set[Figure]]:
    """The figures of each line that stands at a place of the trial's record and quotes one."""
    return [
        ours(one)
        for node in trial.nodes
        for one in lines(node)
        for mark in one.marks
        if mark.source == trial.source and place in mark.places and mark.as_written and ours(one)
    ]


def differences(rows: list[dict[str, str]]) -> list[str]:
    """Where the second reading differs from ours, one sentence each."""
    found = []
    for row in rows:
        trial, place = criteria()[row["trial"]], row["place"]
        theirs, mine = entered(row["figures"]), encoded(trial, place)
        missing = [one for one in mine if not one & theirs]
        extra = theirs - set().union(*mine)
        judged = any(place in item.places for item in trial.judgement) or place in trial.headings
        if missing or (extra and not judged):
            found.append(f"{row['trial']} {place}: second reader {row['figures']!r}, ours {mine}")
    return found


def main() -> None:
    form = csv.writer(sys.stdout, lineterminator="\n")
    form.writerow(COLUMNS)
    for trial in criteria().values():
        form.writerows([trial.trial, trial.source, place, ""] for place in trial.places)


if __name__ == "__main__":
    main()

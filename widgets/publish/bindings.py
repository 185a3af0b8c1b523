"""Numbers in prose, bound to the data: `0.58<!-- clocc.2017.os.hr -->`.

The comment names a value; the word before it is that value as text. After the address may stand a
part (`lower`, `upper`, `level`, `of`, `months`) and a number of decimals, for computed values:
`−16<!-- clocc.2017.os.difference.36 lower 0 -->`.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import reduce
from typing import Any, NamedTuple

from pydantic import BaseModel

from widgets.records.library import Published, records
from widgets.records.schema import Conflicting, Stated
from widgets.survival import binomial, published

BOUND = re.compile(r"(?P<text>[<>+−]?[\w.–-]*\w)?(?P<comment><!--\s*(?P<words>[a-z][\w.-]*(?:\s+\w+)*)\s*-->)")
SIGNED = ("difference",)


class Bound(NamedTuple):
    """One bound number: the text that stands there, and what the data say it is."""

    text: str
    words: str
    expected: str


def bound_numbers(markdown: str) -> Iterator[Bound]:
    """Every bound number of a text. Raises KeyError or ValueError for an address that does not resolve."""
    for match in BOUND.finditer(markdown):
        yield Bound(match["text"] or "", match["words"], value_of(match["words"]))


def rewritten(markdown: str) -> str:
    """The text with every bound number as the data have it."""
    return BOUND.sub(lambda match: value_of(match["words"]) + match["comment"], markdown)


def value_of(words: str) -> str:
    """The text of a value, such as `clocc.2017.os.hr upper` → `0.88`."""
    address, *rest = words.split()
    part = next((word for word in rest if not word.isdigit()), "estimate")
    digits = next((int(word) for word in rest if word.isdigit()), None)
    computed = _computed(address)
    if computed:
        value = computed.get(part)
        if value is None:
            raise ValueError(f"{address} has no {part}; it has {', '.join(computed)}")
        return _text(value, digits, signed=address.split(".")[3] in SIGNED and part != "p")
    if address in records().results:
        return _of_result(records().result(address), part)
    return _of_trial(address)


def _of_result(one: Published, part: str) -> str:
    result, limits = one.result, one.result.limits
    if part in ("lower", "upper", "level") and limits:
        return str(getattr(limits, part))
    if part in ("estimate", "of", "months") and getattr(result, part) is not None:
        return str(getattr(result, part))
    raise ValueError(f"{one.address} has no {part}")


def _of_trial(address: str) -> str:
    name, *path = address.split(".")
    trial: Any = records().trial(name)

    def step(value: Any, key: str) -> Any:
        if isinstance(value, Stated | Conflicting) and key not in type(value).model_fields:
            value = value.value if isinstance(value, Stated) else value.conflicting
        if isinstance(value, list) and key.isdigit():
            return value[int(key)]
        found = getattr(value, key, None)
        if found is None or not isinstance(value, BaseModel):
            raise KeyError(f"{address}: no {key!r}")
        return found

    value = reduce(step, path, trial)
    value = value.value if isinstance(value, Stated) else value
    if isinstance(value, BaseModel | list):
        raise ValueError(f"{address} is not a single value")
    return str(value)


def _computed(address: str) -> dict[str, float] | None:
    """What code computes from the printed numbers, under addresses of its own."""
    match address.split("."):
        case ["clocc", report, "os", ("difference" | "risk_ratio") as kind, months]:
            contrast = getattr(published, kind)(report, int(months))
            return {
                "estimate": contrast.estimate, "lower": contrast.lower, "upper": contrast.upper, "p": contrast.p,
            }  # fmt: skip
        case ["clocc", report, "os", "median_difference"]:
            first, second = (
                records().result(f"clocc.{report}.os.median.{arm}").result.estimate for arm in published.ARMS
            )
            return {"estimate": float(first - second)}
        case ["clocc", "2012", "os", "alive", arm]:
            point = published.landmark("2012", arm, 30)
            return {"estimate": published.alive(point), "of": published.randomised(point)}
        case ["clocc", "2012", "os", "target_p", arm]:
            point = published.landmark("2012", arm, 30)
            target = float(records().result("clocc.2012.os.target").result.estimate) / 100
            return {"estimate": binomial.exceedance(published.alive(point), published.randomised(point), target)}
        case ["clocc", "2017", "deaths", "other", arm]:
            deaths = records().result(f"clocc.2017.deaths.{arm}").result.estimate
            return {
                "estimate": float(deaths - records().result(f"clocc.2017.deaths.progression.{arm}").result.estimate)
            }
    return None


def _text(value: float, digits: int | None, signed: bool) -> str:
    if digits is None:
        return f"{value:.2g}" if abs(value) < 1 else f"{value:g}"
    number = round(Decimal(value), digits)
    sign = "−" if number < 0 else "+" if signed and number > 0 else ""
    return f"{sign}{abs(number)}"

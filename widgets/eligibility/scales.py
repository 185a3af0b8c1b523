"""ECOG (WHO) performance status and the Karnofsky index: converted only by a table that the reader chooses."""

from collections.abc import Mapping
from functools import cache

from widgets.records.library import DATA, records
from widgets.records.reading import read

OTHER = {"ecog": "karnofsky", "karnofsky": "ecog"}


@cache
def tables() -> Mapping[str, tuple[tuple[frozenset[int], frozenset[int]], ...]]:
    """Each published table by name: rows of (ECOG grades, Karnofsky values)."""
    content = read(DATA / "performance_scales.yaml").content
    return {
        name: tuple(
            (frozenset(map(int, row["ecog"])), frozenset(map(int, row["karnofsky"]))) for row in table["rows"]
        )
        for name, table in content.items()
    }


def citation(name: str) -> str:
    """Where a table was published. Raises KeyError for an unknown table or source."""
    table = read(DATA / "performance_scales.yaml").content[name]
    return records().source(table["source"]).citation if "source" in table else table["citation"]


@cache
def band(table: str, scale: str, value: int) -> frozenset[int]:
    """The values of the other scale that `table` sets beside `value` of `scale`.

    Raises KeyError for an unknown table, naming the known ones.
    """
    if table not in tables():
        raise KeyError(f"no table of conversion {table!r}; known: {', '.join(tables())}")
    column = 0 if scale == "ecog" else 1
    found = [row[1 - column] for row in tables()[table] if value in row[column]]
    return frozenset().union(*found)


def agree(ecog: int, karnofsky: int) -> bool:
    """Whether any published table sets the two side by side."""
    return any(karnofsky in band(name, "ecog", ecog) for name in tables())

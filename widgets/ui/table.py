"""A table of numbers with their sources: as HTML, as CSV and as a DataFrame.

Whatever comes from data, a registry or a reader is text here, never markup.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from pathlib import Path
from typing import Any

from widgets.records.library import Published
from widgets.ui.words import catalogue

Cell = str | int | float | Decimal | bool
WORDS = Path(__file__).parent


@dataclass(frozen=True)
class Mark:
    """A source mark: what a number rests on, and how to report it when it is wrong."""

    label: str
    citation: str
    place: str
    url: str
    field: str
    value: str

    @classmethod
    def of(cls, published: Published) -> "Mark":
        result = published.result
        return cls(
            label=published.source.title,
            citation=published.source.citation,
            place=result.place,
            url=published.source.url,
            field=f"{published.address} ({published.file}, line {published.line})",
            value=(result.asWritten or "") if result.stated else "NOT_STATED",
        )

    def html(self) -> str:
        """Source, place and a report to copy, as a disclosure that needs no mouse and no kernel."""
        words = catalogue(WORDS)["source_mark"]
        report = words["report"].format(field=self.field, value=self.value, source=f"{self.citation}; {self.place}")
        return (
            f"<details><summary>{escape(self.label)}</summary>"
            f'<p><a href="{escape(self.url)}" target="_blank" rel="noopener noreferrer">'
            f"{escape(self.citation)}</a><br>{escape(words['place'].format(place=self.place))}</p>"
            f"<pre>{escape(report)}</pre></details>"
        )


@dataclass(frozen=True)
class Row:
    """The cells of a row by column name, and the sources they rest on."""

    cells: dict[str, Cell]
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class Table:
    caption: str
    rows: Sequence[Row]

    @property
    def columns(self) -> list[str]:
        return list(dict.fromkeys(name for row in self.rows for name in row.cells))

    @property
    def citations(self) -> list[str]:
        """The sources of the whole table, each once."""
        return list(dict.fromkeys(mark.citation for row in self.rows for mark in row.marks))

    def html(self) -> str:
        """Caption, column heads, row heads, and source marks in the last column."""
        words = catalogue(WORDS)
        source = words["table"]["source"]
        head = "".join(f'<th scope="col">{escape(name)}</th>' for name in [*self.columns, source])
        body = "".join(self._html_row(row) for row in self.rows)
        return (
            f"<table><caption>{escape(self.caption)}</caption>"
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
            f"<p>{escape(words['source_mark']['correct'])}</p>"
        )

    def _html_row(self, row: Row) -> str:
        first, *others = (escape(str(row.cells.get(name, ""))) for name in self.columns)
        cells = "".join(f"<td>{cell}</td>" for cell in others)
        marks = "".join(mark.html() for mark in row.marks)
        return f'<tr><th scope="row">{first}</th>{cells}<td>{marks}</td></tr>'

    def _flat(self) -> list[dict[str, Any]]:
        flat = []
        for row in self.rows:
            sources = {
                "source": "; ".join(dict.fromkeys(mark.citation for mark in row.marks)),
                "place": "; ".join(dict.fromkeys(mark.place for mark in row.marks)),
                "url": "; ".join(dict.fromkeys(mark.url for mark in row.marks)),
                "field": "; ".join(mark.field.split(" ")[0] for mark in row.marks),
            }
            flat.append({name: row.cells.get(name, "") for name in self.columns} | sources)
        return flat

    def csv(self, notice: str = "") -> str:
        """Comma-separated, with sources; a cell that a spreadsheet would run as a formula is disarmed."""
        rows = self._flat()
        text = io.StringIO()
        writer = csv.DictWriter(text, [*rows[0], "notice"] if rows else ["notice"], lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: _disarmed(cell) for name, cell in row.items()} | {"notice": notice} for row in rows)
        return text.getvalue()

    def frame(self):
        """The table as a pandas DataFrame; printed decimals become floats."""
        import pandas as pd

        rows = [
            {name: float(cell) if isinstance(cell, Decimal) else cell for name, cell in row.items()}
            for row in self._flat()
        ]
        return pd.DataFrame(rows)


def _disarmed(cell: Cell) -> Cell:
    if isinstance(cell, str) and cell[:1] in "=+-@\t\r" and not _is_number(cell):
        return f"'{cell}" if cell else cell
    return cell


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True

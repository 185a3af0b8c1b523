"""The words a reader sees, one catalogue per room (`words.yaml`), apart from the logic."""

from functools import cache
from pathlib import Path
from typing import Any

from widgets.records.reading import read


@cache
def catalogue(folder: Path) -> dict[str, Any]:
    """The catalogue of the room in `folder`. Raises RecordError where the file is broken."""
    return read(folder / "words.yaml").content

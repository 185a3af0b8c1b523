"""YAML as text: every scalar stays what was typed, every value knows its line.

A YAML loader that guesses types turns `no` into False, `1:30` into 90 and `2002-05-01` into a
date. Here the file is only composed into nodes, never constructed: the schema decides the types.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Location = tuple[str | int, ...]


class RecordError(ValueError):
    """A file under data/ says something it must not; names file, line, field and what was expected."""

    def __init__(self, path: Path, line: int, location: Location, message: str):
        self.path, self.line, self.field = path, line, name_of(location)
        super().__init__(f"{path.name}, line {line}, {self.field or 'file'}: {message}")


def name_of(location: Location) -> str:
    """A location as people write it: `analyses[0].results[3].estimate`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return "".join(parts).lstrip(".")


@dataclass
class Document:
    """One file: its content as nested dicts, lists and strings, and the line of each value."""

    path: Path
    content: Any = None
    lines: dict[Location, int] = field(default_factory=dict)

    def line(self, location: Location) -> int:
        """The line of a value, or of the nearest thing around it."""
        while location not in self.lines and location:
            location = location[:-1]
        return self.lines.get(location, 1)

    def error(self, location: Location, message: str) -> RecordError:
        return RecordError(self.path, self.line(location), location, message)


def read(path: Path) -> Document:
    """Read one YAML file.

    Raises RecordError where the file cannot be read or parsed, is empty, repeats a key
    or leaves a value blank.
    """
    document = Document(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise RecordError(path, 1, (), f"cannot be read: {problem}") from problem
    try:
        node = yaml.compose(text, Loader=Loader)
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        what = getattr(problem, "problem", None) or str(problem)
        raise RecordError(path, mark.line + 1 if mark else 1, (), f"not valid YAML: {what}") from problem
    if node is None:
        raise RecordError(path, 1, (), "is empty")
    document.content = _plain(node, (), document)
    return document


def _plain(node: yaml.Node, location: Location, document: Document) -> Any:
    document.lines[location] = node.start_mark.line + 1
    if isinstance(node, yaml.ScalarNode):
        if not node.value.strip():
            raise document.error(location, "blank; write the value, or a state such as notStated")
        return node.value
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*location, number), document) for number, item in enumerate(node.value)]
    content: dict[str, Any] = {}
    for key, value in node.value:
        here = (*location, key.value)
        if key.value in content:
            document.lines[here] = key.start_mark.line + 1
            raise document.error(here, "written twice")
        content[key.value] = _plain(value, here, document)
    return content

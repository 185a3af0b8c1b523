"""data/README.md against the schema: nothing is missing from it, and nothing in it is out of date."""

import inspect
import re
from typing import get_args

import pytest
from pydantic import BaseModel

from tests.records.second_reading import ENUMS, UNIT_WORDS
from widgets.records import schema
from widgets.records.library import DATA, load
from widgets.records.schema import UNITS

PAGE = (DATA / "README.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`([^`\n]+)`", PAGE))
MODELS = [one for _, one in inspect.getmembers(schema, inspect.isclass) if issubclass(one, BaseModel)]
FIELDS = {name for model in MODELS for name in model.model_fields}


def words_of(kind) -> set[str]:
    """Every word that a type allows, however deep it stands in it."""
    return {kind} if isinstance(kind, str) else {word for one in get_args(kind) for word in words_of(one)}


ALLOWED = ENUMS | {
    word for model in MODELS for field in model.model_fields.values() for word in words_of(field.annotation)
}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_field_is_explained(model):
    assert not set(model.model_fields) - NAMED


def test_every_enum_and_every_unit_is_listed():
    assert not ALLOWED - NAMED - FIELDS
    assert not UNIT_WORDS - NAMED


def test_every_file_and_folder_is_listed():
    assert not {path.name + "/" * path.is_dir() for path in DATA.iterdir()} - NAMED


def test_no_row_is_about_something_that_is_gone():
    rows = re.findall(r"^\| (?:[^|`]*\| )?(`[^|]+?) \|", PAGE, re.MULTILINE)
    first = {name for row in rows for name in re.findall(r"`([^`]+)`", row)}
    files = {path.name + "/" * path.is_dir() for path in DATA.iterdir()}
    assert len(first) > 60 and not first - FIELDS - ALLOWED - files


def test_each_measure_stands_beside_its_units():
    rows = re.findall(r"^\| (`[A-Z_]+`[^|]*) \| ([^|]+) \|$", PAGE, re.MULTILINE)
    listed = {
        measure: tuple(re.findall("`([^`]+)`", units))
        for names, units in rows
        for measure in re.findall("`([^`]+)`", names)
    }
    assert listed == UNITS


def test_the_example_of_the_four_states_is_valid(tmp_path):
    """The lines of the example are put in the place of CLOCC's own."""
    example = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[1]
    for name in ("trials", "results"):
        (tmp_path / name).mkdir()
    (tmp_path / "sources.yaml").write_bytes((DATA / "sources.yaml").read_bytes())
    trial = (DATA / "trials" / "clocc.yaml").read_text(encoding="utf-8")
    for field in re.findall(r"^(\w+):", example, re.MULTILINE):
        own = re.search(rf"^  {field}:.*\n(?:   .*\n)*", trial, re.MULTILINE)[0]
        new = re.search(rf"^{field}:.*\n(?:  .*\n)*", example, re.MULTILINE)[0]
        trial = trial.replace(own, "".join(f"  {line}\n" for line in new.splitlines()))
    (tmp_path / "trials" / "clocc.yaml").write_text(trial, encoding="utf-8")

    clocc = load(tmp_path).trial("clocc")
    states = [
        clocc.workbook.centres, clocc.identificationModule.acronym, clocc.statusModule.whyStopped,
        clocc.workbook.plannedEnrollment,
    ]  # fmt: skip
    assert [one.state for one in states] == ["stated", "not stated", "not applicable", "conflicting"]

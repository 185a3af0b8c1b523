"""Reading data/: text stays text, and whatever is wrong is told in one sentence with file, line and field."""

import re
import shutil
from pathlib import Path

import pytest

from widgets.records.library import DATA, load
from widgets.records.reading import RecordError, read

# What YAML 1.1 makes into False, 90, a date, 1000.0, 12, None, infinity, 31 and a float.
GUESSED = ["no", "1:30", "2002-05-01", "1e3", "0o14", "014", "null", "~", "true", ".inf", "0x1F", "1_000", "=", "5"]
HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "{{ 7 * 7 }} %s ${x} `x` \\",
    "x" * 100_000,
    "肝转移 \u202e desrever \U0001f9ea e\u0301 ½ ⩽",
    "'; DROP TABLE trials; --",
]


@pytest.mark.parametrize("typed", GUESSED)
def test_every_scalar_stays_what_was_typed(tmp_path, typed):
    (tmp_path / "one.yaml").write_text(f"key: {typed}\nlist: [{typed}]\n", encoding="utf-8")
    assert read(tmp_path / "one.yaml").content == {"key": typed, "list": [typed]}


UNREADABLE = {
    "nothing": ("# only a comment\n", 1, "is empty"),
    "unclosed bracket": ("a: 1\nb: [1, 2\nc: 3\n", 3, "not valid YAML"),
    "tab for indentation": ("a: 1\nb:\n\t- 2\n", 3, "not valid YAML"),
    "unknown alias": ("a: 1\nb: *x\n", 2, "undefined alias"),
    "two documents": ("a: 1\n---\nb: 2\n", 2, "another document"),
    "control character": ("a: 1\nb: \x01\n", 2, "unprintable character"),
    "list as a field name": ("a: 1\n? [b]\n: 2\n", 2, "field name"),
    "value that contains itself": ("a: 1\nb: &b [*b]\n", 2, "too deeply"),
    "key twice": ("a: 1\nb: {c: 1,\n    c: 2}\n", 3, "b.c: written twice"),
    "blank": ("a: 1\nb: {c: }\n", 2, "b.c: blank"),
    "quoted blank": ("a: 1\nb: ['x', ' ']\n", 2, "b[1]: blank"),
    "blank paragraph": ("a: 1\nb: |\n\nc: 2\n", 2, "b: blank"),
    "empty list": ("a: 1\nb: []\n", 2, "b: blank"),
    "empty mapping": ("a: 1\nb: {}\n", 2, "b: blank"),
}


@pytest.mark.parametrize("text, line, message", UNREADABLE.values(), ids=UNREADABLE)
def test_a_file_that_cannot_be_read_is_answered_with_its_line(tmp_path, text, line, message):
    (tmp_path / "one.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(RecordError) as caught:
        read(tmp_path / "one.yaml")
    assert message in str(caught.value) and str(caught.value).startswith(f"one.yaml, line {line}, ")


def test_a_file_in_another_encoding_and_a_file_that_is_not_there(tmp_path):
    (tmp_path / "latin.yaml").write_bytes("é".encode("latin-1"))
    for name in ("latin.yaml", "none.yaml"):
        with pytest.raises(RecordError, match=f"{name}, line 1, file: cannot be read"):
            read(tmp_path / name)


# One small edit of data/ each: file, the text found there, what it becomes, a part of the line that
# is to be named, the field, what the message says.
CLOCC, RESULTS, EPOC = "trials/clocc.yaml", "results/clocc.yaml", "results/epoc.yaml"
EDITS = {
    "blank value": (CLOCC, "{value: CLOCC,", "{value: ,", "acronym:", "identificationModule.acronym.value", "blank"),
    "blank list": (CLOCC, "[PHASE2]", "[]", "phases:", "designModule.phases.value", "blank"),
    "field twice": (CLOCC, "  whyStopped:", "  overallStatus:", "low accrual", "statusModule.overallStatus", "twice"),
    "broken YAML": (CLOCC, "id: clocc\n", "id: [clocc\n", "identificationModule", "file", "not valid YAML"),
    "unknown field": (CLOCC, "place: gender", "place: x, color: y", "sex:", "eligibilityModule.sex.color", "unknown"),
    "unknown section": (CLOCC, "workbook:\n", "workbook:\n  motto: x\n", "motto", "workbook.motto", "unknown field"),
    "field missing": (CLOCC, ", place: gender", "", "sex:", "eligibilityModule.sex", "place is missing"),
    "missing in a block": (
        CLOCC, '    source: nct00043004\n    place: "detailed_description, outline"\n    note',
        "    source: nct00043004\n    note",
        "value: [treatment centre", "workbook.stratification", "place is missing",
    ),
    "wrong in a block": (
        CLOCC, '    source: nct00043004\n    place: "detailed_description, outline"\n    note',
        "    source: NCT 1\n    place: x\n    note",
        "source: NCT 1", "workbook.stratification.source", "NCT 1",
    ),
    "word for a count": (CLOCC, "value: 22,", "value: many,", "centres:", "workbook.centres.value", "whole number"),
    "half a centre": (CLOCC, "value: 22,", "value: 22.5,", "centres:", "workbook.centres.value", "whole number"),
    "count below nothing": (CLOCC, "value: 22,", "value: -2,", "centres:", "workbook.centres.value", "whole number"),
    "Python's digits": (CLOCC, "value: 22,", "value: 2_2,", "centres:", "workbook.centres.value", "whole number"),
    "list for a word": (CLOCC, "place: gender", "place: [a]", "sex:", "eligibilityModule.sex.place", "valid string"),
    "word for fields": (
        RESULTS, "analysisDate: NOT_STATED", "analysisDate: LATER",
        "LATER", "analyses[0].analysisDate", "'LATER'",
    ),
    "unknown enum": (
        CLOCC, "value: TERMINATED", "value: Ended",
        "Ended", "statusModule.overallStatus.value", "TERMIN",
    ),
    "unknown source": (CLOCC, "source: eortc-2017", "source: x-1", "centres:", "workbook.centres.source", "'x-1'"),
    "unknown source, not stated": (
        CLOCC, "{notStated: [nct00043004]}", "{notStated: [x-1]}",
        "completionDateStruct: {n", "statusModule.completionDateStruct.notStated[0]", "unknown source 'x-1'",
    ),
    "unknown source, report": (
        RESULTS, "    source: eortc-2017\n", "    source: x-1\n",
        "source: x-1", "analyses[3].source", "unknown source",
    ),
    "two states": (
        CLOCC, "{notStated: [nct00043004]}", "{notStated: [nct00043004], notApplicable: x}",
        "completionDateStruct: {n", "statusModule.completionDateStruct", "exactly one of value, notStated",
    ),
    "no state": (
        CLOCC, "{notStated: [nct00043004]}", "{note: x}",
        "completionDateStruct: {n", "statusModule.completionDateStruct", "exactly one of value, notStated",
    ),
    "bare value": (
        CLOCC, "{notStated: [nct00043004]}", "2007-06",
        "completionDateStruct: 2", "statusModule.completionDateStruct", "exactly one of value, notStated",
    ),
    "no list, no state": (
        "trials/nct06449937.yaml", "  changes: {notStated:", "  changes: {notStatd:",
        "notStatd:", "workbook.changes", "a list or notStated",
    ),
    "conflict that agrees": (
        CLOCC, "- {value: 142,", "- {value: 152,",
        "conflicting:\n      - {value: 152", "workbook.plannedEnrollment", "the values agree",
    ),
    "month 13": (
        CLOCC, "date: 2002-05", "date: 2002-13",
        "2002-13", "statusModule.startDateStruct.value.date", "a date",
    ),
    "30 February": (
        CLOCC, "date: 2002-05", "date: 2002-02-30",
        "02-30", "statusModule.startDateStruct.value.date", "a date",
    ),
    "date in words": (
        CLOCC, "date: 2002-05", "date: May",
        "e: May,", "statusModule.startDateStruct.value.date", "a date",
    ),
    "date of a report": (
        EPOC, "value: 2007-03", "value: 2007-3",
        "2007-3,", "analyses[1].analysisDate.value", "a date",
    ),
    "date of a source": (
        "sources.yaml", 'asOf: "2012-03-19"', "asOf: 2012-03-32",
        "-32", "sources[1].asOf", "a date",
    ),
    "malformed NCT number": (
        CLOCC, "value: NCT00043004", "value: NCT0043004",
        "NCT0043004,", "identificationModule.nctId.value", "NCT0043004",
    ),
    "malformed doi": (
        "sources.yaml", "doi: 10.1093/annonc/mds053", "doi: x",
        "doi: x", "sources[1].doi", "found 'x'",
    ),
    "file name and trial": (CLOCC, "id: clocc\n", "id: clock\n", "id: clock", "id", "expected clocc, as the file"),
    "file name and results": (
        RESULTS, "trial: clocc\n", "trial: x\n",
        "trial: x", "trial", "expected clocc, as the file",
    ),
    "arm twice": (
        CLOCC, "- id: systemic", "- id: combined",
        "id: combined\n      label: Systemic", "armsInterventionsModule.armGroups[1].id", "twice",
    ),
    "report twice": (
        RESULTS, "- id: note", "- id: letter",
        "- id: letter\n    title: Letter", "analyses[4].id", "twice",
    ),
    "number twice": (
        RESULTS, "{id: os.p,", "{id: os.rate.systemic.30,",
        "{id: os.rate.systemic.30", "analyses[0].results[8].id", "twice",
    ),
    "source twice": (
        "sources.yaml", "id: clocc-2012\n", "id: clocc-2017\n",
        "id: clocc-2017\n    title: First", "sources[1].id", "twice",
    ),
    "text without a source": (
        CLOCC, "{text: Fewer than 10 deposits in the liver, source: nct00043004,", "{text: Fewer than 10,",
        "Fewer than 10,", "workbook.population[1]", "name source and place",
    ),
    # --- numbers
    "unknown arm": (
        RESULTS, "arm: BETWEEN, estimate: 0.22", "arm: both, estimate: 0.22",
        "0.22", "analyses[0].results[8].arm", "unknown arm 'both'",
    ),
    "wrong unit": (
        RESULTS, '0.22, unit: "1"', '0.22, unit: "%"',
        "0.22", "analyses[0].results[8].unit", "expected 1",
    ),
    "P over 1": (RESULTS, "estimate: 0.22", "estimate: 1.22", "1.22", "analyses[0].results[8].estimate", "at most 1"),
    "below nothing": (
        RESULTS, "estimate: 0.22", "estimate: -1",
        "-1,", "analyses[0].results[8].estimate", "a number",
    ),
    "middle dot": (
        RESULTS, "estimate: 0.22", "estimate: 0·22",
        "0·22", "analyses[0].results[8].estimate", "a number",
    ),
    "not a number": (
        RESULTS, "estimate: 0.22", "estimate: nan",
        "nan", "analyses[0].results[8].estimate", "a number",
    ),
    "exponent": (RESULTS, "estimate: 0.22", "estimate: 2e-1", "2e-1", "analyses[0].results[8].estimate", "a number"),
    "P without test": (
        RESULTS, "test: NOT_STATED, sides: NOT_STATED, asWritten: P = 0.22", "asWritten: P = 0.22",
        "P = 0.22", "analyses[0].results[8]", "names its test and its sides",
    ),
    "not as written": (
        RESULTS, "asWritten: P = 0.22, ", "",
        "0.22", "analyses[0].results[8]", "asWritten is missing",
    ),
    "estimate outside": (
        RESULTS, "{lower: 0.42, upper: 0.95", "{lower: 0.64, upper: 0.95",
        "0.64", "analyses[0].results[12].interval", "0.64 to 0.95 does not contain 0.63",
    ),
    "outside its quartiles": (
        EPOC, "{lower: 7.6, upper: 9.5}", "{lower: 8.6, upper: 9.5}",
        "lower: 8.6", "analyses[2].results[5].interquartileRange", "does not contain 8.5",
    ),
    "lower over upper": (
        RESULTS, "{lower: 0.42, upper: 0.95", "{lower: 0.95, upper: 0.42",
        "0.95", "analyses[0].results[12].interval", "lower limit 0.95 is above upper limit 0.42",
    ),
    "level of 100": (
        RESULTS, "0.95, level: 95", "0.95, level: 100",
        "level: 100", "analyses[0].results[12].interval.level", "less than 100",
    ),
    "no level": (
        RESULTS, "0.95, level: 95,", "0.95,",
        "upper: 0.95", "analyses[0].results[12].interval", "level is missing",
    ),
    "interval in words": (
        RESULTS, "interval: {lower: 0.42, upper: 0.95, level: 95, method: NOT_STATED}", "interval: wide",
        "interval: wide", "analyses[0].results[12].interval", "NOT_APPLICABLE",
    ),
    "no time": (
        RESULTS, "        months: 30\n", "",
        "id: os.rate.combined.30", "analyses[0].results[4]", "needs its time",
    ),
    "no interval": (
        RESULTS, "        interval: {lower: 0.42, upper: 0.95, level: 95, method: NOT_STATED}\n", "",
        "id: pfs.hr", "analyses[0].results[12]", "needs estimator and interval",
    ),
    "over 100 %": (
        RESULTS, "estimate: 77.3", "estimate: 177.3",
        "177.3", "analyses[2].results[7].estimate", "over 100",
    ),
    "limit over 100 %": (
        RESULTS, "upper: 73.9", "upper: 173.9",
        "173.9", "analyses[0].results[4].interval", "over 100",
    ),
    "more deaths than patients": (
        RESULTS, "estimate: 53, unit: patients, of: 59, asWritten: 53 of 59",
        "estimate: 60, unit: patients, asWritten: x",
        "asWritten: x", "analyses[2].results[6].estimate", "60 deaths among 59 patients",
    ),
    "more than there are": (
        RESULTS, "92, unit: patients, of: 119", "92, unit: patients, of: 91",
        "of: 91", "analyses[2].results[4].of", "92 patients of 91",
    ),
    "half a patient": (
        RESULTS, "estimate: 92,", "estimate: 92.5,",
        "92.5", "analyses[2].results[4].estimate", "whole",
    ),
    "not stated, yet given": (
        RESULTS, "arm: BETWEEN, estimate: NOT_STATED, unit: patients, place: abstract}",
        "arm: BETWEEN, estimate: NOT_STATED, of: 60, unit: patients, place: abstract}",
        "of: 60,", "analyses[0].results[21].estimate", "NOT_STATED, yet",
    ),
    "unknown measure": (
        EPOC, "measure: EVENTS", "measure: EVENT",
        "EVENT,", "analyses[0].results[5].measure", "EVENTS",
    ),
    "unknown estimator, where it is defined": (
        RESULTS, "{value: KAPLAN_MEIER", "{value: KAPLAN",
        "KAPLAN,", "analyses[2].results[14].estimator.value", "KAPLAN",
    ),
}  # fmt: skip


@pytest.fixture
def folder(tmp_path) -> Path:
    return shutil.copytree(DATA, tmp_path / "data")


@pytest.mark.parametrize("file, old, new, named, field, message", EDITS.values(), ids=EDITS)
def test_one_wrong_edit_is_one_sentence_with_file_line_and_field(folder, file, old, new, named, field, message):
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text := text.replace(old, new, 1), encoding="utf-8")
    line = text.count("\n", 0, text.index(named)) + 1

    with pytest.raises(RecordError) as caught:
        load(folder)

    name = file.split("/")[-1]
    assert str(caught.value).startswith(f"{name}, line {line}, {field}: "), caught.value
    sentence = str(caught.value).split(f"{field}: ", 1)[1]
    assert message in sentence and "\n" not in sentence


def test_an_unchanged_copy_loads(folder):
    assert load(folder) == load(DATA)


def test_deaths_are_not_counted_against_an_enrolment_that_is_not_stated(folder):
    text = (folder / RESULTS).read_text(encoding="utf-8")
    own = re.search(r"\{id: n\.combined,[^}]*39 of 60[^}]*\}", text)[0]
    (folder / RESULTS).write_text(
        text.replace(own, own.replace("estimate: 60", "estimate: NOT_STATED")), encoding="utf-8"
    )
    assert not load(folder).result("clocc.2017.n.combined").result.stated


@pytest.mark.parametrize("text", HOSTILE, ids=["markup", "script", "template", "long", "unicode", "sql"])
def test_hostile_text_loads_as_text(folder, text):
    path = folder / CLOCC
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    old = "  title: Ablation added to chemotherapy when liver metastases cannot all be cut out"
    path.write_text(path.read_text(encoding="utf-8").replace(old, f"  title: {quoted}"), encoding="utf-8")
    assert load(folder).trial("clocc").workbook.title == text


def test_unknown_names_are_answered_with_near_ones():
    library = load(DATA)
    for ask, near in [
        (lambda: library.result("clocc.2017.os.h"), "clocc.2017.os.hr"),
        (lambda: library.trial("cloc"), "clocc"),
        (lambda: library.source("clocc-2018"), "clocc-2017"),
        (lambda: library.analysis("clocc.2018"), "clocc.2017"),
    ]:
        with pytest.raises(KeyError, match=re.escape(near)):
            ask()

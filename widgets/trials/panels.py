"""Exhibits of the trials room: what was asked, and what was done."""

from collections.abc import Iterator
from functools import reduce
from pathlib import Path
from typing import Any

import traitlets

from widgets.records.library import Published, records
from widgets.records.schema import (
    Conflicting,
    DateStruct,
    EnrollmentInfo,
    Evidence,
    NotApplicable,
    NotStated,
    Outcome,
    Stated,
    Statement,
    Trial,
)
from widgets.trials import figures
from widgets.ui.exhibit import Exhibit, State, View
from widgets.ui.table import Mark, Row, Table

FOLDER = Path(__file__).parent
FOUR = ("clocc", "nct04562727", "nct06120127", "nct06449937")


def evidence_mark(evidence: Evidence, field: str, value: str) -> Mark:
    """The source mark of a value in a trial file."""
    source = records().source(evidence.source)
    return Mark(source.title, source.citation, evidence.place, source.url, field, value)


class RecordSelection(traitlets.HasTraits):
    trial = traitlets.Enum(["clocc", "epoc", "nct04562727", "nct06120127", "nct06449937"], "clocc")
    part = traitlets.Enum(["rationale", "design", "arms", "population", "endpoints", "changes"], "design")


class TrialRecord(Exhibit):
    """What the sources say of a trial, item by item, with what they do not say and where they disagree."""

    selection_type = RecordSelection
    controls = ("trial", "part")
    folder = FOLDER

    def render(self, state: State) -> View:
        trial, part = records().trial(state["trial"]), state["part"]
        rows = [self._row(item, datum, f"{trial.id}.{field}") for item, datum, field in self._items(trial, part)]
        column, states = self.words["columns"]["state"], self.words["states"]
        missing, conflicting = (
            sum(row.cells[column] == states[kind] for row in rows) for kind in ("not stated", "conflicting")
        )
        name = self.words["parts"][part]
        summary = self.words["summary"].format(
            name=trial.name, part=name, n=len(rows), missing=missing, conflicting=conflicting
        )
        caption = self.words["caption"].format(name=trial.name, part=name)
        return View({}, summary, Table(caption, rows), f"{len(rows)} items, {missing} not stated")

    def _items(self, trial: Trial, part: str) -> Iterator[tuple[str, Any, str]]:
        """Name, datum and field of each item of a part."""
        words = self.words
        if part == "design":
            for field, name in words["fields"].items():
                yield name, reduce(getattr, field.split("."), trial), field
        elif part == "arms":
            groups = trial.armsInterventionsModule.armGroups
            if isinstance(groups, NotStated):
                yield words["no_arms"], groups, "armsInterventionsModule.armGroups"
            for arm in trial.arms.values():
                field = f"armsInterventionsModule.armGroups.{arm.id}"
                yield words["arm_described"].format(label=arm.label), arm.description, f"{field}.description"
                yield words["arm_type"].format(label=arm.label), arm.type, f"{field}.type"
        elif part == "endpoints":
            for kind, label in words["kinds"].items():
                field = f"outcomesModule.{kind}Outcomes"
                outcomes = getattr(trial.outcomesModule, f"{kind}Outcomes")
                if isinstance(outcomes, NotStated):
                    yield words["no_outcomes"].format(kind=label), outcomes, field
                    continue
                for outcome in outcomes:
                    name = words["outcome"].format(kind=label, measure=outcome.measure)
                    yield name, outcome, f"{field}.{outcome.id}"
        else:
            statements = getattr(trial.workbook, part)
            if isinstance(statements, NotStated):
                yield words["no_changes"], statements, f"workbook.{part}"
                return
            for number, statement in enumerate(statements, start=1):
                yield words["statement"].format(number=number), statement, f"workbook.{part}.{number - 1}"

    def _row(self, item: str, datum: Any, field: str) -> Row:
        columns = self.words["columns"]
        value = self._value(datum)
        if field.endswith(".overallStatus"):
            dates = dict.fromkeys(records().source(one.source).asOf for one in _stated_in(datum))
            known = " / ".join(self.words["no_date"] if date == "NOT_STATED" else date for date in dates)
            value = self.words["as_of"].format(value=value, date=known)
        note = getattr(datum, "note", None)
        cells = {
            columns["item"]: item,
            columns["value"]: self.words["noted"].format(value=value.rstrip("."), note=note) if note else value,
            columns["written"]: "; ".join(dict.fromkeys(one.asWritten for one in _stated_in(datum) if one.asWritten)),
            columns["state"]: self._state(datum),
        }
        return Row(cells, tuple(self._marks(datum, field, value)))

    def _state(self, datum: Any) -> str:
        if isinstance(datum, Outcome):
            datum = datum.timeFrame
        basis = self.words["bases"].get(getattr(datum, "basis", None))
        return basis or self.words["states"][getattr(datum, "state", "stated")]

    def _value(self, datum: Any) -> str:
        words = self.words
        match datum:
            case NotStated():
                return words["not_stated"]
            case NotApplicable():
                return words["not_applicable"].format(why=datum.notApplicable)
            case Conflicting():
                return words["conflicting"].format(values=" / ".join(self._value(one) for one in datum.conflicting))
            case Statement():
                return datum.text
            case Outcome():
                return words["measured"].format(value=self._value(datum.timeFrame))
        if datum.value == "AS_WRITTEN":
            return words["as_written"].format(written=datum.asWritten)
        return self._plain(datum.value)

    def _plain(self, value: Any) -> str:
        """A value as people say it: lists joined, parts of a structure side by side."""
        match value:
            case list():
                return ", ".join(map(self._plain, value))
            case DateStruct():
                return self._typed(value.date, value.type)
            case EnrollmentInfo():
                return self._typed(str(value.count), value.type)
        return self.words["values"].get(str(value), str(value))

    def _typed(self, text: str, kind: str) -> str:
        return text if kind == "NOT_STATED" else f"{text} ({kind.lower()})"

    def _marks(self, datum: Any, field: str, value: str) -> Iterator[Mark]:
        if isinstance(datum, NotStated):
            for source in map(records().source, datum.notStated):
                place = self.words["looked_in"].format(read=source.read)
                yield Mark(source.title, source.citation, place, source.url, field, "NOT_STATED")
        for one in _stated_in(datum):
            if one.source:
                yield evidence_mark(one, field, one.asWritten or value)


def _stated_in(datum: Any) -> list[Any]:
    """The pieces of evidence in a datum: one, several where sources conflict, or none."""
    if isinstance(datum, Conflicting):
        return datum.conflicting
    if isinstance(datum, Outcome):
        return [datum, *_stated_in(datum.timeFrame)]
    return [datum] if isinstance(datum, Stated | Statement) else []


class NoChoices(traitlets.HasTraits):
    """The selection of an exhibit that has nothing to choose."""


class FourQuestions(Exhibit):
    """One field, four questions: the PICO of each trial, side by side."""

    selection_type = NoChoices
    folder = FOLDER

    def render(self, state: State) -> View:
        words = self.words
        trials = [records().trial(identifier) for identifier in FOUR]
        columns = [
            (trial.name, self._allocation(trial), trial.workbook.pico.model_dump(include=set(words["parts"])))
            for trial in trials
        ]
        figure = figures.questions(columns, words["parts"], words["title"])
        rows = []
        for trial, (name, allocation, texts) in zip(trials, columns, strict=True):
            cells = {words["columns"]["trial"]: name, words["columns"]["question"]: trial.workbook.title}
            cells |= {words["columns"][part]: texts[part] for part in words["parts"]}
            cells[words["columns"]["allocation"]] = allocation
            pico, design = trial.workbook.pico.basis, trial.designModule.designInfo.allocation
            marks = (
                evidence_mark(pico, f"{trial.id}.workbook.pico", trial.workbook.title),
                evidence_mark(design, f"{trial.id}.designModule.designInfo.allocation", design.value),
            )
            rows.append(Row(cells, marks))
        questions = "; ".join(
            f"{trial.name}: {trial.workbook.title[0].lower()}{trial.workbook.title[1:]}" for trial in trials
        )
        return View(
            figure,
            words["summary"].format(questions=questions),
            Table(words["caption"], rows),
            f"{len(trials)} trials",
        )

    def _allocation(self, trial: Trial) -> str:
        return self.words["allocations"][trial.designModule.designInfo.allocation.value]


class FlowSelection(traitlets.HasTraits):
    trial = traitlets.Enum(["clocc", "epoc"], "clocc")


# Where each stage of a flow stands in the results: per arm, or for all. None: looked for, not stated.
STAGES: dict[str, dict[str, str | None]] = {
    "clocc": {
        "allocated": "2017.n.{arm}",
        "treated": "",
        "received": None,
        "excluded": "letter.excluded.{arm}",
        "lost": None,
        "analysed": "letter.denominator.{arm}",
        "died": "2017.deaths.{arm}",
    },
    "epoc": {
        "allocated": "2008.n.{arm}",
        "treated": "",
        "eligible": "2008.eligible.{arm}",
        "resected": "2008.resected.{arm}",
        "lost": None,
        "died": "2008.deaths.{arm}",
    },
}
TOTAL = {"clocc": "clocc.2017.n.total", "epoc": "epoc.2008.n.total"}


class TrialFlow(Exhibit):
    """Design and flow of a trial, with the counts that are published and those that are not stated."""

    selection_type = FlowSelection
    controls = ("trial",)
    folder = FOLDER

    def render(self, state: State) -> View:
        trial = records().trial(state["trial"])
        words, columns = self.words, self.words["columns"]
        total = records().result(TOTAL[trial.id])
        missing = words["not_stated"]
        head = [
            (words["stages"]["assessed"], words["assessed"][trial.id], False),
            (words["stages"]["randomised"], words["count"].format(n=total.result.estimate), True),
        ]
        rows = [
            Row({columns["stage"]: head[0][0], columns["arm"]: words["both"], columns["count"]: head[0][1]}),
            Row(
                {
                    columns["stage"]: head[1][0],
                    columns["arm"]: words["both"],
                    columns["count"]: total.result.estimate,
                },
                (Mark.of(total),),
            ),
        ]
        arms = []
        for arm in trial.arms.values():
            boxes = []
            for stage, address in STAGES[trial.id].items():
                name = words["stages"][stage].format(arm=arm.label.lower())
                if address == "":
                    text, marks, stated = arm.description.value, self._treatment_mark(trial, arm.id), True
                elif address is None:
                    text, marks, stated = missing, (), False
                else:
                    one = records().result(f"{trial.id}.{address.format(arm=arm.id)}")
                    text, marks, stated = self._count(one), (Mark.of(one),), True
                boxes.append((name, text, stated))
                rows.append(
                    Row({columns["stage"]: name, columns["arm"]: arm.shortLabel, columns["count"]: text}, marks)
                )
            arms.append((arm.shortLabel, boxes))
        figure = figures.flow(head, arms, words["title"].format(name=trial.name))
        table = Table(words["caption"].format(name=trial.name), rows)
        return View(figure, self._say(trial, total), table, f"{total.result.estimate} randomised")

    def _treatment_mark(self, trial: Trial, arm: str) -> tuple[Mark, ...]:
        description = trial.arms[arm].description
        field = f"{trial.id}.armsInterventionsModule.armGroups.{arm}.description"
        return (evidence_mark(description, field, description.value),)

    def _count(self, one: Published) -> str:
        result = one.result
        if result.of:
            return self.words["died"].format(n=result.estimate, of=result.of)
        return self.words["count"].format(n=result.estimate)

    def _say(self, trial: Trial, total: Published) -> str:
        def both(address: str, name: str) -> dict[str, object]:
            counts = [records().result(f"{trial.id}.{address.format(arm=arm)}").result.estimate for arm in trial.arms]
            return dict(zip((f"{name}first", f"{name}second"), counts, strict=True))

        stages = STAGES[trial.id]
        numbers = both(stages["allocated"], "") | both(stages["died"], "died_")
        if "resected" in stages:
            numbers |= both(stages["resected"], "resected_")
        return self.words["summary"][trial.id].format(total=total.result.estimate, **numbers)

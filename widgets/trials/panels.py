"""Exhibits of the trials room: what was asked, and what was done."""

from pathlib import Path

import traitlets

from widgets.records.library import Published, records
from widgets.records.schema import Evidence, Trial
from widgets.trials import figures
from widgets.ui.exhibit import Exhibit, State, View
from widgets.ui.table import Mark, Row, Table

FOLDER = Path(__file__).parent
FOUR = ("clocc", "nct04562727", "nct06120127", "nct06449937")


def evidence_mark(evidence: Evidence, field: str, value: str) -> Mark:
    """The source mark of a value in a trial file."""
    source = records().source(evidence.source)
    return Mark(source.title, source.citation, evidence.place, source.url, field, value)


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
                name = words["stages"][stage]
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

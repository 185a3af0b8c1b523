"""Exhibits and labs, in every state that they can reach."""

import csv
import html
import io
import re

import ipywidgets as ipw
import plotly.graph_objects as go
import pytest
import traitlets

import widgets
from tests.exhibits import EXHIBITS, LABS, PANELS, in_every_state
from widgets import Differences, IconArrays, OverallSurvival, SingleArmTarget, TrialRecord
from widgets.ui.plotview import PlotView
from widgets.ui.theme import LIGHT

NUMBER = re.compile(r"[−-]?\d+(?:\.\d+)?")
COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}\b")


def colours(value):
    if isinstance(value, str):
        yield from COLOUR.findall(value)
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from colours(item)


@pytest.mark.parametrize("panel", EXHIBITS, ids=lambda panel: panel.__name__)
def test_an_exhibit_is_one_idea(panel):
    assert len(panel.controls) <= 4
    assert 1 <= len(list(panel().states())) <= 120


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.__name__)
def test_every_state_has_figure_sentence_table_and_one_line(panel):
    for shown in in_every_state(panel):
        view = shown.view()
        figure = shown.figure()  # raises where plotly would not understand it
        assert isinstance(figure, go.Figure) and len(figure.data) == len(view.figure.get("data", []))
        assert len(shown.summary()) > 30 and shown.summary().endswith(".")
        assert view.table.rows and all(row.cells for row in view.table.rows)
        line = repr(shown)
        assert len(line) <= 110 and "\n" not in line and "0x" not in line
        assert html.escape(shown.summary()) in shown.html() or panel in LABS
        assert set(colours(view.figure)) <= set(LIGHT.values()), "a colour without a dark twin"


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.__name__)
def test_every_row_with_a_number_leads_to_a_source(panel):
    for shown in in_every_state(panel):
        for row in shown.view().table.rows:
            if any(re.search(r"\d", str(cell)) for cell in list(row.cells.values())[1:]):
                assert row.marks, row.cells
            for mark in row.marks:
                assert mark.url.startswith("http") and mark.place and mark.field and mark.value


@pytest.mark.parametrize("panel", [OverallSurvival, Differences, IconArrays], ids=lambda panel: panel.__name__)
def test_the_sentence_says_the_numbers_of_the_table(panel):
    """Each decimal number of the sentence stands in the table, on the scale the sentence speaks of."""
    for shown in in_every_state(panel):
        if shown.state.get("scale", "survival") != "survival":
            continue
        cells = {str(cell).replace("-", "−") for row in shown.view().table.rows for cell in row.cells.values()}
        said = re.sub(r"[Rr]eport of \d+|\d+ months|\d+ years|95 %|of 100", "", shown.summary())
        for number in NUMBER.findall(said):
            spellings = {number, number.removeprefix("−"), f"−{number.removeprefix('−')}"}
            assert spellings & cells or number in {"3", "5", "8", "100"}, (number, shown.summary())


def test_arms_differ_by_more_than_colour():
    data = OverallSurvival(report="both").view().figure["data"]
    marked = [trace for trace in data if trace["mode"] == "markers" and trace.get("yaxis") is None]
    symbols = {trace["marker"]["symbol"] for trace in marked}
    assert len(symbols) == len(marked) == 4
    dashes = {trace["line"]["color"]: trace["line"]["dash"] for trace in data if trace["mode"] == "lines"}
    assert len(set(dashes.values())) == 2


def test_points_of_the_two_reports_are_never_joined():
    for trace in OverallSurvival(report="both").view().figure["data"]:
        if "lines" in trace["mode"]:
            runs = [run for run in ",".join(map(str, trace["x"])).split("None") if run.strip(",")]
            for run in runs:
                xs = {float(x) for x in run.strip(",").split(",")}
                ys = {y for y in trace["y"] if y is not None}
                assert len(xs) == 1 or len(ys) == 1, "a line that joins two landmarks"


def test_unknown_choices_and_bad_values_are_refused_with_what_is_known():
    with pytest.raises(
        TypeError, match=r"OverallSurvival: unknown choice 'year'; known: report, arms, interval, scale"
    ):
        OverallSurvival(year=2017)
    with pytest.raises(ValueError, match=r"report cannot be '2016'; expected '2012' or '2017' or 'both'"):
        OverallSurvival(report="2016")
    with pytest.raises(ValueError, match=r"alive cannot be -1; expected an int from 0 to 1000"):
        SingleArmTarget(alive=-1)


def test_exhibits_share_one_selection_and_controls_write_it():
    first = OverallSurvival(report="2017")
    second = Differences(selection=first.selection)
    control = next(child for child in second.widget.children[0].children if child.description == "Report")
    control.value = "2012"
    assert first.selection.report == "2012"
    assert "2012" in first.summary() and "30 months" in first.plot.label
    first.choose(report="2017")
    assert control.value == "2017"


def test_a_click_on_a_landmark_moves_the_icon_arrays():
    survival = OverallSurvival()
    icons = IconArrays(selection=survival.selection)
    survival.plot.event = {"kind": "click", "points": [{"customdata": 60}], "number": 1}
    assert icons.state["months"] == 60 and "5 years" in icons.summary()
    survival.plot.event = {"kind": "click", "points": [], "number": 2}
    assert icons.state["months"] == 60


def test_one_change_is_one_message(monkeypatch):
    exhibit = OverallSurvival()
    sent = []
    plot = exhibit.plot
    monkeypatch.setattr(PlotView, "send_state", lambda self, key=None: sent.append((self, set(key))))
    exhibit.choose(scale="log_log")
    messages = [key for who, key in sent if who is plot]
    assert len(messages) == 1 and {"figure", "table", "csv"} <= set(messages[0])


def test_rendering_does_not_touch_the_selection():
    shown = OverallSurvival(report="2012", scale="log_log")
    before = dict(shown.state)
    shown.render({"report": "both", "arms": "both", "interval": False, "scale": "survival"})
    assert shown.state == before


def test_the_mimebundle_can_be_read_without_a_kernel():
    bundle = OverallSurvival()._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", "application/vnd.jupyter.widget-view+json"}
    assert "<table>" in bundle["text/html"] and "56.9 %" in bundle["text/html"]


def test_a_lab_starts_from_its_examples_and_knows_when_it_left_them():
    lab = SingleArmTarget()
    start, alive, *_ = lab.widget.children[0].children
    assert start.value == lab.examples()[0][0]
    start.value = lab.examples()[1][0]
    assert lab.state == {"alive": 34, "n": 59, "target": 38.0}
    alive.value = 20
    assert start.value == "your own numbers" and "does not beat" in lab.summary()
    lab.choose(alive=70)
    assert "More alive (70) than patients (59)" in lab.plot.label
    for name, _ in lab.examples():
        assert name in lab.html()


def test_controls_are_those_a_screen_reader_can_read():
    readable = (ipw.RadioButtons, ipw.Dropdown, ipw.Checkbox, ipw.BoundedIntText, ipw.BoundedFloatText)
    for panel in PANELS:
        row = panel().widget.children[0]
        for control in row.children if isinstance(row, ipw.Box) else ():
            assert isinstance(control, readable) and control.description, panel


def test_csv_holds_the_numbers_with_their_sources():
    exhibit = Differences(measure="ratio")
    rows = list(csv.DictReader(io.StringIO(exhibit.plot.csv)))
    frame = exhibit.table()
    assert len(rows) == len(frame) == 5
    assert float(rows[2]["Estimate"]) == frame["Estimate"][2] == 0.70
    assert all(row["url"].startswith("http") and row["place"] and row["field"] for row in rows)
    assert all("Data checked" in row["notice"] and widgets.__version__ in row["notice"] for row in rows)


def test_states_of_a_value_cannot_be_confused():
    frame = TrialRecord(trial="nct04562727", part="design").table()
    assert frame["State"].isin(TrialRecord(trial="clocc").words["states"].values()).sum() + frame["State"].isin(
        TrialRecord(trial="clocc").words["bases"].values()
    ).sum() == len(frame)
    assert not frame["What stands there"].eq("").any()
    assert "conflicting" in " ".join(TrialRecord(trial="clocc", part="design").table()["State"])


def test_a_selection_of_another_kind_of_choice_cannot_be_enumerated():
    class Free(traitlets.HasTraits):
        report = traitlets.Int(1, min=0, max=3)

    class Wrong(OverallSurvival):
        selection_type = Free
        controls = ("report",)

    with pytest.raises(TypeError, match="must be an Enum or a Bool, not Int"):
        list(Wrong().states())

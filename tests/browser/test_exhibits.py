"""Every exhibit of every notebook, used as a reader uses it: what is drawn is what Python says."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import traitlets
from playwright.sync_api import Locator, Page, expect

from tests.browser.lab import Book, Server, Shown
from widgets.ui.exhibit import Lab

pytestmark = pytest.mark.browser

Hand = Callable[[Shown, str, Any], None]


def test_runs_without_errors(running: Book) -> None:
    assert running.errors() == []
    expect(running.page.get_by_text("Error displaying")).to_have_count(0)


def with_mouse(shown: Shown, name: str, value: Any) -> None:
    control = shown.control(name)
    if isinstance(value, bool):
        control.click()
    elif "options" not in shown.words[name]:
        control.fill(str(value))
        control.blur()
    elif control.evaluate("(e) => e.tagName") == "SELECT":
        control.select_option(label=shown.option(name, value))
    else:
        control.get_by_role("radio", name=shown.option(name, value), exact=True).click()


def with_keyboard(shown: Shown, name: str, value: Any) -> None:
    control, keyboard = shown.control(name), shown.book.page.keyboard
    if isinstance(value, bool):
        shown.reach(control)
        keyboard.press("Space")
    elif "options" not in shown.words[name]:
        shown.reach(control)
        keyboard.press("ControlOrMeta+a")
        keyboard.type(str(value))
        keyboard.press("Enter")
    else:
        dropdown = control.evaluate("(e) => e.tagName") == "SELECT"
        shown.reach(control if dropdown else control.locator("input:checked"))
        values = shown.kind.selection_type.class_traits()[name].values
        steps = values.index(value) - values.index(shown.state()[name])
        for _ in range(abs(steps)):
            keyboard.press("ArrowDown" if steps > 0 else "ArrowUp")


def other_values(shown: Shown, name: str) -> list[Any]:
    """Values to go through: every one that a choice has, and for a number its neighbour and back."""
    now, trait = shown.state()[name], shown.kind.selection_type.class_traits()[name]
    if isinstance(trait, traitlets.Bool):
        return [not now, now]
    if isinstance(trait, traitlets.Enum):
        return [*(value for value in trait.values if value != now), now]
    return [now + 1, now]


def use(shown: Shown, name: str, hand: Hand) -> None:
    """Go through the values of a control. A choice that changes nothing would be a broken control."""
    for value in other_values(shown, name):
        times, view = shown.drawn()["times"], shown.view()
        hand(shown, name, value)
        assert shown.state()[name] == value
        shown.settled()
        assert shown.view() != view
        assert not shown.view().figure or shown.drawn()["times"] > times


def test_each_control_changes_what_is_drawn(running: Book, subtests: pytest.Subtests) -> None:
    for shown in running.exhibits():
        for name in shown.kind.controls:
            with subtests.test(exhibit=str(shown), control=name):
                use(shown, name, with_mouse)


def test_each_control_needs_no_mouse(running: Book, subtests: pytest.Subtests) -> None:
    for shown in {str(shown): shown for shown in running.exhibits()}.values():  # one of each kind
        for name in shown.kind.controls:
            with subtests.test(exhibit=str(shown), control=name):
                use(shown, name, with_keyboard)


def test_worked_examples_fill_the_form(running: Book, subtests: pytest.Subtests) -> None:
    for shown in running.exhibits():
        if not issubclass(shown.kind, Lab):
            continue
        for name, state in shown.kind().examples():
            with subtests.test(exhibit=str(shown), example=name):
                shown.output.get_by_role("combobox").first.select_option(label=name)
                expect(shown.figure).to_have_attribute("aria-label", shown.kind(**state).summary())
                assert shown.state() == state
                shown.settled()


def test_the_keyboard_opens_table_and_sources(running: Book, subtests: pytest.Subtests) -> None:
    for shown in running.exhibits():
        with subtests.test(exhibit=str(shown)):
            table = shown.figure.locator(".crlm-table")
            if not table.is_visible():
                press(shown, shown.figure.locator("> details > summary"), "Enter")
            expect(table).to_be_visible()
            mark = shown.view().table.rows[-1].marks[-1]
            details = table.locator("details").last
            press(shown, details.locator("summary"), "Space")
            expect(details.get_by_role("link")).to_have_attribute("href", mark.url)
            expect(details.get_by_role("link")).to_have_text(mark.citation)
            expect(details.get_by_text(mark.place).first).to_be_visible()
            expect(details.locator("pre").last).to_contain_text(mark.field)
            press(shown, details.locator("summary"), "Space")
            expect(details.locator("pre").last).to_be_hidden()


def press(shown: Shown, summary: Locator, key: str) -> None:
    summary.focus()
    shown.book.page.keyboard.press(key)
    expect(summary).to_be_focused()  # Lab, too, listens to keys


def download(shown: Shown, button: str) -> Path:
    shown.book.pause(0.1)  # Chromium drops the eleventh download within a second
    with shown.book.page.expect_download() as waiting:
        shown.figure.get_by_role("button", name=button).click()
    return Path(waiting.value.path())


def test_downloads_hold_the_numbers_and_their_sources(running: Book, subtests: pytest.Subtests) -> None:
    for shown in running.exhibits():
        with subtests.test(exhibit=str(shown)):
            twin = shown.twin()
            rows = list(csv.DictReader(io.StringIO(download(shown, "CSV").read_text("utf-8-sig"))))
            table = twin.table().to_dict("records")
            assert len(rows) == len(table)
            for row, wanted in zip(rows, table, strict=True):
                assert {name: plain(row[name]) for name in wanted} == {name: plain(v) for name, v in wanted.items()}
                assert row["notice"] == twin.credit().replace("\n", " ")
            assert any(row["source"] and row["url"].startswith("https://") for row in rows)
            if not twin.view().figure:
                continue
            svg = ElementTree.fromstring(download(shown, "SVG").read_bytes())
            assert without_spaces(twin.credit()) in without_spaces("".join(svg.itertext()))
            assert download(shown, "PNG").read_bytes().startswith(b"\x89PNG\r\n")


def plain(value: Any) -> Any:
    """A cell as a number where it is one; CSV puts a mark before what a spreadsheet would run."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return "" if value is None or value != value else str(value).removeprefix("'")


def without_spaces(text: str) -> str:
    return "".join(text.split())


def test_a_click_on_a_landmark_changes_icon_arrays_of_the_same_selection(page: Page, server: Server) -> None:
    name = server.write(
        "click.ipynb",
        "from widgets import IconArrays, OverallSurvival\nsurvival = OverallSurvival(report='2017')\nsurvival",
        "IconArrays(selection=survival.selection)",
    )
    survival, icons = Book(page, server.address, name).run().exhibits()
    for number, months in enumerate((36, 60, 96)):
        survival.chart.scroll_into_view_if_needed()
        marker = survival.chart.locator(".scatterlayer .trace .points path").nth(number)
        box = marker.bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.up()
        expect(icons.figure).to_have_attribute("aria-label", icons.kind(months=months).summary())
        assert icons.state()["months"] == months
        icons.settled()

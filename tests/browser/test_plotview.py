"""PlotView in a page: loads plotly.js once, cleans up behind itself, says what went wrong."""

import pytest
from playwright.sync_api import Page, WebSocket, expect

from tests.browser.lab import LIVE, Book, Server, Watch
from widgets.ui.plotview import HERE, packed_plotly_js
from widgets.ui.words import catalogue

pytestmark = pytest.mark.browser

SHOW = "from widgets import OverallSurvival\n\nOverallSurvival()"
WITHOUT_PLOTLY = """
from pathlib import Path
from widgets.ui import plotview
found = plotview.plotly_js
plotview.plotly_js = lambda: Path("/nowhere/plotly.min.js")
plotview.packed_plotly_js.cache_clear()
"""


def test_a_page_loads_plotly_once_for_all_its_charts(page: Page, server: Server) -> None:
    sizes: list[int] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: sizes.append(len(frame)))

    page.on("websocket", listen)
    book = Book(page, server.address, server.write("several.ipynb", SHOW, SHOW, SHOW)).run()
    assert [shown.drawn()["times"] for shown in book.exhibits()] == [1, 1, 1]
    assert sum(size >= len(packed_plotly_js()) for size in sizes) == 1
    assert page.evaluate("typeof Plotly") == "undefined"  # the page's own names stay as they were


def test_charts_that_are_gone_leave_nothing_behind(page: Page, server: Server) -> None:
    book = Book(page, server.address, server.write("again.ipynb", SHOW)).run()
    page.evaluate("globalThis.gone = []")
    for _ in range(5):
        page.evaluate("gone.push(...document.querySelectorAll('.crlm-chart'))")
        book.run()
    expect(page.locator(LIVE)).to_have_count(1)
    assert page.evaluate("gone.length") == 5
    # Purged: plotly keeps nothing on them. Deaf: a new theme redraws the living one alone.
    page.wait_for_function("gone.every((chart) => !chart.isConnected && !chart.data && !chart._fullLayout)")
    drawn = page.evaluate("gone.map((chart) => chart.dataset.drawn)")
    (living,) = book.exhibits()
    with book.theme("JupyterLab Dark"):
        living.settled(dark=True)
    living.settled()
    assert page.evaluate("gone.map((chart) => chart.dataset.drawn)") == drawn
    page.evaluate("gone.push(...document.querySelectorAll('.crlm-chart'))")
    book.command("notebook:clear-all-cell-outputs")
    page.wait_for_function("gone.length === 6 && gone.every((chart) => !chart.data)")


def test_a_chart_that_cannot_be_drawn_says_why_and_a_later_one_recovers(page: Page, server: Server) -> None:
    name = server.write("broken.ipynb", WITHOUT_PLOTLY, SHOW, "plotview.plotly_js = found", SHOW)
    book = Book(page, server.address, name)
    book.run_cells(0, 1)
    (broken,) = book.exhibits()
    expect(broken.figure.get_by_role("alert")).to_contain_text(catalogue(HERE)["plot_view"]["failed"])
    expect(broken.figure.get_by_role("alert")).to_contain_text("/nowhere/plotly.min.js")
    expect(broken.figure.locator(".crlm-sentence")).to_have_text(broken.view().summary)  # words need no chart
    book.run_cells(2, 3)
    _, mended = book.exhibits()
    mended.settled()
    expect(mended.figure.get_by_role("alert")).to_have_count(0)


def test_the_watch_sees_what_is_forbidden(page: Page, watch: Watch) -> None:
    with page.expect_console_message(lambda message: "elsewhere" in message.text or "ERR_" in message.text):
        page.evaluate("console.error('made for this test'); fetch('http://elsewhere.invalid/').catch(() => null)")
    problems, watch.problems = "\n".join(watch.problems), []
    assert "made for this test" in problems
    assert "request to http://elsewhere.invalid/" in problems

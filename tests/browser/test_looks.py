"""Light and dark, wide and narrow: right colours, nothing cut off, and readable for assistive technology."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.lab import ARTEFACTS, LIVE, NARROW, WIDE, Book, Shown, eventually
from widgets.ui.theme import DARK, LIGHT

pytestmark = pytest.mark.browser

THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
WIDTHS = {"wide": WIDE, "narrow": NARROW}
# Words that stick out to the left or right of their chart, once it has taken the width it has.
OUTSIDE = """(chart) => {
  const frame = chart.getBoundingClientRect();
  if (chart.data && chart._fullLayout.width !== chart.clientWidth) return ["still resizing"];
  return [...chart.querySelectorAll("svg text")]
    .filter((text) => text.textContent.trim())
    .filter((text) => {
      const { left, right } = text.getBoundingClientRect();
      return left < frame.left - 1 || right > frame.right + 1;
    })
    .map((text) => text.textContent);
}"""


@pytest.fixture(params=WIDTHS)
def width(request: pytest.FixtureRequest, running: Book) -> Iterator[str]:
    """The window in a width, without Lab's side bar where it is narrow; then wide again."""
    # High enough for the tallest exhibit, so that its picture is whole.
    running.page.set_viewport_size(WIDTHS[request.param] | {"height": 3200})
    if request.param == "narrow":
        running.page.evaluate("jupyterapp.shell.collapseLeft()")
    yield request.param
    running.page.evaluate("jupyterapp.shell.expandLeft()")
    running.page.set_viewport_size(WIDE)


@pytest.mark.parametrize("theme", THEMES)
def test_colours_follow_the_theme(running: Book, subtests: pytest.Subtests, width: str, theme: str) -> None:
    with running.theme(THEMES[theme]) as dark:
        for number, shown in enumerate(running.exhibits(), start=1):
            with subtests.test(exhibit=str(shown)):
                shown.settled(dark)
                if shown.view().figure:
                    ink = (DARK if dark else LIGHT)["ink"]
                    red, green, blue = bytes.fromhex(ink[1:])
                    expect(shown.chart.locator(".gtitle")).to_have_css("fill", f"rgb({red}, {green}, {blue})")
                shown.figure.locator("td details").evaluate_all("(all) => all.forEach((one) => (one.open = false))")
                shown.output.screenshot(
                    path=ARTEFACTS / f"{running.name.partition('.')[0]}-{number}-{shown}-{theme}-{width}.png"
                )


def test_nothing_sticks_out(running: Book, subtests: pytest.Subtests, width: str) -> None:
    for shown in running.exhibits():
        with subtests.test(exhibit=str(shown)):
            eventually(lambda shown=shown: inside(shown), running.pause, patience=10)
            # A chart that is wider than the page scrolls in a frame of its own.
            assert shown.figure.evaluate("(figure) => figure.scrollWidth <= figure.clientWidth")


def inside(shown: Shown) -> None:
    assert shown.chart.evaluate(OUTSIDE) == []


@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing(running: Book, theme: str) -> None:
    with running.theme(THEMES[theme]) as dark:
        for shown in running.exhibits():
            shown.settled(dark)
            shown.figure.locator("details").evaluate_all("(all) => all.forEach((one) => (one.open = true))")
        found = Axe().run(running.page, context=f".jp-OutputArea-output:has({LIVE})")
        assert found.violations_count == 0, found.generate_report()

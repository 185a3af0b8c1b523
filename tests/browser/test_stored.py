"""Every notebook can be read before it is run."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.lab import ARTEFACTS, NOTEBOOKS, UNREAD, Book, Server

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_shows_picture_sentence_and_table_without_a_run(page: Page, server: Server, notebook: Path) -> None:
    book = Book(page, server.address, notebook.name, UNREAD)
    page.screenshot(path=ARTEFACTS / f"stored-{notebook.stem}.png")
    seen = []
    for shown in book.exhibits():
        seen.append(str(shown))
        stored = shown.output.locator(".crlm-exhibit")
        expect(stored.locator("p").first).to_be_visible()
        expect(stored.locator("table").first).to_be_visible()
        if shown.kind().view().figure:
            picture = stored.locator("img").first
            expect(picture).to_be_visible()
            assert picture.evaluate("(image) => image.naturalWidth") > 400
            assert picture.get_attribute("alt")
    assert seen
    expect(page.get_by_text("Error displaying")).to_have_count(0)
    expect(page.locator(".Toastify__toast, .jp-Dialog")).to_have_count(0)


def test_a_saved_notebook_can_be_read_when_its_kernel_is_gone(page: Page, server: Server) -> None:
    """A reader's own copy: run, saved, closed and opened again."""
    name = server.write("saved.ipynb", "from widgets import OverallSurvival\nOverallSurvival()")
    book = Book(page, server.address, name).run()
    (shown,) = book.exhibits()
    said = shown.view().summary
    book.command("docmanager:save")
    page.evaluate("jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    page.goto("about:blank")
    Book(page, server.address, name)
    figure = page.locator(".crlm-figure")
    expect(figure.locator(".crlm-sentence")).to_have_text(said)
    expect(page.get_by_text("Error displaying")).to_have_count(0)
    expect(figure.locator(".crlm-notice")).to_contain_text("Run All Cells", timeout=30_000)

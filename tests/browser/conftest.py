"""One JupyterLab and one browser for all tests of this folder; every test also fails on what `Watch` sees."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.lab import NOTEBOOKS, PATIENCE, WIDE, Book, Server, Watch
from widgets.publish.pictures import CHROMIUM_NAMES, CHROMIUM_OPTIONS, chromium

expect.set_options(timeout=15_000)  # patience on a busy machine

# Package scope: all is closed when the last test of this folder is done, because Playwright's
# synchronous interface cannot be started a second time in a thread, as other tests do.


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    executable = chromium()
    if executable is None:
        reason = f"needs a Chromium, looked for as {', '.join(CHROMIUM_NAMES)}"
        # Where every test must run, one that cannot is a failure.
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("lab"))
    yield server
    server.stop()


@pytest.fixture(scope="package")
def context(browser: Browser, server: Server) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport=WIDE, accept_downloads=True)
    yield context
    context.close()


@pytest.fixture(scope="package")
def watch(context: BrowserContext, server: Server) -> Watch:
    return Watch(context, server.address)


@pytest.fixture(autouse=True)
def nothing_forbidden(watch: Watch) -> Iterator[None]:
    """No error in the console, no request to another host: asked after every test."""
    yield
    problems, watch.problems = watch.problems, []
    assert not problems


@pytest.fixture
def page(context: BrowserContext, watch: Watch) -> Iterator[Page]:
    page = context.new_page()
    yield page
    page.close()


@pytest.fixture(scope="package", params=NOTEBOOKS, ids=lambda path: path.stem)
def running(request: pytest.FixtureRequest, context: BrowserContext, server: Server, watch: Watch) -> Iterator[Book]:
    """A notebook after Run All. It is shared: a test must not rely on the choices it finds."""
    page = context.new_page()
    page.set_default_timeout(1000 * PATIENCE)
    yield Book(page, server.address, request.param.name).run()
    page.close()

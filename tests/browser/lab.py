"""JupyterLab in a browser: a server of its own, a notebook in it, and each exhibit beside its Python twin."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import traitlets
from playwright.sync_api import BrowserContext, Locator, Page, expect

import widgets
from widgets.ui.exhibit import Panel, View
from widgets.ui.theme import SWAP

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
ARTEFACTS = ROOT / "tests/artefacts"
WIDE, NARROW = {"width": 1400, "height": 1000}, {"width": 420, "height": 1000}
PATIENCE = 60  # seconds, for a start or a run on a busy machine
UNREAD = "unread"  # the folder of notebooks that no test runs
LIVE = ".crlm-figure"
# What the page holds of the notebook, as the reader would save it.
CELLS = "[...jupyterapp.shell.currentWidget.content.model.cells].map((cell) => cell.toJSON())"
# Lab runs nothing, and says nothing, while the kernel is on its way.
READY = """() => {
  const session = window.jupyterapp?.shell.currentWidget?.sessionContext;
  return session?.isReady && session.session?.kernel?.connectionStatus === "connected"
    && session.session.kernel.status === "idle" && jupyterapp.shell.currentWidget.context.isReady;
}"""
DRAWN = """(figure) => {
  const chart = figure.querySelector(".crlm-chart");
  return {
    data: chart.data ?? [], layout: chart.layout ?? {}, times: Number(chart.dataset.drawn ?? 0),
    label: figure.getAttribute("aria-label"), sentence: figure.querySelector(".crlm-sentence").textContent,
    table: figure.querySelector(".crlm-table").innerHTML.replaceAll('<details open="">', "<details>"),
  };
}"""
# The words beside each choice, and what is chosen; a group of radio buttons is one choice.
CHOSEN = """(output) => Object.fromEntries(
  [...output.querySelectorAll("select, input")].filter((field) => field.type !== "radio" || field.checked).map(
    (field) => {
      const label = field.type === "radio" ? field.closest(".widget-radio").querySelector("label") : field.labels[0];
      const option = field.type === "radio" ? field.parentElement : field.selectedOptions?.[0];
      const value = option ? option.textContent : field.type === "checkbox" ? field.checked : Number(field.value);
      return [label.textContent, value];
    }))"""
AS_THE_PAGE_HAS_IT = "(html) => Object.assign(document.createElement('div'), { innerHTML: html }).innerHTML"


class Server:
    """JupyterLab on a copy of the notebooks, with nothing of this machine's settings."""

    def __init__(self, folder: Path):
        self.root = folder / "workbook"
        for copy in ("notebooks", UNREAD):  # Lab saves by itself what was run
            shutil.copytree(ROOT / "notebooks", self.root / copy, ignore=shutil.ignore_patterns(".*"))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"http://127.0.0.1:{free.getsockname()[1]}"
        # HOME leads Jupyter, IPython and XDG to an empty folder once the variables that overrule it are gone.
        overruling = ("JUPYTER", "IPYTHON", "XDG_")
        env = {name: value for name, value in os.environ.items() if not name.startswith(overruling)}
        self._log = (folder / "server.log").open("w")
        self._process = subprocess.Popen(
            [
                sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser",
                "--ServerApp.ip=127.0.0.1", f"--port={self.address.rpartition(':')[2]}",
                "--ServerApp.port_retries=0", f"--ServerApp.root_dir={self.root}",
                "--IdentityProvider.token=", "--PasswordIdentityProvider.hashed_password=",
            ],
            env=env | {"HOME": str(folder)},
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        eventually(self._answers)

    def _answers(self) -> None:
        assert self._process.poll() is None, Path(self._log.name).read_text()
        with urllib.request.urlopen(f"{self.address}/api", timeout=5) as answer:
            assert answer.status == 200

    def write(self, name: str, *cells: str) -> str:
        """A small notebook of code cells for one test; returns its name."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        notebook.metadata.kernelspec = {"display_name": "Python 3", "language": "python", "name": "python3"}
        nbformat.write(notebook, self.root / "notebooks" / name)
        return name

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=PATIENCE)
        self._log.close()


class Watch:
    """What a browser does that it must not: errors in its console, requests to anywhere but our server."""

    def __init__(self, context: BrowserContext, address: str):
        self.problems: list[str] = []
        self._own = (f"{address}/", f"{address.replace('http', 'ws')}/", "data:", "blob:")
        context.on("console", self._on_console)
        context.on("weberror", lambda error: self.problems.append(f"error in the page: {error.error}"))
        context.on("request", lambda request: self._on_address(request.url))
        context.on("page", lambda page: page.on("websocket", lambda socket: self._on_address(socket.url)))

    def _on_console(self, message: Any) -> None:
        if message.type == "error":
            self.problems.append(f"error in the console: {message.text} ({message.location['url']})")

    def _on_address(self, address: str) -> None:
        if not address.startswith(self._own):
            self.problems.append(f"request to {address[:200]}")


def eventually(
    check: Callable[[], Any], pause: Callable[[float], Any] = time.sleep, patience: float = PATIENCE
) -> Any:
    """What `check` returns once it no longer fails; its own failure when patience is at an end."""
    end = time.monotonic() + patience
    while True:
        try:
            return check()
        except (AssertionError, OSError):
            if time.monotonic() > end:
                raise
            pause(0.1)


class Book:
    """A notebook open in JupyterLab."""

    def __init__(self, page: Page, address: str, name: str, folder: str = "notebooks"):
        self.page, self.name = page, name
        page.goto(f"{address}/lab/tree/{folder}/{name}?reset")
        page.wait_for_function(READY, timeout=1000 * PATIENCE)

    def command(self, name: str, **arguments: Any) -> Any:
        """One of Lab's own commands: what its menus and keys call."""
        return self.page.evaluate("([name, given]) => jupyterapp.commands.execute(name, given)", [name, arguments])

    def run(self) -> "Book":
        """Run All, until every cell has run and every chart is drawn."""
        self.command("notebook:run-all-cells")  # done when the last cell is
        for shown in self.exhibits():
            expect(shown.figure).to_be_visible(timeout=1000 * PATIENCE)
            eventually(shown.assert_drawn, self.pause)
        return self

    def run_cells(self, *numbers: int) -> None:
        for number in numbers:
            self.page.evaluate(f"jupyterapp.shell.currentWidget.content.activeCellIndex = {number}")
            self.command("notebook:run-cell")

    def pause(self, seconds: float) -> None:
        self.page.wait_for_timeout(1000 * seconds)

    def cells(self) -> list[dict[str, Any]]:
        return self.page.evaluate(CELLS)

    def errors(self) -> list[str]:
        return [
            output["evalue"]
            for cell in self.cells()
            for output in cell.get("outputs", [])
            if output["output_type"] == "error"
        ]

    def cell(self, number: int) -> Locator:
        """A cell, scrolled to: Lab renders cells that are far away later."""
        self.page.evaluate(f"jupyterapp.shell.currentWidget.content.scrollToItem({number})")
        return self.page.locator(f'.jp-Notebook-cell[data-windowed-list-index="{number}"]')

    def exhibits(self) -> Iterator["Shown"]:
        for number, cell in enumerate(self.cells()):
            for output in cell.get("outputs", []):
                kind = getattr(widgets, "".join(output.get("data", {}).get("text/plain", "")).partition("(")[0], None)
                if isinstance(kind, type) and issubclass(kind, Panel):
                    yield Shown(self, self.cell(number).locator(".jp-OutputArea-output").last, kind)

    @contextmanager
    def theme(self, name: str) -> Iterator[bool]:
        """Lab in a theme, then light again; gives whether the theme is dark."""
        try:
            yield self._put_on(name)
        finally:
            self._put_on("JupyterLab Light")

    def _put_on(self, name: str) -> bool:
        dark = "Dark" in name
        self.command("apputils:change-theme", theme=name)
        self.page.wait_for_function(f"document.body.dataset.jpThemeLight === '{str(not dark).lower()}'")
        return dark


class Shown:
    """One exhibit on the page, and what Python says that it should show."""

    def __init__(self, book: Book, output: Locator, kind: type[Panel]):
        self.book, self.output, self.kind = book, output, kind
        self.figure, self.chart = output.locator(LIVE), output.locator(".crlm-chart")
        self.words = kind().words.get("controls", {})

    def __str__(self) -> str:
        return self.kind.__name__

    # What the page says

    def drawn(self) -> dict[str, Any]:
        return self.figure.evaluate(DRAWN)

    def control(self, name: str) -> Locator:
        """What the reader sets a choice with, found by its label: a group for radio buttons, else a field."""
        label = self.words[name]["label"]
        trait = self.kind.selection_type.class_traits()[name]
        if isinstance(trait, traitlets.Bool):
            return self.output.get_by_role("checkbox", name=label, exact=True)
        if not isinstance(trait, traitlets.Enum):
            return self.output.get_by_role("spinbutton", name=label, exact=True)
        heading = self.book.page.get_by_text(label, exact=True)
        return self.output.locator(".widget-radio").filter(has=heading).or_(
            self.output.get_by_role("combobox", name=label, exact=True)
        )  # fmt: skip

    def state(self) -> dict[str, Any]:
        """The state as the controls show it."""
        chosen = self.output.evaluate(CHOSEN)
        return {name: self._value(name, chosen[self.words[name]["label"]]) for name in self.kind.controls}

    def _value(self, name: str, shown: Any) -> Any:
        if "options" not in self.words[name]:
            return shown
        values = self.kind.selection_type.class_traits()[name].values
        return next(value for value in values if self.option(name, value) == shown.replace("\xa0", " "))

    def option(self, name: str, value: Any) -> str:
        """The words for a value of a choice."""
        return self.words[name]["options"][str(value)]

    # What Python says

    def twin(self) -> Panel:
        return self.kind(**self.state())

    def assert_drawn(self, dark: bool = False) -> None:
        """Figure, sentence, name and table are those that Python makes of the state the controls show."""
        view, drawn = self.twin().view(), self.drawn()
        wanted = _as_json(view.figure, SWAP if dark else {})
        traces = wanted.get("data", [])
        assert len(drawn["data"]) == len(traces)
        assert [{key: was[key] for key in is_} for was, is_ in zip(drawn["data"], traces, strict=True)] == traces
        for part in ("title", "font", "shapes", "annotations"):
            assert _holds(drawn["layout"].get(part), wanted.get("layout", {}).get(part)), part
        assert (drawn["sentence"], drawn["label"]) == (view.summary, view.summary)
        assert drawn["table"] == self.book.page.evaluate(AS_THE_PAGE_HAS_IT, view.table.html())
        assert bool(drawn["times"]) == bool(traces)

    def settled(self, dark: bool = False) -> None:
        eventually(lambda: self.assert_drawn(dark), self.book.pause, patience=15)

    def view(self) -> View:
        return self.twin().view()

    # What the reader does

    def reach(self, goal: Locator) -> None:
        """Walk to a field with the Tab key, from the first one of this exhibit."""
        self.output.locator("input, select, summary, button").first.focus()
        for _ in range(60):
            if goal.evaluate("(e) => e === document.activeElement"):
                return
            self.book.page.keyboard.press("Tab")
        raise AssertionError(f"{self}: the Tab key does not reach {goal}")


def _as_json(value: Any, swap: dict[str, str]) -> Any:
    """A figure as the page gets it, in the colours of its theme."""

    def recoloured(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: recoloured(item) for key, item in part.items()}
        if isinstance(part, list):
            return [recoloured(item) for item in part]
        return swap.get(part, part) if isinstance(part, str) else part

    return recoloured(json.loads(json.dumps(value)))


def _holds(have: Any, wanted: Any) -> bool:
    """Whether `have` has all that is wanted; plotly adds fields of its own."""
    if isinstance(wanted, dict):
        return isinstance(have, dict) and all(_holds(have.get(key), item) for key, item in wanted.items())
    if isinstance(wanted, list):
        return isinstance(have, list) and len(have) == len(wanted) and all(map(_holds, have, wanted))
    return have == wanted

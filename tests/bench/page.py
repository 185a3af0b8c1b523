"""How fast the workbook is, beside other ways to draw the same chart: `python -m tests.bench.page`.

Everything is measured in one run on one machine, in JupyterLab in a headless Chromium. Writes the
table into the README, between its bench marks.
"""

import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.lab import PATIENCE, READY, ROOT, WIDE, Book, Server
from widgets.publish.pictures import CHROMIUM_OPTIONS, chromium

TOGGLES = 60
CHARTS = 10
README = ROOT / "README.md"
MARKS = ("<!-- bench -->", "<!-- /bench -->")

OURS = "from widgets import OverallSurvival\nOverallSurvival()"
# A round trip without content, to set beside the toggles of the same page.
ECHO = """
import anywidget
class Echo(anywidget.AnyWidget):
    _esm = '''export default { render({ model, el }) {
      globalThis.echo = () => new Promise((done) => {
        const hear = () => { model.off("msg:custom", hear); done(); };
        model.on("msg:custom", hear); model.send({});
      });
      el.textContent = "echo";
    } }'''
    def __init__(self):
        super().__init__()
        self.on_msg(lambda view, message, buffers: view.send({}))
Echo()
"""
FIGURE_WIDGET = """
import ipywidgets as ipw
import plotly.graph_objects as go
from widgets import OverallSurvival
exhibit = OverallSurvival()
figures = {name: exhibit.render(exhibit.state | {"report": name}).figure for name in ("2012", "2017")}
view = go.FigureWidget(figures["2017"])
choice = ipw.RadioButtons(options=["2012", "2017"], value="2017")
def draw(change):
    with view.batch_update():
        view.data = []
        view.add_traces(figures[change["new"]]["data"])
        view.layout = figures[change["new"]]["layout"]
choice.observe(draw, "value")
ipw.VBox([choice, view])
"""
INTERACT = """
import ipywidgets as ipw
import plotly.graph_objects as go
import plotly.io as pio
from IPython.display import display
from widgets import OverallSurvival
pio.renderers.default = "plotly_mimetype"
exhibit = OverallSurvival()
def draw(report):
    display(go.Figure(exhibit.render(exhibit.state | {"report": report}).figure))
ipw.interact(draw, report=ipw.RadioButtons(options=["2012", "2017"], value="2017"));
"""

# Click, then wait until the chart of the same output has been drawn anew.
TOGGLE_OURS = """async ([times]) => {
  const chart = document.querySelector(".crlm-chart");
  const radios = [...document.querySelectorAll(".widget-radio-box")][0].querySelectorAll("input");
  const spans = [];
  for (let i = 0; i < times; i++) {
    const began = performance.now();
    const drawn = new Promise((done) => {
      const watch = new MutationObserver(() => { watch.disconnect(); done(); });
      watch.observe(chart, { attributes: true, attributeFilter: ["data-drawn"] });
    });
    radios[i % 2].click();
    await drawn;
    spans.push(performance.now() - began);
  }
  return spans;
}"""
BARE = """async ([times, figures]) => {
  const Plotly = await globalThis[Symbol.for("crlm-workbook.plotly")];
  const chart = document.createElement("div");
  document.querySelector(".crlm-chart").parentElement.append(chart);
  await Plotly.react(chart, figures[1].data, figures[1].layout);
  const spans = [];
  for (let i = 0; i < times; i++) {
    const { data, layout } = structuredClone(figures[i % 2]);
    const began = performance.now();
    await echo();
    await Plotly.react(chart, data, layout);
    spans.push(performance.now() - began);
  }
  Plotly.purge(chart); chart.remove();
  return spans;
}"""
TOGGLE_OTHER = """async ([times, wanted]) => {
  const radios = [...document.querySelectorAll(".widget-radio-box input")];
  const names = () => [...document.querySelectorAll(".jp-OutputArea .js-plotly-plot .legendtext")]
    .map((text) => text.textContent).join();
  const spans = [];
  for (let i = 0; i < times; i++) {
    const began = performance.now();
    radios[i % 2].click();
    while (!names().includes(wanted[i % 2])) {
      if (performance.now() - began > 20000) return spans;
      await new Promise((next) => requestAnimationFrame(next));
    }
    spans.push(performance.now() - began);
  }
  return spans;
}"""
RESTART = """async () => {
  const { sessionContext } = jupyterapp.shell.currentWidget;
  await jupyterapp.commands.execute("notebook:clear-all-cell-outputs");
  const began = performance.now();
  await sessionContext.session.kernel.restart();
  await jupyterapp.commands.execute("notebook:run-all-cells");
  while (!document.querySelector(".crlm-chart[data-drawn]")) await new Promise((next) => setTimeout(next, 5));
  return performance.now() - began;
}"""


def spread(spans: Iterable[float]) -> str:
    """Median and 95th percentile, in milliseconds."""
    ordered = sorted(spans)
    return f"{statistics.median(ordered):.0f} / {ordered[int(0.95 * (len(ordered) - 1))]:.0f} ms"


class Bytes:
    """What a page receives: by web socket, and in all."""

    def __init__(self, page: Page):
        self.count = 0
        page.on("websocket", lambda socket: socket.on("framereceived", self._add))

    def _add(self, payload: str | bytes) -> None:
        self.count += len(payload if isinstance(payload, bytes) else payload.encode())


def imports(times: int = 9) -> dict[str, float]:
    """Median seconds to start Python and import, taken in turns."""
    lines = {
        "nothing": "pass",
        "plain": "import ipywidgets, anywidget",
        "widgets": "import ipywidgets, anywidget, widgets",
        "exhibit": "from widgets import OverallSurvival",
    }
    spans: dict[str, list[float]] = {name: [] for name in lines}
    for _ in range(times):
        for name, line in lines.items():
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", line], check=True)
            spans[name].append(time.perf_counter() - began)
    return {name: statistics.median(taken) for name, taken in spans.items()}


def opened(context, server: Server, name: str, *cells: str, wait: str) -> tuple[Page, Bytes]:
    page = context.new_page()
    received = Bytes(page)
    book = Book(page, server.address, server.write(name, *cells))
    received.count = 0
    book.command("notebook:run-all-cells")
    page.wait_for_selector(wait, timeout=1000 * PATIENCE, state="attached")
    page.wait_for_function(READY, timeout=1000 * PATIENCE)
    page.wait_for_timeout(1000)
    return page, received


def measure(context, server: Server) -> list[tuple[str, str]]:
    from widgets import OverallSurvival

    exhibit = OverallSurvival()
    figures = [exhibit.render(exhibit.state | {"report": name}).figure for name in ("2012", "2017")]
    legends = ["2012: share", "2017: Kaplan"]
    rows = []

    taken = imports()
    plain = taken["plain"] - taken["nothing"]
    rows.append(("`import ipywidgets, anywidget`", f"{plain:.2f} s"))
    rows.append(("the same and `import widgets`", f"{taken['widgets'] - taken['nothing']:.2f} s"))
    rows.append(("`from widgets import OverallSurvival`", f"{taken['exhibit'] - taken['nothing']:.2f} s"))

    page, received = opened(context, server, "bench-ours.ipynb", OURS, ECHO, wait=".crlm-chart[data-drawn]")
    first = received.count
    page.evaluate(TOGGLE_OURS, [6])
    bare = page.evaluate(BARE, [TOGGLES, figures])
    before = received.count
    ours = page.evaluate(TOGGLE_OURS, [TOGGLES])
    per_toggle = (received.count - before) / TOGGLES
    bare += page.evaluate(BARE, [TOGGLES, figures])
    restarts = [page.evaluate(RESTART) for _ in range(3)]
    page.close()
    ratio = statistics.median(ours) / statistics.median(bare)
    rows.append(("kernel start to first painted exhibit, median of 3", f"{statistics.median(restarts) / 1000:.1f} s"))
    rows.append(("toggle to redraw, median / 95th percentile", spread(ours)))
    rows.append(("bare `Plotly.react` of the same figures and an empty round trip, same page", spread(bare)))
    rows.append(("ratio of the medians", f"{ratio:.2f}"))
    rows.append(("received for the first chart", f"{first / 1e6:.2f} MB"))
    rows.append(("received per toggle", f"{per_toggle / 1e3:.1f} kB"))

    cells = [OURS, *["OverallSurvival()"] * (CHARTS - 1)]
    page, received = opened(context, server, "bench-ten.ipynb", *cells, wait=".crlm-chart[data-drawn]")
    for number in range(CHARTS):  # Lab renders what is far below only when it is scrolled to
        page.evaluate(f"jupyterapp.shell.currentWidget.content.scrollToItem({number})")
        page.wait_for_timeout(400)
    rows.append((f"received for {CHARTS} charts on a page", f"{received.count / 1e6:.2f} MB"))
    page.close()

    others = {"`FigureWidget`": FIGURE_WIDGET, "`interact` and `Output`": INTERACT}
    for number, (name, cell) in enumerate(others.items()):
        page, received = opened(
            context, server, f"bench-other-{number}.ipynb", cell, wait=".jp-OutputArea .js-plotly-plot .main-svg"
        )
        first = received.count
        page.evaluate(TOGGLE_OTHER, [6, legends])
        before = received.count
        spans = page.evaluate(TOGGLE_OTHER, [TOGGLES // 2, legends])
        rows.append((f"{name}, the same chart: toggle to redraw", spread(spans)))
        rows.append((f"{name}: received for the first chart", f"{first / 1e6:.2f} MB"))
        rows.append((f"{name}: received per toggle", f"{(received.count - before) / len(spans) / 1e3:.1f} kB"))
        page.close()
    return rows


def main() -> None:
    executable = chromium()
    if executable is None:
        sys.exit("no Chromium found")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = Server(Path(folder))
        browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_OPTIONS)
        try:
            rows = measure(browser.new_context(viewport=WIDE), server)
        finally:
            browser.close()
            server.stop()
    tools = ", ".join(f"{name} {version(name)}" for name in ("plotly", "ipywidgets", "anywidget", "jupyterlab"))
    table = "\n".join(["| What | Measured |", "|---|---|", *(f"| {what} | {value} |" for what, value in rows)])
    text = f"{table}\n\n{tools}; Python {sys.version.split()[0]}; headless Chromium on two cores."
    print(text)
    before, after = (re.escape(mark) for mark in MARKS)
    readme = README.read_text()
    README.write_text(re.sub(f"{before}.*{after}", f"{MARKS[0]}\n{text}\n{MARKS[1]}", readme, flags=re.DOTALL))


if __name__ == "__main__":
    main()

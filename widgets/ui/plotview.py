"""PlotView: a plotly figure with its sentence, its table and its downloads, as one widget."""

import gzip
from functools import cache
from pathlib import Path

import anywidget
import traitlets

from widgets.ui.theme import SWAP
from widgets.ui.words import catalogue

HERE = Path(__file__).parent


def plotly_js() -> Path:
    """plotly.min.js of the installed plotly package: never from a network."""
    from importlib.util import find_spec

    spec = find_spec("plotly")
    return Path(spec.submodule_search_locations[0]) / "package_data" / "plotly.min.js"


@cache
def packed_plotly_js() -> bytes:
    # The fastest level: it saves two thirds of the bytes in a twentieth of a second.
    return gzip.compress(plotly_js().read_bytes(), compresslevel=1)


class PlotView(anywidget.AnyWidget):
    """Draws a plotly figure specification (a dict of data and layout) in the page.

    The page asks for plotly.js once, whichever chart comes first, and redraws with Plotly.react.
    What the reader does in the picture arrives in `event`: kind (`click`, `select` or `relayout`),
    points or change, and a running number.
    """

    _esm = HERE / "plotview.js"
    _css = HERE / "plotview.css"

    figure = traitlets.Dict(help="plotly figure: data, layout").tag(sync=True)
    label = traitlets.Unicode(help="what the figure says, in a sentence or two").tag(sync=True)
    table = traitlets.Unicode(help="the same numbers as an HTML table").tag(sync=True)
    csv = traitlets.Unicode(help="the same numbers as CSV, with sources").tag(sync=True)
    name = traitlets.Unicode("figure", help="file name of downloads, without ending").tag(sync=True)
    credit = traitlets.Unicode(help="sources and date, printed under downloaded figures").tag(sync=True)
    event = traitlets.Dict(help="the reader's last gesture in the picture").tag(sync=True)
    swap = traitlets.Dict(SWAP, help="light colour to dark colour").tag(sync=True)
    words = traitlets.Dict(help="words on buttons and in messages").tag(sync=True)

    def __init__(self, **traits):
        super().__init__(words=catalogue(HERE)["plot_view"], **traits)
        self.on_msg(self._answer)

    def _answer(self, _widget, message: dict, _buffers) -> None:
        if message.get("kind") != "plotly.js":
            return
        try:
            self.send({"kind": "plotly.js"}, buffers=[packed_plotly_js()])
        except OSError:
            reason = self.words["no_plotly"].format(path=plotly_js())
            self.send({"kind": "failed", "reason": reason})

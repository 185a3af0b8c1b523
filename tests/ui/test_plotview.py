"""PlotView, the Python side."""

import gzip
from pathlib import Path

from widgets.ui import plotview
from widgets.ui.plotview import PlotView, packed_plotly_js, plotly_js


def sent_by(view: PlotView, message: dict) -> list:
    sent = []
    view.send = lambda content, buffers=None: sent.append((content, buffers))
    view._answer(view, message, [])
    return sent


def test_plotly_js_comes_from_the_installed_package():
    assert gzip.decompress(packed_plotly_js()) == plotly_js().read_bytes()
    ((content, buffers),) = sent_by(PlotView(), {"kind": "plotly.js"})
    assert content == {"kind": "plotly.js"} and buffers == [packed_plotly_js()]


def test_a_missing_plotly_js_is_told_to_the_reader(monkeypatch, tmp_path):
    monkeypatch.setattr(plotview, "plotly_js", lambda: tmp_path / "gone.js")
    packed_plotly_js.cache_clear()
    try:
        ((content, _),) = sent_by(PlotView(), {"kind": "plotly.js"})
    finally:
        packed_plotly_js.cache_clear()
    assert content["kind"] == "failed" and "gone.js" in content["reason"]


def test_other_messages_are_left_alone():
    assert sent_by(PlotView(), {"kind": "hello"}) == []


def test_nothing_is_fetched_from_a_network():
    code = (Path(plotview.__file__).parent / "plotview.js").read_text()
    assert "http" not in code and "cdn" not in code.lower()


def test_plotly_js_is_not_part_of_the_state():
    assert sum(len(str(value)) for value in PlotView().get_state().values()) < 40_000

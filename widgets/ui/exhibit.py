"""Exhibit and Lab: a selection goes in, a figure, a table and a sentence come out.

    selection → render (pure) → view

Controls only write the selection; one observer renders. Both kinds of panel can be read without
a kernel: their HTML holds the sentence and the table, and the stored notebook adds a still picture.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from itertools import product
from pathlib import Path
from typing import Any, ClassVar

import ipywidgets as ipw
import traitlets

import widgets
from widgets.records.library import records
from widgets.ui.plotview import PlotView
from widgets.ui.table import Table
from widgets.ui.words import catalogue

State = dict[str, Any]
# Where the still picture goes when notebooks are refreshed: a blank of one pixel until then.
BLANK = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
SHARED_WORDS = Path(__file__).parent


@dataclass(frozen=True)
class View:
    """One state, rendered: figure (plotly, as a dict), summary (a sentence or two), table.

    An exhibit of words alone has an empty figure.
    `key` holds the key numbers in one short line, for `repr`.
    """

    figure: dict[str, Any]
    summary: str
    table: Table
    key: str


class Panel:
    """What Exhibit and Lab share. A subclass names its selection, its controls and its words."""

    selection_type: ClassVar[type[traitlets.HasTraits]]
    controls: ClassVar[tuple[str, ...]] = ()
    folder: ClassVar[Path]  # the room, whose words.yaml has an entry named after the class

    def __init__(self, selection: traitlets.HasTraits | None = None, **choices: Any):
        self.selection = self.selection_type() if selection is None else selection
        self._views: dict[tuple, View] = {}
        self.choose(**choices)

    def choose(self, **choices: Any) -> None:
        """Set choices by name. Raises TypeError for an unknown name, ValueError for a bad value."""
        words = catalogue(SHARED_WORDS)["exhibit"]
        for name, value in choices.items():
            if name not in self.controls:
                known = ", ".join(self.controls) or "none"
                raise TypeError(f"{type(self).__name__}: {words['unknown_choice'].format(name=name, known=known)}")
            try:
                setattr(self.selection, name, value)
            except traitlets.TraitError:
                expected = _expected(self.selection.traits()[name])
                message = words["bad_value"].format(name=name, value=value, expected=expected)
                raise ValueError(f"{type(self).__name__}: {message}") from None

    def render(self, state: State) -> View:
        """The view of a state: pure, without reading or changing the selection."""
        raise NotImplementedError

    @property
    def words(self) -> Mapping[str, Any]:
        return catalogue(self.folder)[type(self).__name__]

    @property
    def state(self) -> State:
        return {name: getattr(self.selection, name) for name in self.controls}

    def view(self) -> View:
        """The view of the present state, rendered once."""
        key = tuple(self.state.values())
        if key not in self._views:
            self._views[key] = self.render(self.state)
        return self._views[key]

    def figure(self):
        """The present figure as a plotly Figure."""
        import plotly.graph_objects as go

        return go.Figure(self.view().figure or None)

    def table(self):
        """The same numbers as a DataFrame, with source and place."""
        return self.view().table.frame()

    def summary(self) -> str:
        """The same numbers in one or two plain sentences."""
        return self.view().summary

    def __repr__(self) -> str:
        state = ", ".join(f"{name}={value!r}" for name, value in self.state.items())
        line = f"{type(self).__name__}({state}): {self.view().key}"
        return line if len(line) <= 110 else line[:109] + "…"

    def credit(self) -> str:
        """Sources, date of the last check and version: what goes under anything taken away."""
        view = self.view()
        return catalogue(SHARED_WORDS)["credit"].format(
            sources="; ".join(view.table.citations), checked=records().checked, version=widgets.__version__
        )

    def html(self) -> str:
        """Sentence, table and sources for a page without a kernel."""
        view = self.view()
        return self._page(f"<p>{escape(view.summary)}</p>{view.table.html()}")

    def _page(self, content: str) -> str:
        alt = escape(catalogue(SHARED_WORDS)["exhibit"]["still"]) if self.view().figure else ""
        return (
            f'<div class="crlm-exhibit"><img alt="{alt}" src="{BLANK}">{content}'
            f"<p><small>{escape(self.credit())}</small></p></div>"
        )

    @cached_property
    def plot(self) -> PlotView:
        """The live picture."""
        plot = PlotView(name=self._file_name(), **self._traits())
        plot.observe(lambda change: self.on_event(change["new"]), "event")
        self.selection.observe(self._redraw, list(self.controls))
        return plot

    def on_event(self, event: dict[str, Any]) -> None:
        """What the reader did in the picture (click, select, relayout). Nothing, unless overridden."""

    def _redraw(self, _change) -> None:
        with self.plot.hold_sync():
            for name, value in self._traits().items():
                setattr(self.plot, name, value)

    def _traits(self) -> dict[str, Any]:
        view = self.view()
        return {
            "figure": view.figure,
            "label": view.summary,
            "table": view.table.html(),
            "csv": view.table.csv(self.credit().replace("\n", " ")),
            "credit": self.credit(),
        }

    def _file_name(self) -> str:
        return "".join(f"-{c.lower()}" if c.isupper() else c for c in type(self).__name__).strip("-")

    @cached_property
    def widget(self) -> ipw.Widget:
        """Controls above the picture."""
        controls = [self._control(name) for name in self.controls]
        row = ipw.Box(controls, layout=ipw.Layout(flex_flow="row wrap", align_items="flex-start"))
        return _panel([row, self.plot] if controls else [self.plot])

    def _control(self, name: str) -> ipw.Widget:
        trait = self.selection.traits()[name]
        words = self.words["controls"][name]
        control = _control_for(trait, words)
        traitlets.link((self.selection, name), (control, "value"))
        return control

    def _repr_mimebundle_(self, **_kwargs) -> dict[str, Any]:
        live = self.widget._repr_mimebundle_()
        return live | {"text/plain": repr(self), "text/html": self.html()}


class Exhibit(Panel):
    """One idea, at most four controls, at most about a hundred states, all of which can be listed."""

    def states(self) -> Iterator[State]:
        """Every state that the controls can reach."""
        options = [_options(self.selection.traits()[name]) for name in self.controls]
        for values in product(*options):
            yield dict(zip(self.controls, values, strict=True))


class Lab(Panel):
    """Takes free input. Worked examples stand where a page has no kernel, and to start from."""

    def examples(self) -> Sequence[tuple[str, State]]:
        """Worked examples: a name and the state it stands for."""
        raise NotImplementedError

    def html(self) -> str:
        parts = []
        for name, state in self.examples():
            view = self.render(state)
            parts.append(f"<h4>{escape(name)}</h4><p>{escape(view.summary)}</p>{view.table.html()}")
        return self._page("".join(parts))

    @cached_property
    def widget(self) -> ipw.Widget:
        words = catalogue(SHARED_WORDS)["lab"]
        states = dict(self.examples())
        start = ipw.Dropdown(
            options=[words["own"], *states],
            value=self._example_now(),
            description=words["examples"],
            style=WIDE,
            layout=ipw.Layout(width="auto", margin=APART),
        )

        def fill(change) -> None:
            if change["new"] in states:
                with self.selection.hold_trait_notifications():
                    for name, value in states[change["new"]].items():
                        setattr(self.selection, name, value)

        def follow(_change) -> None:
            start.value = self._example_now()

        start.observe(fill, "value")
        self.selection.observe(follow, list(self.controls))
        controls = ipw.Box(
            [start, *(self._control(name) for name in self.controls)], layout=ipw.Layout(flex_flow="row wrap")
        )
        return _panel([controls, self.plot])

    def _example_now(self) -> str:
        """The example whose numbers are in the form, or the word for the reader's own."""
        return next(
            (name for name, state in self.examples() if state == self.state),
            catalogue(SHARED_WORDS)["lab"]["own"],
        )


def _panel(children: list[ipw.Widget]) -> ipw.VBox:
    return ipw.VBox(children).add_class("crlm-panel")


WIDE = {"description_width": "initial"}
APART = "0 28px 6px 0"


def _options(trait: traitlets.TraitType) -> list[Any]:
    if isinstance(trait, traitlets.Bool):
        return [True, False]
    if isinstance(trait, traitlets.Enum):
        return list(trait.values)
    raise TypeError(f"an exhibit's choice must be an Enum or a Bool, not {type(trait).__name__}")


def _expected(trait: traitlets.TraitType) -> str:
    if isinstance(trait, traitlets.Bool | traitlets.Enum):
        return " or ".join(repr(option) for option in _options(trait))
    return f"{trait.info()} from {trait.min} to {trait.max}"


def _control_for(trait: traitlets.TraitType, words: Mapping[str, Any]) -> ipw.Widget:
    """A control that a screen reader can read."""
    common = {"description": words["label"], "style": WIDE, "layout": ipw.Layout(width="auto", margin=APART)}
    if isinstance(trait, traitlets.Bool):
        return ipw.Checkbox(indent=False, **common)
    if isinstance(trait, traitlets.Enum):
        options = [(words["options"][str(value)], value) for value in trait.values]
        if len(options) > 4:
            return ipw.Dropdown(options=options, **common)
        # Without a tooltip of its own, ipywidgets gives the label the title "null".
        return ipw.RadioButtons(options=options, tooltip=words["label"], **common)
    kind = ipw.BoundedIntText if isinstance(trait, traitlets.Int) else ipw.BoundedFloatText
    return kind(min=trait.min, max=trait.max, step=1, **common)

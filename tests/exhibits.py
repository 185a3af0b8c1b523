"""Every exhibit and lab of the workbook, for tests that visit them all."""

import widgets
from widgets.ui.exhibit import Exhibit, Lab

NAMES = [name for name in widgets.__all__ if isinstance(getattr(widgets, name), type)]
EXHIBITS = [getattr(widgets, name) for name in NAMES if issubclass(getattr(widgets, name), Exhibit)]
LABS = [getattr(widgets, name) for name in NAMES if issubclass(getattr(widgets, name), Lab)]
PANELS = EXHIBITS + LABS


def in_every_state(panel):
    """The panel, in one state after the other."""
    shown = panel()
    states = list(shown.states()) if isinstance(shown, Exhibit) else [state for _, state in shown.examples()]
    for state in states:
        shown.choose(**state)
        yield shown

"""A workbook on local treatment of colorectal liver metastases.

The names below are what notebooks use; each is loaded when it is first asked for, so that
importing the package costs next to nothing.
"""

from importlib import import_module

__version__ = "0.1.0"

_HOMES = {
    "OverallSurvival": "widgets.survival.panels",
    "Differences": "widgets.survival.panels",
    "IconArrays": "widgets.survival.panels",
    "OtherEndpoints": "widgets.survival.panels",
    "SingleArmTarget": "widgets.survival.panels",
    "FourQuestions": "widgets.trials.panels",
    "TrialFlow": "widgets.trials.panels",
    "TrialRecord": "widgets.trials.panels",
    "tables": "widgets.records",  # tables.trials(), tables.arms(), tables.outcomes(), tables.results()
}
__all__ = sorted(_HOMES)


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module 'widgets' has no attribute {name!r}; it offers {', '.join(__all__)}")
    home = import_module(_HOMES[name])
    return getattr(home, name, None) or import_module(f"{home.__name__}.{name}")


def __dir__() -> list[str]:
    return __all__

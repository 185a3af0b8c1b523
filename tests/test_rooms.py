"""Imports go downward: records ← models ← figures ← panels; and importing the package costs nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = ("ipywidgets", "anywidget", "plotly")  # what models must do without
NOT_MODELS = {"figures", "panels"}


def modules():
    for path in sorted((ROOT / "widgets").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODELS = [
    name
    for name in modules()
    if not name.startswith(("widgets.ui.exhibit", "widgets.ui.plotview", "widgets.publish"))
    and name.split(".")[-1] not in NOT_MODELS
]


def python(code: str) -> None:
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_models_run_without_widgets_and_without_plotly():
    blocked = "\n".join(f"sys.modules[{name!r}] = None" for name in PAGE)
    python(f"import sys\n{blocked}\nfrom importlib import import_module\nfor name in {MODELS!r}: import_module(name)")


@pytest.mark.parametrize("room", ["survival", "trials"])
def test_figures_are_drawn_without_widgets(room):
    python(f"import sys; sys.modules['ipywidgets'] = None; import widgets.{room}.figures")


def test_importing_the_package_loads_nothing_heavy():
    heavy = (*PAGE, "pandas", "pydantic", "numpy", "scipy", "yaml")
    python(f"import sys, widgets; loaded = [n for n in {heavy!r} if n in sys.modules]; assert not loaded, loaded")


def test_an_unknown_name_is_answered_with_those_there_are():
    import widgets

    with pytest.raises(AttributeError, match=r"it offers .*OverallSurvival"):
        widgets.Curve  # noqa: B018


def test_every_name_on_the_short_list_is_there():
    import widgets

    assert all(getattr(widgets, name) is not None for name in widgets.__all__)

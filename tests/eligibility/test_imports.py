"""Models stand below figures and panels: they load where neither plotly nor ipywidgets is."""

import subprocess
import sys
from pathlib import Path

import widgets.eligibility

BLOCKED = """
import importlib, sys
for name in ("ipywidgets", "plotly", "anywidget", "pandas"):
    sys.modules[name] = None
for name in sys.argv[1:]:
    importlib.import_module(f"widgets.eligibility.{name}")
"""


def test_models_need_no_widgets_and_no_plotly():
    folder = Path(widgets.eligibility.__file__).parent
    models = sorted(path.stem for path in folder.glob("*.py") if path.stem not in ("__init__", "figures", "panels"))
    assert {"language", "units", "logic", "patient", "evaluate", "compare", "cohort"} <= set(models)
    root = str(folder.parents[1])
    done = subprocess.run([sys.executable, "-c", BLOCKED, *models], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

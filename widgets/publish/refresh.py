"""Refresh the committed notebooks: `python -m widgets.publish.refresh [notebook ...]`.

Rewrites the numbers bound to the data, runs every cell, puts a still picture into each exhibit's
HTML, and takes the live widgets out, so that a notebook can be read before it is run.
Needs the test requirements (Playwright and a Chromium).
"""

import base64
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from widgets.publish.bindings import rewritten
from widgets.publish.pictures import Painter
from widgets.ui.exhibit import BLANK

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"


def refresh(path: Path, painter: Painter) -> None:
    """Refresh one notebook in place. A cell that fails leaves the file as it was and raises."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = rewritten(cell.source)
    NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
    ).execute()
    models = notebook.metadata.pop("widgets", {}).get(STATE, {}).get("state", {})
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            view = output.get("data", {}).pop(VIEW, None)
            if view:
                _picture(output.data, models, view["model_id"], painter)
        cell.metadata.pop("execution", None)
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    nbformat.write(notebook, path)


def _picture(data: dict[str, Any], models: dict[str, Any], model: str, painter: Painter) -> None:
    plot = _plot_in(models, model)
    if plot is None or not plot["figure"].get("data"):
        return
    picture = base64.b64encode(painter.paint(plot["figure"])).decode()
    data["text/html"] = data["text/html"].replace(BLANK, f"data:image/webp;base64,{picture}", 1)


def _plot_in(models: dict[str, Any], model: str) -> dict[str, Any] | None:
    """The state of the PlotView at or below a widget."""
    state = models[model]["state"]
    if "figure" in state:
        return state
    children = (child.removeprefix("IPY_MODEL_") for child in state.get("children", []))
    return next((plot for plot in (_plot_in(models, child) for child in children) if plot), None)


def main(names: list[str]) -> None:
    paths = [Path(name) for name in names] or sorted(NOTEBOOKS.glob("*.ipynb"))
    with Painter() as painter:
        for path in paths:
            refresh(path, painter)
            print(f"{path.name}: {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main(sys.argv[1:])

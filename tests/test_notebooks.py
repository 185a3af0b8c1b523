"""The committed notebooks: their rules, their numbers, and that they run."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from widgets.publish.bindings import BOUND, bound_numbers
from widgets.ui.exhibit import Panel

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MOST_BYTES = 300_000
MOST_LINES = 8
LIVE = "application/vnd.jupyter.widget-view+json"

# Numbers that are no data: years, levels, trial numbers, links, words such as PD-1.
NO_DATA = re.compile(
    r"""\]\([^)]*\)            # targets of links
    | \b(?:19|20)\d\d\b        # years
    | NCT\d{8} | \b95\s?% | 95\ of\ 100
    | PD-1 | CC\ BY\ 4\.0 | BSD\ 3-Clause
    | `[^`]*` | <!--.*?--> | \*\*Minutes:\*\*.*
    """,
    re.VERBOSE,
)
# Sections that every notebook has, in this order.
SKELETON = ["You will be able to", "Needed before:", "Minutes:", "## Take-home", "## Check yourself", "## Sources"]


def notebook(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def cells(path: Path, kind: str) -> list:
    return [cell for cell in notebook(path).cells if cell.cell_type == kind and cell.source.strip()]


def prose(path: Path) -> str:
    return "\n\n".join(cell.source for cell in cells(path, "markdown"))


each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def test_there_are_notebooks():
    assert [path.stem for path in NOTEBOOKS][:2] == ["00_start_here", "10_clocc"]


@each_notebook
def test_the_skeleton_is_kept(path):
    text = prose(path)
    assert text.startswith("# ")
    places = [text.find(part) for part in SKELETON]
    assert -1 not in places and places == sorted(places), dict(zip(SKELETON, places, strict=True))


@each_notebook
def test_code_cells_are_short_and_plain(path):
    for cell in cells(path, "code"):
        lines = [line for line in cell.source.splitlines() if line.strip()]
        assert len(lines) <= MOST_LINES, cell.source
        kinds = {type(node) for node in ast.walk(ast.parse(cell.source))}
        assert not kinds & {ast.FunctionDef, ast.Lambda, ast.For, ast.While, ast.ClassDef}, cell.source
        assert "#" not in re.sub(r"\"[^\"]*\"", "", cell.source), "no colours, no comments: prose says it"
        if len(lines) <= 4 and not any("tables" in line for line in lines):
            assert cell.metadata.get("jupyter", {}).get("source_hidden"), f"shows only an exhibit: {cell.source}"


@each_notebook
def test_outputs_are_stored_and_live_widgets_are_not(path):
    content = notebook(path)
    assert path.stat().st_size <= MOST_BYTES
    assert "widgets" not in content.metadata
    numbers = [cell.execution_count for cell in cells(path, "code")]
    assert numbers == list(range(1, len(numbers) + 1)), "nbval compares nothing where a count is missing"
    for cell in cells(path, "code"):
        for output in cell.outputs:
            assert output.output_type in ("execute_result", "display_data"), output
            assert LIVE not in output.data


@each_notebook
def test_every_exhibit_can_be_read_before_it_is_run(path):
    for cell in cells(path, "code"):
        for output in cell.outputs:
            page = output.data.get("text/html", "")
            if "crlm-exhibit" in page:
                assert "<table>" in page and "<p>" in page
                drawn = "data:image/webp" in page
                assert drawn or "TrialRecord" in cell.source, "no still picture"


@each_notebook
def test_numbers_in_prose_are_bound_and_true(path):
    for cell in cells(path, "markdown"):
        for number in bound_numbers(cell.source):
            assert number.text == number.expected, number


@each_notebook
def test_no_other_number_is_typed_into_prose(path):
    for cell in cells(path, "markdown"):
        if "fictional" in cell.metadata.get("tags", []):
            continue
        loose = NO_DATA.sub(" ", BOUND.sub(" ", cell.source))
        loose = re.sub(r"\b30 months\b", " ", loose)  # the landmark's name
        assert not re.search(r"\d", loose), re.findall(r"[^\n]{0,40}\d[^\n]{0,20}", loose)


@each_notebook
def test_no_data_number_is_typed_into_code(path):
    for cell in cells(path, "code"):
        for node in ast.walk(ast.parse(cell.source)):
            assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), cell.source


@each_notebook
def test_links_between_notebooks_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#]+\.ipynb)\)", prose(path)):
        assert (path.parent / target).exists(), target


@each_notebook
def test_it_says_that_it_gives_no_advice(path):
    assert "For teaching only" in prose(path)


@each_notebook
def test_it_runs_without_a_kernel(path, monkeypatch):
    """All cells by plain exec, in a fraction of a second; each last line has a representation."""
    monkeypatch.chdir(path.parent)
    names: dict = {}
    for cell in cells(path, "code"):
        tree = ast.parse(cell.source)
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, path.name, "exec"), names)
        if last is not None:
            shown = eval(compile(ast.Expression(last.value), path.name, "eval"), names)
            if isinstance(shown, Panel):  # pandas lays a frame out to the width of the terminal
                assert repr(shown) == cell.outputs[0].data["text/plain"]
            assert repr(shown)


def test_a_tampered_notebook_fails(tmp_path):
    """nbval must see one changed number, wherever it is stored."""
    changes = {
        "honest": None,
        "estimate": ("text/html", "56.9"),
        "limit": ("text/html", "68.5"),
        "line": ("text/plain", "35.9"),
    }
    for name, change in changes.items():
        content = notebook(ROOT / "notebooks/00_start_here.ipynb")
        content.cells = [cell for cell in content.cells if "OverallSurvival" in cell.source]
        if change:
            kind, number = change
            data = content.cells[0].outputs[0].data
            assert number in data[kind]
            data[kind] = data[kind].replace(number, "99.9", 1)
        nbformat.write(content, tmp_path / f"{name}.ipynb")
    command = [sys.executable, "-m", "pytest", "-rA", "--nbval", "--nbval-current-env", "-p", "no:cacheprovider"]
    command += ["--nbval-sanitize-with", ROOT / "tests/nbval_sanitize.cfg", tmp_path]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True).stdout
    verdicts = {name: re.search(rf"^(PASSED|FAILED) \S*{name}\.ipynb", said, re.MULTILINE)[1] for name in changes}
    assert verdicts == {name: "FAILED" if change else "PASSED" for name, change in changes.items()}

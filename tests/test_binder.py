"""Binder: does repo2docker see what we mean, and do its install commands work in an empty environment?"""

import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
INSTALL = re.compile(r"^RUN \$\{KERNEL_PYTHON_PREFIX\}/bin/(pip install .+)$", re.MULTILINE)


def run(*command: str | Path, cwd: Path) -> str:
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")}
    env["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    result = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert result.returncode == 0, result.stdout[-4000:]
    return result.stdout


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tracked files as they now stand, without those that git ignores or does not know."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("needs a git clone and git")
    folder = tmp_path_factory.mktemp("clone") / "workbook"
    # A clone may belong to another user than the one who runs the tests; git then wants this setting.
    names = run("git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", cwd=ROOT)
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def dockerfile(clone: Path) -> str:
    pytest.importorskip("repo2docker")
    return run(sys.executable, "-m", "repo2docker", "--no-build", "--debug", ".", cwd=clone)


def test_repo2docker_installs_our_requirements_after_copying_the_repository(dockerfile: str) -> None:
    assert INSTALL.findall(dockerfile) == ['pip install --no-cache-dir -r "binder/requirements.txt"']
    copied = re.search(r"^COPY --chown=\S+ src/ \$\{REPO_DIR\}/$", dockerfile, re.MULTILINE)
    assert copied.start() < INSTALL.search(dockerfile).start()


def test_repo2docker_takes_a_python_that_the_project_allows(dockerfile: str) -> None:
    major, minor = re.search(r"conda environment for python=(\d+)\.(\d+)", dockerfile).groups()
    assert (int(major), int(minor)) >= (3, 11)


def test_binder_says_nothing_that_requirements_txt_already_says(clone: Path) -> None:
    assert (clone / "binder/requirements.txt").read_text().split() == ["-r", "../requirements.txt"]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Binder's commands are for Linux")
def test_binder_install_works_in_an_empty_environment(clone: Path, dockerfile: str, tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env/bin/python"
    for command in INSTALL.findall(dockerfile):
        run("bash", "-c", f"{python} -m {command}", cwd=clone)
    (clone / "notebooks").mkdir(exist_ok=True)
    found = run(python, "-c", "import widgets, jupyterlab; print(widgets.__file__)", cwd=clone / "notebooks")
    assert Path(found.strip().splitlines()[-1]).is_relative_to(clone)
    settings = tmp_path / "env/share/jupyter/lab/settings/overrides.d/crlm-workbook.json"
    assert settings.read_text() == (clone / "widgets/jupyterlab_settings.json").read_text()

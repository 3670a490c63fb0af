"""A strategy of one's own: what `new strategy` writes passes as it is, and is what the documentation shows."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from errors import UsageError
from runners import backtest, new
from runners._cli import run
from runners._trust import trust_of
from runners.config import load_backtest
from runners.scaffold import class_name, write_strategy

PROJECT = Path(__file__).resolve().parents[2]
DOC, README = PROJECT / "docs" / "write-a-strategy.md", PROJECT / "README.md"


def shown(page: Path) -> str:
    """The one Python block of a page."""
    (code,) = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert isinstance(code, str)
    return code


@pytest.fixture
def own_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a command adds to the import path is gone after the test."""
    monkeypatch.setattr(sys, "path", [*sys.path])


@pytest.mark.req("P-7")
def test_documentation_and_readme_show_exactly_what_the_command_writes(tmp_path: Path) -> None:
    code = write_strategy("lean", tmp_path / "my")[0].read_text(encoding="utf-8")
    assert shown(DOC) == code
    assert shown(README) == code
    assert len([line for line in code.splitlines() if line.strip()]) == 26  # 25 below the title


def python(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *map(str, arguments)], check=False, cwd=cwd, capture_output=True, text=True, timeout=120,
        env={key: value for key, value in os.environ.items() if not key.startswith("PYTEST")},
    )  # fmt: skip


@pytest.mark.req("P-7")
def test_the_written_test_passes_in_a_workspace_that_lies_elsewhere(tmp_path: Path) -> None:
    """Also with an installed pytest that does not put the working directory on the path, as `uv run pytest` does."""
    written = write_strategy("lean", tmp_path / "ideas")
    assert [path.name for path in written] == ["lean.py", "test_lean.py", "lean.yaml", "__init__.py", "conftest.py"]
    done = python("pytest", "-n", "0", "-q", "-p", "no:cacheprovider", written[1], cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout


@pytest.mark.req("P-7")
def test_the_code_of_the_documentation_runs_and_trades(
    in_samples: Path, tmp_path: Path, own_path: None, capsys: pytest.CaptureFixture[str]
) -> None:
    written = write_strategy("shown_lean", tmp_path / "docs_ws")
    code = shown(DOC).replace("LeanParams", "ShownLeanParams").replace("class Lean(", "class ShownLean(")
    written[0].write_text(code, encoding="utf-8")
    arguments = [written[2], "--workspace", tmp_path / "docs_ws", "--output", tmp_path / "run", "--json"]
    changes = ["--set", "data.sample={minutes: 5, funding_at_minute: 3}"]
    with pytest.raises(SystemExit) as caught:
        run(backtest.app, [*map(str, arguments), *changes])
    assert caught.value.code == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["fills"] > 0
    assert summary["residual"] == 0
    (mark,) = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))["code"]
    assert (mark["path"], mark["origin"]) == ("docs_ws.shown_lean:ShownLean", "workspace")
    assert mark["file"].endswith("docs_ws/shown_lean.py")


@pytest.mark.req("P-7")
def test_a_workspace_inside_the_project_is_ignored_by_git() -> None:
    assert "my/" in (PROJECT / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_nothing_is_overwritten_and_nothing_is_half_written(tmp_path: Path) -> None:
    (tmp_path / "my").mkdir()
    (tmp_path / "my" / "test_lean.py").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match=r"test_lean\.py exists already and is kept"):
        write_strategy("lean", tmp_path / "my")
    assert [path.name for path in (tmp_path / "my").iterdir()] == ["test_lean.py"]
    assert (tmp_path / "my" / "test_lean.py").read_text(encoding="utf-8") == "mine"


def test_a_second_strategy_leaves_the_workspace_files_alone(tmp_path: Path) -> None:
    write_strategy("one", tmp_path / "my")
    (tmp_path / "my" / "__init__.py").write_text("# mine\n", encoding="utf-8")
    assert [path.name for path in write_strategy("two", tmp_path / "my")] == ["two.py", "test_two.py", "two.yaml"]
    assert (tmp_path / "my" / "__init__.py").read_text(encoding="utf-8") == "# mine\n"


@pytest.mark.parametrize("name", ["Lean", "1st", "a-b", "class", "x", "test_x", "conftest", "a__b", "../x", ""])
def test_names_that_cannot_be_a_module_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        write_strategy(name, tmp_path / "my")
    assert not (tmp_path / "my").exists()


@pytest.mark.parametrize("folder", ["my-ideas", "tests", "json", "Mine", "runners"])
def test_workspace_names_that_cannot_be_imported_or_hide_another_package_are_refused(
    tmp_path: Path, folder: str
) -> None:
    with pytest.raises(UsageError, match="workspace"):
        write_strategy("lean", tmp_path / folder)
    (tmp_path / folder).mkdir()
    with pytest.raises(UsageError, match="workspace"):
        trust_of(tmp_path / folder, False)


def test_a_workspace_that_is_not_there_is_an_error_unless_it_is_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert trust_of(Path("my"), False).workspace is None
    with pytest.raises(UsageError, match="there is no workspace ideas; make one with"):
        trust_of(Path("ideas"), False)


def test_several_words_become_one_class_name(tmp_path: Path, own_path: None) -> None:
    assert class_name("mean_of_two") == "MeanOfTwo"
    written = write_strategy("mean_of_two", tmp_path / "words")
    config = load_backtest(written[2], trust=trust_of(tmp_path / "words", False)).config
    assert (config.name, config.strategies[0].id) == ("mean-of-two", "mean-of-two-1")
    assert config.strategies[0].class_path == "words.mean_of_two:MeanOfTwo"


def test_the_command_says_what_it_wrote_and_what_to_do_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        run(new.app, ["strategy", "lean"])
    assert caught.value.code == 0
    printed = capsys.readouterr().out
    assert "wrote my/lean.py" in printed
    assert "uv run pytest my/test_lean.py" in printed
    with pytest.raises(SystemExit) as caught:
        run(new.app, ["strategy", "lean"])
    assert caught.value.code == 2
    assert "exists already" in capsys.readouterr().err

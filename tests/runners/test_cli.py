"""The command line: help, usage errors, one sentence per failure."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from errors import GradeTooLow
from runners import __main__ as root
from runners._cli import COMMANDS, new_app, run

PROJECT = Path(__file__).parents[2]


def python(*arguments: str, cwd: Path = PROJECT) -> subprocess.CompletedProcess[str]:
    """Run this interpreter in the project."""
    return subprocess.run(
        [sys.executable, *arguments], check=False, cwd=cwd, capture_output=True, text=True, timeout=120
    )


@pytest.mark.req("P-1")
def test_help_lists_every_command_with_one_line() -> None:
    lines = python("-m", "runners", "--help").stdout.splitlines()
    for name, text in COMMANDS.items():
        assert [line.split(maxsplit=1)[1] for line in lines if line.split()[:1] == [name]] == [text]


def test_a_sign_that_the_terminal_does_not_have_ends_no_command() -> None:
    code = (
        "import sys; sys.stdout.reconfigure(encoding='cp1252', errors='strict')\n"
        "import typer; from runners._cli import new_app, run\n"
        "app = new_app('x')\n"
        "@app.command()\ndef say() -> None:\n    typer.echo('a \u2192 b')\n"
        "run(app, [])"
    )
    done = python("-c", code)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "a \\u2192 b\n")


def test_help_imports_no_engine() -> None:
    heavy = {"nautilus_trader", "pandas", "pyarrow", "rich"}
    code = f"import sys, runners.__main__; print(sorted({heavy} & set(sys.modules)))"
    assert python("-c", code).stdout.strip() == "[]"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example_both_ways(name: str) -> None:
    for arguments in (("-m", "runners", name), ("-m", f"runners.{name.replace('-', '_')}")):
        done = python(*arguments, "--help")
        assert (done.returncode, done.stderr) == (0, "")
        assert "Usage" in done.stdout
    assert "Example" in done.stdout or "COMMAND" in done.stdout


@pytest.mark.parametrize("arguments", [["nonsense"], ["backtest"], ["backtest", "a.yaml", "--nonsense"]])
def test_wrong_usage_exits_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run(root.app, arguments)
    assert caught.value.code == 2
    assert "Usage" in capsys.readouterr().err


def test_one_of_our_errors_is_one_sentence_on_stderr_with_its_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    app = new_app("test")

    @app.command()
    def fail() -> None:
        raise GradeTooLow("the day is below grade.")

    with pytest.raises(SystemExit) as caught:
        run(app, [])
    assert caught.value.code == 3
    assert capsys.readouterr().err == "error: the day is below grade.\n"

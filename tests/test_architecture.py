"""Conventions that a test keeps, not memory: who may import whom, and what may not be imported at all."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

MAY_IMPORT = {
    "errors": set(),
    "catalog": {"errors"},
    "risk": {"errors"},
    "strategies": {"errors", "risk"},
    "execution": {"errors", "risk"},
    "adapters": {"errors", "catalog"},
    "monitoring": {"errors", "risk", "execution", "catalog"},
    "research": {"errors", "risk", "execution", "catalog", "strategies", "monitoring"},
    "runners": {"errors", "risk", "execution", "catalog", "strategies", "monitoring", "research", "adapters", "crash"},
    "benchmarks": {"errors", "risk", "execution", "catalog", "strategies", "monitoring", "runners", "adapters"},
    "crash": {"errors", "risk", "execution", "strategies", "runners", "adapters", "tests"},
}
POSIX_ONLY = {"fcntl", "pwd", "grp", "resource", "termios", "tty", "pty", "posix", "syslog", "spwd", "crypt"}
NO_YAHOO = {"yfinance", "yahoo_fin", "yahooquery", "pandas_datareader"}


def modules() -> Iterator[tuple[str, Path]]:
    for package in MAY_IMPORT:
        single = ROOT / f"{package}.py"
        yield from ((package, path) for path in ([single] if single.exists() else (ROOT / package).rglob("*.py")))


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


def test_imports_point_one_way() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for package, path in modules()
        for name in imported(path)
        if name in MAY_IMPORT and name != package and name not in MAY_IMPORT[package]
    ]
    assert wrong == []


@pytest.mark.req("P-4")
def test_no_module_imports_what_only_posix_has() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for _, path in modules()
        for name in imported(path)
        if name in POSIX_ONLY
    ]
    assert wrong == []


@pytest.mark.req("P-4")
def test_no_module_calls_what_only_posix_has() -> None:
    posix_calls = {"fork", "setsid", "getuid", "geteuid", "mkfifo", "killpg", "chown", "getppid", "add_signal_handler"}
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno} calls {node.func.attr}"
        for _, path in modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in posix_calls
    ]
    assert wrong == []


@pytest.mark.req("D-5")
def test_no_data_comes_from_yahoo() -> None:
    wrong = [str(path) for _, path in modules() for name in imported(path) if name in NO_YAHOO]
    assert wrong == []


@pytest.mark.req("P-6")
def test_python_is_312_or_newer_and_no_mt5_bridge_exists() -> None:
    assert 'requires-python = ">=3.12' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    wrong = [str(path) for _, path in modules() for name in imported(path) if name.lower().startswith("metatrader")]
    assert wrong == []


def test_package_code_validates_with_exceptions_not_with_assert() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for package, path in modules()
        if package != "benchmarks"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Assert)
    ]
    assert wrong == []


@pytest.mark.req("D-1")
def test_nothing_sleeps_on_the_trading_path() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for package, path in modules()
        if package in {"strategies", "risk", "execution"}
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "sleep"
    ]
    assert wrong == []


def test_the_lock_holds_every_direct_pin_with_hashes_and_no_address() -> None:
    pins = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    locked = set(re.findall(r"^([a-z0-9._-]+==[^ \\;]+)", lock, re.MULTILINE))
    assert [pin for pin in pins if pin.replace("_", "-") not in locked] == []
    assert lock.count("--hash=sha256:") > len(locked)
    assert "://" not in lock

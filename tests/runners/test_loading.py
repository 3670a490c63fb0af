"""What a configuration may import."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from errors import ConfigError
from runners.loading import load_class
from strategies.base import GuardedStrategy


def test_a_class_of_the_project_is_found() -> None:
    assert load_class("strategies.base:GuardedStrategy") is GuardedStrategy


@pytest.mark.parametrize(
    "path",
    [
        "",
        "strategies.base",
        ":X",
        "strategies.base:",
        "strategies.base:A.b",
        "a b:C",
        "../x:C",
        "strategies..base:C",
        "a:b:c",
    ],
)
def test_another_form_is_refused(path: str) -> None:
    with pytest.raises(ConfigError, match="not of the form"):
        load_class(path)


@pytest.mark.parametrize("path", ["os:system", "runners.wiring:build", "my.flow:Flow", "subprocess:Popen"])
def test_code_outside_project_and_workspace_needs_trust(path: str) -> None:
    with pytest.raises(ConfigError, match="--trust-code"):
        load_class(path)


def test_trusted_code_may_come_from_anywhere() -> None:
    assert load_class("pathlib:Path", trusted=True) is Path


def test_missing_module_and_missing_name_are_told_apart() -> None:
    with pytest.raises(ConfigError, match=r"there is no module 'strategies\.nowhere'"):
        load_class("strategies.nowhere:X")
    with pytest.raises(ConfigError, match=r"module 'strategies\.base' has no 'Nothing'"):
        load_class("strategies.base:Nothing")


@pytest.mark.req("P-7")
def test_the_workspace_is_a_package_of_its_own_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = tmp_path / "my_desk_one"
    workspace.mkdir()
    (workspace / "flow.py").write_text("class Flow:\n    pass\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert load_class("my_desk_one.flow:Flow", workspace=workspace).__name__ == "Flow"


@pytest.mark.parametrize(
    ("source", "told"),
    [("raise AttributeError('inside')", "AttributeError"), ("def (", "SyntaxError"), ("1 / 0", "ZeroDivisionError")],
)
def test_a_module_that_raises_is_one_sentence(
    source: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = tmp_path / f"desk_{told.lower()}"
    workspace.mkdir()
    (workspace / "broken.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError, match=f"importing .* raised {told}"):
        load_class(f"{workspace.name}.broken:X", workspace=workspace)
    assert f"{workspace.name}.broken" not in sys.modules

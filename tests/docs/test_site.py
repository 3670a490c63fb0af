"""The documentation builds without a warning, needs nothing from elsewhere, and no link in it leads nowhere."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
MAKES_PAGES = [sys.executable, str(ROOT / "docs" / "generate_reference.py")]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that links lead to, with the generated reference, away from the working tree."""
    place = tmp_path_factory.mktemp("docs")
    shutil.copytree(ROOT / "docs", place / "docs", ignore=shutil.ignore_patterns("reference", "__pycache__"))
    shutil.copy(ROOT / "zensical.toml", place)
    made = subprocess.run(
        [*MAKES_PAGES, str(place / "docs" / "reference")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    return place


@pytest.fixture(scope="module")
def site(copy: Path) -> Path:
    """The built site."""
    if importlib.util.find_spec("zensical") is None:
        pytest.skip("zensical is not installed (group docs)")
    built = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict"],
        cwd=copy,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    assert "warning" not in (built.stdout + built.stderr).lower()
    return copy / "site"


def broken(page: Path, root: Path) -> list[str]:
    """Relative links of a Markdown page that lead to no file."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    targets = [unquote(link.partition("#")[0]) for link in LINK.findall(text) if not re.match(r"[a-z]+:|#", link)]
    return [f"{page.relative_to(root)} -> {target}" for target in targets if not (page.parent / target).exists()]


def test_no_relative_link_of_the_documentation_is_broken(copy: Path) -> None:
    pages = sorted((copy / "docs").rglob("*.md"))
    assert len(pages) > 20
    assert [link for page in pages for link in broken(page, copy)] == []


def test_no_relative_link_of_the_readme_is_broken() -> None:
    pages = [ROOT / "README.md", ROOT / "CHANGELOG.md"]
    assert [link for page in pages for link in broken(page, ROOT)] == []


def test_every_page_is_in_the_site(site: Path, copy: Path) -> None:
    pages = {path.relative_to(copy / "docs").with_suffix(".html") for path in (copy / "docs").rglob("*.md")}
    assert sorted(str(page) for page in pages if not (site / page).exists()) == []


def test_every_page_can_be_reached_from_the_navigation(site: Path, copy: Path) -> None:
    names = {path.relative_to(copy / "docs").as_posix() for path in (copy / "docs").rglob("*.md")}
    listed = set(re.findall(r'= "([^"]+\.md)"', (copy / "zensical.toml").read_text(encoding="utf-8")))
    assert sorted(names ^ listed) == []


class Resources(HTMLParser):
    """Collects what a page loads: scripts, styles, pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in {"script", "img", "iframe", "source"}:
            self.loaded.append(given.get("src") or "")
        if tag == "link" and given.get("rel") in {"stylesheet", "preload", "icon"}:
            self.loaded.append(given.get("href") or "")


def test_the_site_loads_nothing_from_elsewhere(site: Path) -> None:
    resources = Resources()
    for page in site.rglob("*.html"):
        resources.feed(page.read_text(encoding="utf-8"))
    assert len(resources.loaded) > 20
    assert [address for address in resources.loaded if re.match(r"(https?:)?//", address)] == []


def test_the_reference_names_every_command_and_every_key(copy: Path) -> None:
    commands = (copy / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
    keys = (copy / "docs" / "reference" / "configuration.md").read_text(encoding="utf-8")
    assert {"### ingest tardis", "### runs compare", "## lookahead"} <= set(commands.splitlines())
    assert "| `maker_bps` | number, ≥ -100, ≤ 1000 | required | Maker fee, basis points; a rebate is negative |" in keys

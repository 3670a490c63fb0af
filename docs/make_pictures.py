"""Make the README's pictures from a recording: ``uv run python docs/make_pictures.py RECORDING.gz``.

Ingests the recording into a temporary catalog, runs `backtest_configs/btc_recorded.yaml` on it, and takes two pictures of the
report with headless Chromium: the top of the page, and the order-book heat map alone.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--virtual-time-budget=8000",
)  # fmt: skip
ONLY_BOOK = "<style>header, section:not([id^=book-]) { display: none } footer { display: none }</style></head>"


def module(*arguments: str) -> None:
    """Run one of the project's commands."""
    subprocess.run([sys.executable, "-m", *arguments], cwd=ROOT, check=True)  # noqa: S603 - our own commands


def photograph(browser: str, page: Path, picture: Path, width: int, height: int) -> None:
    """Take one picture of a page."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        size = f"--window-size={width},{height}"
        command = [browser, *FLAGS, f"--user-data-dir={profile}", size, f"--screenshot={picture}", page.as_uri()]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - the browser found below


def main() -> int:
    """Make both pictures; return the exit code."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if len(sys.argv) != 2 or browser is None:
        sys.stderr.write("usage: python docs/make_pictures.py RECORDING.gz  (needs Chromium or Chrome)\n")
        return 2
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        catalog, run = folder / "catalog", folder / "btc-recorded"
        what = ("--market", "usdm", "--symbol", "BTCUSDT")
        module("runners.ingest", "recording", sys.argv[1], *what, "--catalog", str(catalog))
        config = "backtest_configs/btc_recorded.yaml"
        module("runners.backtest", config, "--set", f"data.catalog={catalog}", "--output", str(run))
        pictures = ROOT / "docs" / "pictures"
        pictures.mkdir(exist_ok=True)
        report = (run / "report.html").read_text(encoding="utf-8").replace(str(catalog), "data/catalog")
        (folder / "whole.html").write_text(report, encoding="utf-8")
        (folder / "book.html").write_text(report.replace("</head>", ONLY_BOOK, 1), encoding="utf-8")
        photograph(browser, folder / "whole.html", pictures / "report.png", 1000, 1240)
        photograph(browser, folder / "book.html", pictures / "book.png", 1000, 800)
    return 0


if __name__ == "__main__":
    sys.exit(main())

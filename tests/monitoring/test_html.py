"""The page: complete, small, the same twice, and alive in a browser without a network."""

from __future__ import annotations

import base64
import gzip
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monitoring.report import Summary, load, summarise, write_html
from monitoring.report.book_grid import LevelChange
from monitoring.report.figures.cost_plots import label, waterfall
from monitoring.report.figures.sections import sections
from monitoring.report.html import page
from monitoring.report.tables import key_figures
from tests.monitoring.build_run import IID, Scene, fill, order, quote, random_scene

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--enable-logging=stderr",
    "--virtual-time-budget=30000",
]
BROWSERS_OWN_HOSTS = (".google.com", ".googleapis.com", ".gstatic.com")
VOID = {"meta", "br", "hr", "img", "link", "input"}


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_scene(5, minutes=12, trades=80).write(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def summary(run_dir: Path) -> Summary:
    return summarise(load(run_dir))


@pytest.fixture(scope="module")
def text(run_dir: Path, summary: Summary) -> str:
    return page(load(run_dir), summary, fake_book)


def fake_book(instrument_id: str, start_ns: int, end_ns: int) -> Iterator[LevelChange]:
    """Fifty levels on each side of 60,000 that breathe."""
    rng = np.random.default_rng(0)
    for ts in range(start_ns, end_ns, 1_000_000_000):
        for level in range(1, 51):
            for is_bid in (True, False):
                price = 60_000 + (-0.1 if is_bid else 0.1) * level
                yield LevelChange(ts, is_bid, round(price, 1), float(rng.gamma(2.0, level)))


def figures_in(text: str) -> dict[str, Any]:
    packed = re.search(r'id="payload-figures">([^<]+)<', text)
    assert packed is not None
    found: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(packed[1])))
    return found


def drawn(values: Any) -> int:
    if isinstance(values, dict):
        return len(np.frombuffer(base64.b64decode(values["bdata"]), dtype=values["dtype"]))
    return len(values)


@pytest.mark.req("B-5")
def test_page_has_every_section_of_the_design(run_dir: Path, summary: Summary) -> None:
    found = {section.key.split("-")[0] for section in sections(load(run_dir), summary, fake_book)}
    assert found == {
        "figures",
        "equity",
        "price",
        "book",
        "waterfall",
        "strategies",
        "markouts",
        "baselines",
        "inventory",
        "queue",
        "latency",
        "capacity",
        "clock",
        "risk",
        "refusals",
    }


def test_no_fill_is_left_out_of_the_price_picture(run_dir: Path, text: str) -> None:
    fills = load(run_dir).headline.fills
    marks = [t for t in figures_in(text)[f"price-{IID}"]["data"] if t.get("mode") == "markers"]
    assert sum(drawn(trace["x"]) for trace in marks) == len(fills) == 80


def test_page_is_the_same_twice(run_dir: Path, summary: Summary, text: str) -> None:
    assert page(load(run_dir), summary, fake_book) == text


def test_page_holds_no_time_of_its_making_and_no_address_to_fetch(text: str) -> None:
    visible = re.sub(r'<script type="application/octet-stream".*?</script>', "", text, flags=re.DOTALL)
    assert "http" not in visible.replace("http-equiv", "")
    assert "wall" not in visible
    assert "default-src 'none'" in visible


def test_synthetic_data_is_watermarked_and_recorded_data_is_not(run_dir: Path, text: str, tmp_path: Path) -> None:
    assert 'class="watermark"' in text
    real = Scene(quotes=[quote(0, 99, 101)], manifest={"synthetic": False}).write(tmp_path)
    assert 'class="watermark"' not in page(load(real), summarise(load(real)))


def test_text_from_a_config_cannot_become_markup(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    waived = [{"strategy_id": evil, "reason": evil}]
    scene = Scene(
        quotes=[quote(0, 99, 101)],
        fills=[fill(0, "BUY", "1", "100", strategy_id=evil)],
        manifest={"run_id": evil, "data_source": evil, "waived": waived},
    )
    run = load(scene.write(tmp_path))
    assert evil not in page(run, summarise(run))


def test_tags_are_balanced(text: str) -> None:
    open_tags: list[str] = []

    class Checker(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag not in VOID:
                open_tags.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert open_tags.pop() == tag

    Checker().feed(text)
    assert open_tags == []


def test_a_run_without_catalog_says_why_there_is_no_book(run_dir: Path, summary: Summary) -> None:
    path = write_html(run_dir, summary)
    assert path == run_dir / "report.html"
    assert "names no catalog" in path.read_text(encoding="utf-8")


def test_a_catalog_that_is_gone_is_a_sentence_and_no_crash(tmp_path: Path) -> None:
    scene = Scene(quotes=[quote(0, 99, 101), quote(99, 99, 101)], manifest={"catalog": str(tmp_path / "gone")})
    run_dir = scene.write(tmp_path / "run")
    text = write_html(run_dir, summarise(load(run_dir))).read_text(encoding="utf-8")
    assert "could not be read again" in text


@pytest.mark.parametrize("bounds", [1, 2])
def test_a_run_that_never_traded_still_has_a_page(bounds: int, tmp_path: Path) -> None:
    scene = Scene(quotes=[quote(0, 99, 101), quote(99, 99, 101)], optimistic=[] if bounds == 2 else None)
    run = load(scene.write(tmp_path))
    text = page(run, summarise(run), fake_book)
    assert "No fills, so no markouts." in text


def test_a_day_of_trading_stays_below_five_megabytes(tmp_path: Path) -> None:
    run_dir = random_scene(1, minutes=1440, trades=5000, per_minute=30).write(tmp_path)
    assert write_html(run_dir, summarise(load(run_dir))).stat().st_size < 5_000_000


def browse(path: Path, width: int, folder: Path, dark: bool) -> tuple[str, list[str], set[str]]:
    """Open a page; return its tree, what the console said, and the hosts that were asked for."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        pytest.skip("no Chromium on this machine: the page was not opened")
    log = folder / "net.json"
    theme = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
    own = [f"--user-data-dir={folder / 'profile'}", f"--log-net-log={log}", f"--window-size={width},900", theme]
    done = subprocess.run(
        [browser, *FLAGS, *own, "--dump-dom", path.as_uri()], capture_output=True, timeout=120, check=True
    )
    said = [line for line in done.stderr.decode("utf-8", "replace").splitlines() if "CONSOLE" in line]
    hosts = set(re.findall(r'"url":"[a-z]+://([^/:"]+)', log.read_text(encoding="utf-8", errors="replace")))
    return done.stdout.decode("utf-8"), said, hosts


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (500, True)])
def test_page_opens_without_console_message_and_without_network(
    width: int, dark: bool, text: str, tmp_path: Path
) -> None:
    path = tmp_path / "report.html"
    path.write_text(text, encoding="utf-8")
    tree, said, hosts = browse(path, width, tmp_path, dark)
    assert said == []
    assert {host for host in hosts if not host.endswith(BROWSERS_OWN_HOSTS)} == set()
    assert 'data-ready="true"' in tree
    assert tree.count('class="plot js-plotly-plot"') == len(figures_in(text)) == 12


def test_resting_orders_carry_their_queue_on_the_heat_map(tmp_path: Path) -> None:
    scene = Scene(
        quotes=[quote(0, 59_999.9, 60_000.1), quote(50, 59_999.9, 60_000.1)],
        orders=[order(10, queue_ahead=3.25, price=60_000, status="CANCELED", filled_quantity=0)],
    )
    run = load(scene.write(tmp_path))
    picture = figures_in(page(run, summarise(run), fake_book))[f"book-{IID}"]
    data, (plate,) = picture["data"], picture["layout"]["annotations"]
    assert plate["text"] == "3.25"
    assert "rgba" in plate["bgcolor"]  # a plate of its own: readable on any size of the book
    starts = next(trace for trace in data if trace.get("name") == "our bids accepted")
    assert "queue ahead 3.25" in starts["customdata"][0]
    assert "canceled" in starts["customdata"][0]


def queue_plates(tmp_path: Path, orders: list[dict[str, Any]]) -> list[dict[str, Any]]:
    quotes = [quote(0, 59_999.9, 60_000.1), quote(60, 59_999.9, 60_000.1)]
    run = load(Scene(quotes=quotes, orders=orders).write(tmp_path))
    layout = figures_in(page(run, summarise(run), fake_book))[f"book-{IID}"]["layout"]
    found: list[dict[str, Any]] = layout.get("annotations", [])
    return found


def resting(seconds: float, side: str = "BUY") -> dict[str, Any]:
    return order(seconds, side, price=60_000, queue_ahead=1.0, status="CANCELED", filled_quantity=0)


def test_the_queue_of_a_late_order_is_written_to_its_left_and_of_an_ask_above(tmp_path: Path) -> None:
    early, late = queue_plates(tmp_path, [resting(1), resting(59, "SELL")])
    assert (early["xanchor"], early["yanchor"]) == ("left", "top")
    assert (late["xanchor"], late["yanchor"]) == ("right", "bottom")


def test_many_orders_show_their_queue_on_pointing_only(tmp_path: Path) -> None:
    assert len(queue_plates(tmp_path / "25", [resting(second) for second in range(1, 26)])) == 25
    assert queue_plates(tmp_path / "26", [resting(second) for second in range(1, 27)]) == []


def axis_titles(layout: dict[str, Any]) -> dict[str, str]:
    return {name: axis["title"]["text"] for name, axis in layout.items() if "axis" in name and "title" in axis}


def test_every_axis_that_shows_an_amount_names_its_unit(text: str) -> None:
    found = {key: axis_titles(figure["layout"]) for key, figure in figures_in(text).items()}
    assert found[f"price-{IID}"] == {"xaxis": "UTC", "yaxis": "price, USDT", "yaxis2": "position,<br>base units"}
    assert found[f"book-{IID}"] == {"xaxis": "UTC", "yaxis": "price, USDT"}
    assert found["baselines"] == {"xaxis": "UTC", "yaxis": "net P&L, USDT"}
    assert found["clock"]["yaxis"] == "P&L, USDT"
    assert found["equity"] == {"xaxis": "UTC", "yaxis": "equity, USDT", "yaxis2": "drawdown, %"}


def test_the_waterfall_leaves_room_for_its_figures_and_hides_no_loss_behind_a_zero(summary: Summary) -> None:
    picture = waterfall(summary).figure
    assert picture is not None
    low, high = picture.layout.yaxis.range
    tops = [0.0]
    for bound in summary.bounds.values():
        parts = bound.waterfall
        level = 0.0
        for part in (parts.spread, parts.markout, parts.inventory, -parts.fees, parts.funding):
            level += float(part)
            tops.append(level)
    assert low < min(tops)
    assert high > max(tops)
    assert [label(value) for value in (-0.002, 0.0, 0.5, -1234.567)] == ["-0.002", "+0.00", "+0.50", "-1,234.57"]


def test_a_share_that_is_not_nothing_is_not_shown_as_zero(summary: Summary) -> None:
    bound = summary.bounds["conservative"]
    tiny = bound.model_copy(
        update={"participation": bound.participation.model_copy(update={"p50": 0.00002, "p95": 0.0})}
    )
    shown = key_figures(summary.model_copy(update={"bounds": {"conservative": tiny}}))
    assert "&lt; 0.1% / 0.0%" in shown


def test_the_page_says_what_was_traded_and_when_in_utc(text: str) -> None:
    assert re.search(rf'class="traded">{IID} · \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d – \d\d:\d\d:\d\d UTC<', text)

"""From a daily loss of a dollar to the incident, its replay and the reset, as a person types it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from catalog.maintenance import verify
from catalog.store import Catalog
from execution.journal import RiskEvent
from monitoring.incidents.record import Incident, read
from runners import __main__ as root
from runners._cli import run
from runners.config import LiveConfig, Trust
from runners.incidents.matching import Known, Verdict, match
from runners.incidents.replaying import replay_incident
from tests.runners.short import STRATEGIES, short

S = 1_000_000_000
IID = "BTCUSDT-PERP.BINANCE"
LIMIT = "risk.max_daily_loss_quote=1"


def typed(*arguments: str) -> int:
    """What a command returns to the shell."""
    with pytest.raises(SystemExit) as caught:
        run(root.app, arguments)
    assert isinstance(caught.value.code, int)
    return caught.value.code


@pytest.fixture(scope="module")
def home(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one run that a daily loss of one dollar has halted, made with the command."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(samples)
        config = short(tmp_path_factory.mktemp("config"), *STRATEGIES["order_flow"], warmup_secs=60)
        place = tmp_path_factory.mktemp("home")
        assert typed("backtest", str(config), "--set", LIMIT, "--output", str(place / "runs" / "loss")) == 0
    return place


@pytest.fixture
def here(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in that folder."""
    monkeypatch.chdir(home)
    return home


def incident(home: Path, bound: str = "conservative") -> Incident:
    return read(home / "runs" / "loss" / bound / "incidents" / "1-daily_loss")


@pytest.mark.req("X-8", "R-1")
def test_the_halt_comes_within_a_second_of_the_fill_that_lost_too_much_and_no_entry_follows(home: Path) -> None:
    it = incident(home)
    loss = float(it.figures["loss"])
    assert (it.cause, 1.0 < loss < 1.5) == ("daily_loss", True)
    rows = pq.read_table(home / "runs" / "loss" / "conservative" / "orders.parquet").to_pylist()
    assert [row["client_order_id"] for row in rows if row["ts_ns"] > it.ts_ns and not row["reduce_only"]] == []
    last = max(row["ts_ns"] for row in it.fills if row["ts_ns"] <= it.ts_ns)
    assert it.ts_ns - last < S


@pytest.mark.req("X-8")
def test_every_bound_of_a_run_has_its_incident_with_a_sound_catalog(home: Path) -> None:
    for bound in ("conservative", "optimistic"):
        folder = home / "runs" / "loss" / bound / "incidents" / "1-daily_loss"
        assert verify(folder / "catalog") == []
        catalog = Catalog(folder / "catalog")
        assert [source.kind for source in catalog.certificates(IID)[0].sources] == ["sample", "excerpt"]
        it = incident(home, bound)
        covered = catalog.coverage(IID)
        assert it.market_start_ns <= covered.start_ns <= it.start_ns
        assert it.ts_ns < covered.end_ns <= it.end_ns
        assert it.config["risk"]["max_daily_loss_quote"] == 1
        assert (
            it.config_hash == json.loads((home / "runs" / "loss" / "manifest.json").read_text("utf-8"))["config_hash"]
        )


@pytest.mark.req("B-9")
def test_a_backtest_makes_no_state_folder(home: Path, samples: Path) -> None:
    assert not (home / "state").exists()
    assert not (samples / "state").exists()


@pytest.mark.req("X-8")
def test_list_names_both_incidents_the_headline_bound_first(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed("incident", "list", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["cause"], row["where"]) for row in rows] == [
        ("daily_loss", "loss · conservative"), ("daily_loss", "loss · optimistic"),
    ]  # fmt: skip
    assert typed("incident", "list") == 0
    assert rows[0]["id"] in capsys.readouterr().out


@pytest.mark.req("X-8")
def test_show_tells_the_story_with_market_orders_and_limits(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed("incident", "show", "last") == 0
    text = capsys.readouterr().out
    assert "The daily loss halted entries: daily loss 1." in text
    assert "bps wide" in text
    assert "halt daily_loss" in text
    assert "fill" in text
    assert "max_daily_loss_quote" in text
    assert typed("incident", "show", "last", "--json") == 0
    assert json.loads(capsys.readouterr().out)["cause"] == "daily_loss"


@pytest.mark.req("X-8")
def test_the_replay_trips_again_where_the_run_tripped(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(path for path in here.rglob("*") if path.is_file())
    assert typed("incident", "replay", "last", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    (halt,) = [row for row in told["events"] if row["recorded"] and row["recorded"]["name"] == "daily_loss"]
    assert halt["verdict"] == "again, same instant"
    assert halt["replayed"]["figures"] == halt["recorded"]["figures"]
    assert any("learn anew" in line for line in told["said"])
    assert sorted(path for path in here.rglob("*") if path.is_file()) == before


@pytest.mark.req("X-8")
def test_an_incident_of_an_account_replays_on_a_simulated_venue_and_says_so(home: Path) -> None:
    folder = home / "runs" / "loss" / "conservative" / "incidents" / "1-daily_loss"
    it = read(folder)
    live = LiveConfig.model_validate({
        "version": 1, "mode": "testnet", "name": "x", "instruments": [IID], "fees": {"maker_bps": 2.0, "taker_bps": 5.0},
        "account": {"alias": "demo-1", "environment": "demo", "leverage": 3},
        "strategies": it.config["strategies"], "risk": it.config["risk"],
    })  # fmt: skip
    config = live.model_dump(mode="json", by_alias=True)
    done = replay_incident(folder, it.model_copy(update={"origin": "live", "bound": "live", "config": config}), Trust())
    trip = done.trip(it)
    assert trip is not None
    assert trip.came_again
    assert abs(trip.shift_ns) < 60 * S
    assert any("the venue is simulated" in remark for remark in done.remarks)


def test_status_of_the_run_says_how_it_ended(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed("status", "loss", "--json") == 0
    looks = json.loads(capsys.readouterr().out)
    assert [look["name"] for look in looks] == ["loss · conservative", "loss · optimistic"]
    assert looks[0]["halted"] == incident(here).reason
    (loss,) = [use for use in looks[0]["status"]["limits"] if use["limit"] == "max_daily_loss_quote"]
    account = json.loads((here / "runs" / "loss" / "conservative" / "account.json").read_text("utf-8"))
    assert float(loss["used"]) == pytest.approx(-float(account["net_pnl"]))


def test_an_unknown_id_exits_2_and_a_broken_incident_3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert typed("incident", "show", "abc") == 2
    assert "there is no incident abc" in capsys.readouterr().err
    folder = tmp_path / "state" / "demo-1" / "incidents" / "1-kill_switch"
    folder.mkdir(parents=True)
    (folder / "incident.json").write_text("{}", encoding="utf-8")
    assert typed("incident", "list") == 0
    assert "unreadable" in capsys.readouterr().out
    assert typed("incident", "show", "last") == 3


def test_black_box_null_keeps_nothing(in_samples: Path, tmp_path: Path) -> None:
    config = short(tmp_path, *STRATEGIES["order_flow"], warmup_secs=60)
    out = tmp_path / "out"
    assert typed("backtest", str(config), "--set", LIMIT, "--set", "black_box=null", "--output", str(out)) == 0
    assert json.loads((out / "summary.json").read_text("utf-8"))["status"] == "halted"
    assert list(out.rglob("incidents")) == []


def test_equal_runs_leave_equal_incidents(in_samples: Path, tmp_path: Path, home: Path) -> None:
    config = short(tmp_path, *STRATEGIES["order_flow"], warmup_secs=60)
    assert typed("backtest", str(config), "--set", LIMIT, "--output", str(tmp_path / "again")) == 0
    first, again = home / "runs" / "loss", tmp_path / "again"
    files = sorted(path.relative_to(again) for path in again.rglob("*") if "incidents" in path.parts and path.is_file())
    assert len(files) > 10
    assert [name.as_posix() for name in files if (first / name).read_bytes() != (again / name).read_bytes()] == []


def edge(secs: float, name: str = "spread", state: str = "open", *, kind: str = "breaker") -> RiskEvent:
    return RiskEvent(round(secs * S), kind, name, "", state, "soft", "why", {})


def verdicts(recorded: list[RiskEvent], replayed: list[RiskEvent], **known: Any) -> list[tuple[float, Verdict]]:
    given: dict[str, Any] = {"ready_ns": {}, "open_before": frozenset(), "end_ns": 100 * S, **known}
    return [(pair.ts_ns / S, pair.verdict) for pair in match(recorded, replayed, Known(**given))]


def test_an_edge_that_comes_again_within_two_seconds_is_the_same_one() -> None:
    found = verdicts([edge(10), edge(20), edge(30)], [edge(10), edge(21.5), edge(33)])
    assert found == [(10, Verdict.SAME), (20, Verdict.SHIFTED), (30, Verdict.MISSING), (33, Verdict.EXTRA)]


def test_a_halt_is_the_same_one_whenever_it_comes() -> None:
    halt, later = edge(10, "daily_loss", kind="halt"), edge(40, "daily_loss", kind="halt")
    (pair,) = match([halt], [later], Known({}, frozenset(), 100 * S))
    assert (pair.verdict, pair.shift_ns, pair.text) == (Verdict.SHIFTED, 30 * S, "again, +30.000 s")


def test_why_an_edge_did_not_come_again_is_said_as_far_as_it_is_known() -> None:
    assert verdicts([edge(10)], [], ready_ns={"spread": 11 * S}) == [(10, Verdict.LEARNING)]
    assert verdicts([edge(10)], [], ready_ns={"spread": None}) == [(10, Verdict.LEARNING)]
    assert verdicts([edge(10)], [], ready_ns={"spread": 9 * S}) == [(10, Verdict.MISSING)]
    before = [edge(1, state="half_open"), edge(2, state="closed"), edge(3)]
    assert [one for _, one in verdicts(before, [], open_before=frozenset({"spread"}))] == [
        Verdict.OPEN_BEFORE, Verdict.OPEN_BEFORE, Verdict.MISSING,
    ]  # fmt: skip
    assert verdicts([edge(200)], []) == [(200, Verdict.NOT_REACHED)]


def test_a_halt_that_was_in_force_before_the_window_is_not_news() -> None:
    halt = edge(1, "daily_loss", kind="halt")
    assert verdicts([], [halt], halted=True) == [(1, Verdict.STANDING)]
    assert verdicts([], [halt]) == [(1, Verdict.EXTRA)]

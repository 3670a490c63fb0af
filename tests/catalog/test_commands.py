"""``ingest`` and ``catalog`` as a person or a script calls them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import runners.catalog
import runners.ingest
from runners._cli import run
from tests.catalog.lines import GOOD, write

PERP_ID = "BTCUSDT-PERP.BINANCE"
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    apps = {"ingest": runners.ingest.app, "catalog": runners.catalog.app}

    def called(command: str, *arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            run(apps[command], [str(argument) for argument in arguments])
        written = capsys.readouterr()
        code = ended.value.code
        return (code if isinstance(code, int) else 0), written.out, written.err

    return called


@pytest.fixture
def catalog(call: Call, tmp_path: Path) -> Path:
    path = tmp_path / "catalog"
    file = write(tmp_path / "a.gz", GOOD)
    assert call("ingest", "recording", file, "--market", "usdm", "--symbol", "btcusdt", "--catalog", path)[0] == 0
    return path


def test_ingest_tells_grade_and_counts_and_later_that_there_is_nothing_to_do(call: Call, tmp_path: Path) -> None:
    file = write(tmp_path / "a.gz", GOOD)
    arguments = ("recording", file, "--market", "usdm", "--symbol", "BTCUSDT", "--catalog", tmp_path / "c")
    assert call("ingest", *arguments) == (0, f"{PERP_ID} 2024-08-08: grade A, 8 deltas, 2 trades, 3 quotes\n", "")
    code, out, _ = call("ingest", *arguments)
    assert (code, out.endswith("already: nothing to do.\n")) == (0, True)
    code, out, _ = call("ingest", *arguments, "--json")
    assert json.loads(out) == {"new": False, "instrument_id": PERP_ID, "warnings": [], "certificates": []}


def test_a_truncated_file_is_a_warning_on_stderr_and_exit_code_0(call: Call, tmp_path: Path) -> None:
    lines = list(GOOD) * 50
    file = write(tmp_path / "a.gz", lines, cut=8)
    code, out, err = call(
        "ingest", "recording", file, "--market", "usdm", "--symbol", "BTCUSDT", "--catalog", tmp_path / "c"
    )
    assert code == 0
    assert "grade" in out
    assert err.startswith("warning: the file is truncated")


def test_a_file_that_is_not_there_ends_with_code_3_and_one_sentence(call: Call, tmp_path: Path) -> None:
    arguments = (tmp_path / "no.gz", "--market", "usdm", "--symbol", "BTCUSDT", "--catalog", tmp_path / "c")
    assert call("ingest", "recording", *arguments) == (3, "", f"error: there is no file {tmp_path / 'no.gz'}.\n")
    assert not (tmp_path / "c").exists()


def test_a_wrong_market_ends_with_code_2(call: Call, tmp_path: Path) -> None:
    file = write(tmp_path / "a.gz", GOOD)
    assert (
        call("ingest", "recording", file, "--market", "coinm", "--symbol", "BTCUSDT", "--catalog", tmp_path / "c")[0]
        == 2
    )


def test_an_impossible_sample_ends_with_code_2_and_one_sentence(call: Call, tmp_path: Path) -> None:
    code, _, err = call("ingest", "sample", "--minutes", 5, "--funding-at-minute", 9, "--catalog", tmp_path / "c")
    assert code == 2
    assert err.startswith("error: the sample cannot be made:")
    assert err.count("\n") == 1


def test_list_shows_instruments_days_and_grades(call: Call, catalog: Path) -> None:
    (row,) = json.loads(call("catalog", "list", "--catalog", catalog, "--json")[1])
    assert (row["instrument"], row["day"], row["grade"], row["deltas"]) == (PERP_ID, "2024-08-08", "A", 8)
    table = call("catalog", "list", "--catalog", catalog)[1]
    assert PERP_ID in table
    assert "2024-08-08" in table


def test_show_prints_every_measure(call: Call, catalog: Path) -> None:
    out = call("catalog", "show", PERP_ID, "--catalog", catalog)[1]
    assert out.startswith(f"{PERP_ID} 2024-08-08  grade A  recorded\n")
    assert "tops_equal              3\n" in out
    assert json.loads(call("catalog", "show", PERP_ID, "--catalog", catalog, "--json")[1])[0]["grade"] == "A"


def test_a_misspelt_instrument_ends_with_code_3_and_names_the_nearest(call: Call, catalog: Path) -> None:
    code, _, err = call("catalog", "show", "BTCUSDT-PERP.BINANC", "--catalog", catalog)
    assert code == 3
    assert f"nearest: {PERP_ID}" in err


def test_a_missing_catalog_ends_with_code_3(call: Call, tmp_path: Path) -> None:
    for command in ("list", "verify"):
        assert call("catalog", command, "--catalog", tmp_path / "none")[0] == 3


def test_verify_ends_with_code_3_when_something_is_wrong(call: Call, catalog: Path) -> None:
    assert call("catalog", "verify", "--catalog", catalog)[:2] == (
        0,
        f"{catalog}: 1 instrument(s) verified, no problem.\n",
    )
    file = next((catalog / "data" / "trades" / PERP_ID).iterdir())
    file.write_bytes(b"PAR1")
    code, out, err = call("catalog", "verify", "--catalog", catalog)
    assert code == 3
    assert f"data/trades/{PERP_ID}/{file.name}: " in out
    assert err.startswith("error: 2 problem(s)")


def test_a_damaged_definition_ends_with_code_3(call: Call, catalog: Path) -> None:
    next((catalog / "data" / "crypto_perpetual" / PERP_ID).iterdir()).write_bytes(b"PAR1")
    code, _, err = call("catalog", "show", PERP_ID, "--catalog", catalog)
    assert code == 3
    assert "the definition of BTCUSDT-PERP.BINANCE" in err


def test_remove_tells_what_went(call: Call, catalog: Path) -> None:
    removed = json.loads(call("catalog", "remove", PERP_ID, "--catalog", catalog, "--json")[1])
    assert f"certificates/{PERP_ID}/2024-08-08.json" in removed
    assert json.loads(call("catalog", "list", "--catalog", catalog, "--json")[1]) == []

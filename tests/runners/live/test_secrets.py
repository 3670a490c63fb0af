"""Keys come from the environment or `.env`, are named when they are missing, and are never shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from errors import ConfigError, SafetyRefusal
from runners.config.account import AccountConfig
from runners.live.secrets import read_keys

DEMO = AccountConfig(alias="demo-1", environment="demo")
NAMED = AccountConfig(alias="demo-1", environment="demo", key_env="MY_KEY", secret_env="MY_SECRET")
NOWHERE = Path("there-is-no-such-file")


def dot_env(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / ".env"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


@pytest.mark.req("M-4")
def test_the_environments_own_name_goes_before_the_general_one_and_a_variable_before_the_file(tmp_path: Path) -> None:
    file = dot_env(tmp_path, "EXCHANGE=binance\nAPI_KEY=general\nAPI_SECRET=s\nDEMO_API_KEY=of-file\n")
    assert read_keys(DEMO, {}, file).key.get_secret_value() == "of-file"
    found = read_keys(DEMO, {"DEMO_API_KEY": "of-process"}, file)
    assert (found.key.get_secret_value(), found.secret.get_secret_value()) == ("of-process", "s")
    assert found.source == "DEMO_API_KEY of environment"


@pytest.mark.req("M-4")
def test_keys_are_not_in_a_repr() -> None:
    found = read_keys(DEMO, {"API_KEY": "key-4711", "API_SECRET": "secret-4711"}, NOWHERE)
    assert "4711" not in repr(found) + str(found) + found.fingerprint
    assert len(found.fingerprint) == 12


@pytest.mark.parametrize(
    ("account", "environ", "sentence"),
    [
        (DEMO, {}, "DEMO_API_KEY or API_KEY is not set"),
        (DEMO, {"API_KEY": "k", "API_SECRET": " "}, "DEMO_API_SECRET or API_SECRET is not set"),
        (NAMED, {"API_KEY": "k", "API_SECRET": "s"}, "MY_KEY is not set"),
        (DEMO, {"API_KEY": "k", "API_SECRET": "s", "EXCHANGE": "kraken"}, "EXCHANGE is kraken"),
    ],
)
def test_what_is_missing_or_wrong_is_named(account: AccountConfig, environ: dict[str, str], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence) as caught:
        read_keys(account, environ, NOWHERE)
    assert caught.value.exit_code == 2
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.skipif(os.name != "posix", reason="Windows has no mode bits")
@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(SafetyRefusal, match="chmod 600"):
        read_keys(DEMO, {}, dot_env(tmp_path, "API_KEY=k\nAPI_SECRET=s\n", mode))


def test_our_simulated_venue_needs_no_keys_but_takes_them() -> None:
    local = AccountConfig(alias="local", environment="local", url="http://127.0.0.1:8800")
    assert read_keys(local, {}, NOWHERE).key.get_secret_value() == "local-key"
    assert read_keys(local, {"LOCAL_API_KEY": "a", "LOCAL_API_SECRET": "b"}, NOWHERE).key.get_secret_value() == "a"


def test_the_example_names_every_variable_and_holds_no_value() -> None:
    lines = (Path(__file__).parents[3] / ".env.example").read_text(encoding="utf-8").splitlines()
    values = dict(line.lstrip("#").split("=", 1) for line in lines if "=" in line and " " not in line)
    assert {"EXCHANGE", "API_KEY", "API_SECRET", "DEMO_API_KEY", "DEMO_API_SECRET"} <= set(values)
    assert {name: value for name, value in values.items() if value} == {"EXCHANGE": "binance"}

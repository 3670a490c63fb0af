"""M-4: planted keys never show: not in logs, not in errors, not in a repr."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path

import pytest
from pydantic import SecretStr

from execution.safety.failures import VenueError
from execution.safety.signing import Credentials
from tests.adapters.simulated_binance.support import still_scenario
from tests.execution.safety.support import Rig, run

KEY, SECRET = "PLANTEDKEY0123456789", "PLANTEDSECRET0123456789"
PLANTED = Credentials(SecretStr(KEY), SecretStr(SECRET))
ACCOUNT = {"keys": [{"key": KEY, "secret": SECRET}]}


def betrays(text: str) -> bool:
    return KEY in text or SECRET in text or "signature=" in text.replace("signature=***", "")


@pytest.mark.req("M-4")
def test_nothing_that_is_logged_holds_a_key_or_a_signature(caplog: pytest.LogCaptureFixture) -> None:
    async def story(rig: Rig) -> None:
        with caplog.at_level(logging.DEBUG):
            await rig.client.open_orders()
            await rig.client.cancel_all("BTCUSDT")
            rig.fault({"request": "DELETE *"}, {"act": "drop_answer"})
            with pytest.raises(VenueError):
                await rig.client.cancel_all("BTCUSDT")

    run(story, still_scenario(account=ACCOUNT), keys=PLANTED)
    assert not any(betrays(record.getMessage()) for record in caplog.records)
    assert not any(record.name.startswith("http") for record in caplog.records)


@pytest.mark.req("M-4")
@pytest.mark.parametrize(
    "act",
    [
        {"act": "drop_answer"},
        {"act": "hang"},
        {"act": "corrupt"},
        {"act": "answer", "status": 400, "code": -1100, "msg": f"key {KEY}, secret {SECRET}, ?signature=0a1b2c"},
        {"act": "answer", "status": 502},
    ],
)
def test_no_error_and_no_traceback_with_locals_holds_them(act: dict[str, object]) -> None:
    async def story(rig: Rig) -> None:
        rig.fault({"request": "DELETE *"}, act)
        with pytest.raises(VenueError) as caught:
            await rig.client.cancel_all("BTCUSDT")
        error = caught.value
        frames = traceback.TracebackException.from_exception(error, capture_locals=True).stack
        ours = [frame for frame in frames if "safety" in Path(frame.filename).parts and "tests" not in frame.filename]
        assert len(ours) >= 2
        assert not betrays(str([frame.locals for frame in ours]) + repr(error) + repr(error.answer))
        assert error.__context__ is None

    run(story, still_scenario(account=ACCOUNT), keys=PLANTED, timeout_secs=1.0 if act["act"] == "hang" else 5.0)


@pytest.mark.req("M-4")
def test_no_repr_holds_them() -> None:
    async def story(rig: Rig) -> None:
        assert not betrays(f"{PLANTED!r} {PLANTED} {rig.client!r} {vars(rig.client)!r}")

    run(story, keys=PLANTED)


@pytest.mark.req("L-1")
def test_a_fingerprint_tells_keys_apart_and_betrays_none() -> None:
    other = Credentials(SecretStr("ANOTHERKEY"), SecretStr(SECRET))
    assert PLANTED.fingerprint() == Credentials(SecretStr(KEY), SecretStr("x")).fingerprint() != other.fingerprint()
    assert len(PLANTED.fingerprint()) == 12
    assert not betrays(PLANTED.fingerprint())


def test_a_signature_is_the_one_of_the_documentation() -> None:
    # key, secret and parameters of the worked example on Binance's page "signed endpoint examples" for HMAC
    secret = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
    params = {"symbol": "LTCBTC", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "1", "price": "0.1"}
    query = Credentials(SecretStr("k"), SecretStr(secret)).sign(params, 1499827319559)
    assert query.endswith("&signature=c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71")

"""M-7, M-4: whoever listens to the client hears every signed request before it leaves and when it is over, and no secret."""

from __future__ import annotations

from decimal import Decimal

import pytest

from execution.safety.asker import Exchange
from execution.safety.failures import VenueError
from execution.safety.wire_ids import wire_id
from tests.adapters.simulated_binance.support import still_scenario
from tests.execution.safety.support import Rig, run
from tests.execution.safety.test_secrets import ACCOUNT, KEY, PLANTED, SECRET, betrays

MINE = wire_id("h1k7q2mz00001a")


@pytest.mark.req("M-7")
def test_every_signed_request_is_heard_twice_with_its_answer_as_it_came() -> None:
    heard: list[Exchange] = []

    async def story(rig: Rig) -> None:
        rig.rest(MINE)
        rig.client.witness = heard.append
        await rig.client.exchange_info()  # public
        await rig.client.cancel_order("BTCUSDT", wire_id=MINE)
        with pytest.raises(VenueError):
            await rig.client.reduce("BTCUSDT", "SELL", Decimal(1), MINE)

    run(story)
    assert [(one.what, one.done, one.status) for one in heard] == [
        ("DELETE /fapi/v1/order", False, None), ("DELETE /fapi/v1/order", True, 200),
        ("POST /fapi/v1/order", False, None), ("POST /fapi/v1/order", True, 400),
    ]  # fmt: skip
    assert dict(heard[0].params) == {"symbol": "BTCUSDT", "origClientOrderId": MINE}
    assert f'"clientOrderId":"{MINE}"' in heard[1].text.replace(" ", "")
    assert "-2022" in heard[3].text


@pytest.mark.req("M-4", "M-7")
def test_what_is_heard_holds_no_secret_even_where_the_venue_says_one() -> None:
    heard: list[Exchange] = []

    async def story(rig: Rig) -> None:
        rig.client.witness = heard.append
        words = f"key {KEY}, secret {SECRET}, ?signature=0a1b2c"
        rig.fault({"request": "DELETE *"}, {"act": "answer", "status": 400, "code": -1100, "msg": words})
        with pytest.raises(VenueError):
            await rig.client.cancel_all("BTCUSDT")

    run(story, still_scenario(account=ACCOUNT), keys=PLANTED)
    assert len(heard) == 2
    assert "signature=***" in heard[1].text
    assert not any(betrays(str(one)) for one in heard)


@pytest.mark.req("M-7")
def test_a_request_without_an_answer_says_why() -> None:
    heard: list[Exchange] = []

    async def story(rig: Rig) -> None:
        rig.client.witness = heard.append
        rig.fault({"request": "DELETE *"}, {"act": "drop_answer"})
        with pytest.raises(VenueError):
            await rig.client.cancel_all("BTCUSDT")

    run(story)
    assert [(one.done, one.status, bool(one.text)) for one in heard] == [(False, None, False), (True, None, True)]

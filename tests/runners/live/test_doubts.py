"""O-4: what nobody knows of an order while the session runs is asked for, counted, cancelled and booked, and never sent again."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError

from adapters.simulated_binance.server import Server
from execution.lives import Lives
from execution.order_care import OrderCareConfig
from execution.recovery.model import Policy
from risk.request import OrderRequest
from risk.request import Side as RiskSide
from runners.config.conduct import ExecutionConfig
from runners.live.doubts import Doubts, is_definite
from tests.runners.live.recovering_support import BTC, DeadNode, World
from tests.runners.live.recovering_support import told as recovering_told
from tests.runners.live.support import ANSWER_FIRST, FALL, FALSE, PATIENT, RESTING, Node, lively, running, told, written
from tests.runners.live.test_recovering import until
from tests.runners.live.test_session import table
from tests.runners.live.test_stops import armed

ORDER = "/fapi/v1/order"


def fault(method: str, *acts: dict[str, Any], **when: Any) -> dict[str, Any]:
    """What is done to one kind of request."""
    return {"name": f"{method} {acts[0]['act']}", "when": {"request": f"{method} {ORDER}", **when}, "do": acts}


def sent(server: Server) -> list[str]:
    """Client ids of every order request that reached the venue's door, in order."""
    rows = server.venue.ledger.of("request")
    asked = (row for row in rows if (row["method"], row["path"]) == ("POST", ORDER))
    return [str(row["params"]["newClientOrderId"]).removeprefix("x-aHRE4BCj-R") for row in asked]


def ended(server: Server, status: str) -> Callable[[], bool]:
    """Whether the first order of the venue has ended so."""
    orders = server.venue.exchange.desk.orders
    return lambda: bool(orders) and str(next(iter(orders.values())).status) == status


def recorded(server: Server, node: Node) -> dict[str, dict[str, Any]]:
    """Rows of the session, after holding them and its fills against the venue's own books."""
    exchange = server.venue.exchange
    assert exchange.desk.open_orders() == []
    fills = {row["trade_id"] for row in table(node.directory, "fills")}
    assert fills == {str(one.trade_id) for one in exchange.desk.fills}, node.story
    ids = sent(server)
    assert len(ids) == len(set(ids))  # nothing was sent twice
    return {row["client_order_id"]: row for row in table(node.directory, "orders")}


@pytest.mark.req("O-4")
@pytest.mark.parametrize(
    ("reason", "definite"),
    [
        ("submit-order-error: Binance error -2019 (HTTP 400): Margin is insufficient.", True),
        ("submit-order-error: Binance error -2022 (HTTP 400): ReduceOnly Order is rejected.", True),
        ("submit-order-error: Binance error -1021 (HTTP 400): Timestamp is outside of the recvWindow.", True),
        ("submit-order-error: Binance error -1008 (HTTP 503): Server is currently overloaded.", True),
        ("submit-order-error: Binance error -1000 (HTTP 400): An unknown error occurred.", False),
        ("submit-order-error: Binance error -1007 (HTTP 408): Timeout waiting for response.", False),
        ("submit-order-error: Binance error -4116 (HTTP 400): ClientOrderId is duplicated.", False),
        ("submit-order-error: Binance error -9999 (HTTP 400): something new.", False),
        ("INFLIGHT_TIMEOUT", False),
        ("", False),
    ],
)
def test_only_a_code_of_the_list_is_a_reject(reason: str, definite: bool) -> None:
    assert is_definite(SimpleNamespace(reason=reason, due_post_only=False)) is definite
    assert is_definite(SimpleNamespace(reason=reason, due_post_only=True))


async def armed_false(server: Server, *, stream_first: bool) -> None:
    """Let the venue execute the first order and say -1000: before the user stream tells of the order, or after."""
    if stream_first:
        await armed(server, fault("POST", FALSE, {"act": "delay_answer", "secs": 2}))
    else:
        await armed(server, fault("POST", FALSE))
        await armed(server, ANSWER_FIRST)


@pytest.mark.req("O-4", "O-8")
@pytest.mark.parametrize("stream_first", [False, True])
def test_an_order_that_was_called_rejected_and_rests_is_cancelled_at_the_venue_while_the_session_goes_on(
    tmp_path: Path, stream_first: bool
) -> None:
    async def story(server: Server) -> None:
        await armed_false(server, stream_first=stream_first)
        async with running(written(tmp_path, server.url, params=RESTING)) as node:
            await node.until(ended(server, "CANCELED"), "the cancel of what was called rejected")
            node.interrupt()
            assert await node.ended() == 5, node.story
        alerts = [line["text"] for line in node.said("alert")]
        assert any("was called rejected by an answer that proves nothing" in text for text in alerts), alerts
        rows = recorded(server, node)
        assert rows[sent(server)[0]]["status"] == "CANCELED", node.story

    told(story)


@pytest.mark.req("O-4", "O-8")
def test_an_order_that_was_called_rejected_and_filled_is_booked_and_ends_the_session_since_the_engine_cannot_take_it(
    tmp_path: Path,
) -> None:
    async def story(server: Server) -> None:
        await armed_false(server, stream_first=False)
        await armed(server, FALL)
        # Far behind the market: at its best price a market that has moved meanwhile would refuse a post-only order.
        params = RESTING | {"size": 0.05, "hold_secs": 600}
        config = written(tmp_path, server.url, on_stop="flatten", params=params)
        async with running(config, program=PATIENT) as node:
            assert await node.ended() == 1, node.story
        assert "0.050 of it was executed: it is booked" in node.said("stopping")[0]["text"], node.story
        rows = recorded(server, node)
        first = server.venue.exchange.desk.orders[min(server.venue.exchange.desk.orders)]
        assert float(rows[sent(server)[0]]["filled_quantity"]) == first.filled / 1000, node.story

    told(story)


@pytest.mark.req("O-4", "O-8")
def test_a_reject_of_an_order_whose_fill_is_known_is_not_believed_and_the_session_goes_on(tmp_path: Path) -> None:
    async def story(server: Server) -> None:
        await armed_false(server, stream_first=True)
        await armed(server, FALL)
        config = written(tmp_path, server.url, on_stop="flatten", params=RESTING | {"size": 0.05, "hold_secs": 5})
        async with running(config, program=PATIENT) as node:
            await node.until(lambda: len(sent(server)) > 1, "the exit, after the answer")
            node.interrupt()
            assert await node.ended() == 5, node.story
        row = recorded(server, node)[sent(server)[0]]
        assert (row["status"], row["filled_quantity"]) == ("FILLED", Decimal("0.05")), node.story
        assert server.venue.exchange.account.positions["BTCUSDT"].quantity == 0

    told(story)


@pytest.mark.req("O-4")
def test_an_order_that_never_arrived_is_not_executed_after_its_fence_and_not_sent_again(tmp_path: Path) -> None:
    async def story(server: Server) -> None:
        await armed(server, fault("POST", {"act": "drop"}))
        async with running(written(tmp_path, server.url, params=RESTING)) as node:
            await node.until(lambda: any("never reached" in line["text"] for line in node.said("found")), "the verdict")
            node.interrupt()
            code = await node.ended()
        rows = recorded(server, node)
        assert rows[sent(server)[0]]["status"] == "NOT_EXECUTED", node.story
        assert code in (1, 5), node.story

    told(story)


@pytest.mark.req("O-4", "O-9")
def test_a_cancel_that_was_lost_is_sent_again_past_the_engine(tmp_path: Path) -> None:
    async def story(server: Server) -> None:
        await armed(server, fault("DELETE", {"act": "drop"}))
        async with running(written(tmp_path, server.url, params=RESTING | {"patience_secs": 1})) as node:
            await node.until(ended(server, "CANCELED"), "the second cancel")
            node.interrupt()
            assert await node.ended() == 5, node.story
        assert recorded(server, node)[sent(server)[0]]["status"] == "CANCELED"

    told(story)


@pytest.mark.req("O-4")
@pytest.mark.parametrize(
    ("act", "patience_secs"),
    [
        ({"act": "answer", "status": 503, "code": -1007, "execute": True}, 6),
        ({"act": "accept_late", "secs": 4, "lose_connection": True, "enforce_window": False}, 1),  # 10 is the fence
    ],
    ids=["-1007", "late, after its cancel"],
)
def test_an_order_without_an_answer_that_lives_is_cancelled_in_the_end(
    tmp_path: Path, act: dict[str, Any], patience_secs: float
) -> None:
    async def story(server: Server) -> None:
        await armed(server, fault("POST", act))
        async with running(written(tmp_path, server.url, params=RESTING | {"patience_secs": patience_secs})) as node:
            await node.until(ended(server, "CANCELED"), "its end by the strategy")
            node.interrupt()
            assert await node.ended() == 5, node.story
        assert recorded(server, node)[sent(server)[0]]["status"] == "CANCELED"

    told(story, lively(behaviour={"query_lag_secs": 3}))


@pytest.mark.req("O-4")
def test_an_order_may_be_doubted_twice_and_what_raises_ends_the_session(tmp_path: Path) -> None:
    """First it was unanswered, later its cancel was lost: the second doubt is followed like the first."""

    async def story(here: World) -> None:
        services = quiet_services()
        node = DeadNode(here)
        name = node.row()
        here.place(name)
        services.lives.begin(request_of(name))
        services.view.working[name] = SimpleNamespace(pending_cancel=False)
        faults: list[str] = []
        doubts = Doubts(
            here.client, services, node.journal, Policy("t1", (BTC,)), lambda *_: None, lambda _name: None, faults.append
        )  # fmt: skip
        doubts.query(name)
        await until(lambda: not doubts.followed)
        assert len(here.exchange.desk.open_orders()) == 1  # found, and nobody wanted it gone
        services.view.working[name].pending_cancel = True
        doubts.query(name)
        await until(lambda: not here.exchange.desk.open_orders())
        await doubts.stop()
        assert (doubts.followed, faults) == ((), [])
        del node.journal.orders[name]["status"]
        node.journal.orders[name]["instrument_id"] = "BTCUSDT-PERP.BINANCE"
        doubts.query(name)
        await until(lambda: bool(faults))
        assert f"following order {name} raised KeyError" in faults[0]
        node.dies()

    recovering_told(tmp_path, story)


def quiet_services() -> Any:
    """Lives, and a view that counts nothing."""
    view = SimpleNamespace(working={}, close=lambda _name: None)
    lives = Lives(OrderCareConfig(), lambda _event: None)
    return SimpleNamespace(lives=lives, view=view, relay=SimpleNamespace(listeners=[]))


def request_of(name: str) -> OrderRequest:
    """An order as it was approved."""
    return OrderRequest(
        "s1", "BTCUSDT-PERP.BINANCE", name, RiskSide.BUY, "LIMIT", Decimal("0.010"), Decimal(59000), False, False, "GTC", 1
    )  # fmt: skip


@pytest.mark.req("O-4")
def test_a_second_send_is_not_offered_and_the_refusal_says_why() -> None:
    assert ExecutionConfig(unanswered="drop").unanswered == "drop"
    with pytest.raises(ValidationError, match="resend is not offered: the engine believes no event"):
        ExecutionConfig.model_validate({"unanswered": "resend"})

"""What the safety client does, at our own Binance."""

from __future__ import annotations

from decimal import Decimal

import pytest

from adapters.simulated_binance.settings import Scenario
from execution.safety.budget import RateLimits
from execution.safety.failures import NotSent, OutcomeUnknown, Rejected
from execution.safety.limits import countdown_share, stated_limits
from execution.safety.response_class import Consequence
from execution.safety.rows import PositionRow
from execution.safety.wire_ids import wire_id
from tests.adapters.simulated_binance.support import START_NS, still_scenario
from tests.execution.safety.support import Rig, run

HELD = {"positions": {"BTCUSDT": {"quantity": "0.5", "entry_price": "60000"}}}
MINE = wire_id("h1k7q2mz00001a")


@pytest.mark.req("O-10")
def test_one_order_is_cancelled_by_either_id() -> None:
    async def story(rig: Rig) -> None:
        rig.rest(MINE)
        cancelled = await rig.client.cancel_order("BTCUSDT", wire_id=MINE)
        assert (cancelled.status, cancelled.logical_id, cancelled.is_open) == ("CANCELED", "h1k7q2mz00001a", False)
        rig.rest("web_1/2:3.x")  # a person's id, in the venue's whole alphabet
        by_hand = (await rig.client.open_orders("BTCUSDT"))[0]
        assert by_hand.wire_id == by_hand.logical_id == "web_1/2:3.x"
        assert (await rig.client.order("BTCUSDT", wire_id="web_1/2:3.x")) == by_hand
        await rig.client.cancel_order("BTCUSDT", order_id=by_hand.order_id)
        assert rig.open_ids() == []

    run(story)


@pytest.mark.req("O-10")
def test_cancel_all_leaves_conditional_orders_to_a_request_of_their_own() -> None:
    async def story(rig: Rig) -> None:
        rig.rest("a")
        rig.rest("b", "59100.0")
        await rig.client.protect("BTCUSDT", "SELL", Decimal("58000"), "stop")
        await rig.client.cancel_all("BTCUSDT")
        assert await rig.client.open_orders() == ()
        assert [one.wire_id for one in await rig.client.open_algo_orders()] == ["stop"]
        await rig.client.cancel_all_algo("BTCUSDT")
        assert await rig.client.open_algo_orders("BTCUSDT") == ()

    run(story, still_scenario(account=HELD))


@pytest.mark.req("O-11")
def test_a_protective_stop_closes_the_position_and_can_be_asked_for_and_cancelled() -> None:
    async def story(rig: Rig) -> None:
        placed = await rig.client.protect("BTCUSDT", "SELL", Decimal("58000.0"), MINE)
        assert (placed.type, placed.close_position, placed.trigger_price) == ("STOP_MARKET", True, Decimal("58000.0"))
        assert (placed.working_type, placed.status, placed.order_id) == ("MARK_PRICE", "NEW", "")
        assert await rig.client.algo_order(wire_id=MINE) == await rig.client.algo_order(algo_id=placed.algo_id)
        await rig.client.cancel_algo(wire_id=MINE)
        assert await rig.client.algo_order(wire_id="none") is None
        again = await rig.client.protect("BTCUSDT", "SELL", Decimal("58000"), wire_id("h1k7q2mz00001b"))
        await rig.client.cancel_algo(algo_id=again.algo_id)
        assert rig.desk.exchange.algo.open_orders() == []

    run(story, still_scenario(account=HELD))


@pytest.mark.req("R-14")
def test_a_position_is_reduced_at_the_market_or_within_a_limit_and_never_turned() -> None:
    async def story(rig: Rig) -> None:
        sold = await rig.client.reduce("BTCUSDT", "SELL", Decimal("0.200"), "x1")
        assert (sold.status, sold.filled, sold.reduce_only, sold.average_price) == (
            "FILLED",
            Decimal("0.2"),
            True,
            Decimal(60000),
        )
        within = await rig.client.reduce("BTCUSDT", "SELL", Decimal("0.1"), "x2", limit_price=Decimal("59900.0"))
        assert (within.type, within.time_in_force, within.filled) == ("LIMIT", "IOC", Decimal("0.1"))
        beyond = await rig.client.reduce("BTCUSDT", "SELL", Decimal("0.1"), "x3", limit_price=Decimal("60100.0"))
        assert (beyond.status, beyond.filled) == ("EXPIRED", Decimal(0))
        await rig.client.reduce("BTCUSDT", "SELL", Decimal("0.2"), "x4")
        assert (await rig.client.position("BTCUSDT")).amount == 0
        with pytest.raises(Rejected) as refused:
            await rig.client.reduce("BTCUSDT", "SELL", Decimal("0.1"), "x5")
        assert (refused.value.code, refused.value.consequence) == (-2022, Consequence.NONE)

    desk = run(story, still_scenario(account=HELD))
    assert desk.position == 0


def test_trades_are_paged_from_an_id_and_found_by_order_and_by_time() -> None:
    async def story(rig: Rig) -> None:
        for number in range(5):
            rig.desk.wait(1)
            rig.desk.place("BUY", "0.001", newClientOrderId=f"b{number}")
        every = await rig.client.user_trades_from("BTCUSDT", 0, page=2)
        assert len(every) == len({trade.trade_id for trade in every}) == 5
        assert await rig.client.user_trades_from("BTCUSDT", every[3].trade_id) == every[3:]
        one = await rig.client.user_trades("BTCUSDT", order_id=every[2].order_id)
        assert one == (every[2],)
        assert await rig.client.user_trades("BTCUSDT", start_ms=every[4].time_ms) == (every[4],)
        # 0.001 at 60000.1, taker at 5 bps
        assert (every[0].price, every[0].fee, every[0].maker) == (Decimal("60000.1"), Decimal("0.03000005"), False)

    run(story)


def test_income_is_read_once_page_by_page() -> None:
    async def story(rig: Rig) -> None:
        start_ms = START_NS // 1_000_000
        for number in range(3):
            rig.desk.place("SELL", "0.001", newClientOrderId=f"s{number}")
        rows = await rig.client.income_since(start_ms, limit=2)
        assert [row.kind for row in rows].count("COMMISSION") == 3
        assert len({row.key for row in rows}) == len(rows)
        assert sum(row.amount for row in rows) == rig.desk.account.wallet - 10_000
        seen = {row.key for row in rows[:-1]}
        assert await rig.client.income_since(start_ms, seen) == rows[-1:]
        fees = await rig.client.income_since(start_ms, limit=2, kind="COMMISSION")
        assert fees == [row for row in rows if row.kind == "COMMISSION"]

    run(story, still_scenario(account=HELD))


def test_positions_balances_and_modes_are_read_with_decimals() -> None:
    async def story(rig: Rig) -> None:
        client = rig.client
        assert [(row.symbol, row.amount) for row in await client.positions()] == [("BTCUSDT", Decimal("0.500"))]
        assert (await client.position("ETHUSDT")) == PositionRow(symbol="ETHUSDT", amount=Decimal(0))
        balance = (await client.balances())[0]
        assert (balance.asset, balance.balance, balance.account_alias) == ("USDT", Decimal(10_000), "simulated-1")
        account = await client.account()
        assert account.equity == account.wallet + account.unrealised
        assert (await client.hedge_mode(), await client.multi_assets_mode()) == (False, True)
        rates = await client.commission("BTCUSDT")
        assert (rates.maker, rates.taker) == (Decimal("0.0002"), Decimal("0.0005"))
        config = (await client.symbol_config("BTCUSDT"))[0]
        assert (config.leverage, config.margin_type) == (20, "CROSSED")
        assert (await client.brackets())[0].brackets[0].maintenance_rate == Decimal("0.004")
        assert (await client.key_permissions()).withdrawals is False

    market = {"kind": "synthetic", "events_per_sec": 0, "trades_per_sec": 0}
    symbols = {"BTCUSDT": {"market": market}, "ETHUSDT": {"base": "ETH", "market": market}}
    run(story, Scenario.model_validate({"symbols": symbols, "account": HELD | {"multi_assets": True}}))


def test_limits_and_filters_come_from_the_venue() -> None:
    async def story(rig: Rig) -> None:
        info = await rig.client.exchange_info()
        assert stated_limits(info) == RateLimits(2400, 7, 1200)
        assert info.symbol("NONE") is None
        contract = info.symbol("BTCUSDT")
        assert contract is not None
        assert contract.rule("PRICE_FILTER", "tickSize") == Decimal("0.1")
        with pytest.raises(KeyError, match="BTCUSDT has no ICEBERG"):
            contract.rule("ICEBERG", "limit")

    run(story, still_scenario(limits={"orders_per_10_secs": 7}))


@pytest.mark.req("O-11")
def test_a_countdown_is_armed_and_refreshed_and_never_disarmed() -> None:
    async def story(rig: Rig) -> None:
        rig.rest("a")
        armed = await rig.client.arm_countdown("BTCUSDT", 30_000)
        assert (armed.symbol, armed.countdown_ms) == ("BTCUSDT", 30_000)
        rig.desk.wait(20)
        await rig.client.arm_countdown("BTCUSDT", 30_000)
        rig.desk.wait(20)
        assert rig.open_ids() == ["a"]
        rig.desk.wait(11)
        assert rig.open_ids() == []
        with pytest.raises(ValueError, match="never disarmed"):
            await rig.client.arm_countdown("BTCUSDT", 0)

    run(story)


@pytest.mark.req("R-8")
def test_the_venues_clock_is_measured_and_signed_by() -> None:
    async def story(rig: Rig) -> None:
        rig.fault({"at_secs": 0}, {"act": "skew_clock", "ms": 90_000})
        with pytest.raises(Rejected) as late:
            await rig.client.open_orders()
        assert (late.value.code, late.value.consequence) == (-1021, Consequence.CLOCK)
        assert rig.client.clock.doubted
        assert await rig.client.open_orders() == ()  # measured first, because the clock was doubted
        reading = rig.client.clock.reading
        assert reading is not None
        assert (reading.offset_ms, reading.bound_ms) == (90_000, 0)
        assert not rig.client.clock.doubted
        rig.desk.wait(3600)
        assert rig.client.clock.ms() == rig.desk.venue.clock.ms()

    run(story)


def test_a_signature_covers_every_character_that_an_id_may_have() -> None:
    async def story(rig: Rig) -> None:
        assert await rig.client.order("BTCUSDT", wire_id="A.z:/0-_9") is None

    run(story)


def test_without_a_key_public_questions_are_answered_and_no_signed_one_leaves() -> None:
    async def story(rig: Rig) -> None:
        await rig.client.measure_clock()
        before = len(rig.requests())
        with pytest.raises(NotSent, match="no key is configured"):
            await rig.client.cancel_all("BTCUSDT")
        assert len(rig.requests()) == before

    run(story, keys=None)


def test_where_there_is_no_wallet_host_permissions_are_not_asked_elsewhere() -> None:
    async def story(rig: Rig) -> None:
        with pytest.raises(NotSent, match="no wallet host"):
            await rig.client.key_permissions()
        assert rig.requests() == []

    run(story, wallet=False)


def test_a_cancel_of_an_order_that_is_gone_proves_nothing() -> None:
    async def story(rig: Rig) -> None:
        with pytest.raises(OutcomeUnknown) as error:
            await rig.client.cancel_order("BTCUSDT", wire_id="gone")
        assert (error.value.code, error.value.consequence) == (-2011, Consequence.QUERY)

    run(story)


@pytest.mark.parametrize("ids", [{}, {"wire_id": "a", "order_id": 1}])
def test_an_order_is_named_by_exactly_one_id(ids: dict[str, object]) -> None:
    async def story(rig: Rig) -> None:
        with pytest.raises(ValueError, match="one of the two"):
            await rig.client.cancel_order("BTCUSDT", **ids)  # type: ignore[arg-type]

    run(story)


@pytest.mark.req("O-11")
@pytest.mark.parametrize(("symbols", "refresh_secs", "share"), [(6, 7.5, 0.2), (24, 30, 0.2), (7, 7.5, 560 / 2400)])
def test_refreshing_countdowns_takes_a_known_share_of_the_weight(
    symbols: int, refresh_secs: float, share: float
) -> None:
    assert countdown_share(symbols, refresh_secs, RateLimits()) == share

"""Account endpoints."""

from __future__ import annotations

from tests.adapters.simulated_binance.support import Client, run, still_scenario

BTC = {"symbol": "BTCUSDT"}


def test_the_account_shows_wallet_margin_and_positions() -> None:
    async def story(client: Client) -> None:
        await client.order("BUY", "0.100")
        await client.order("BUY", "0.100", "59000.0")
        account = await client.ok("GET", "/fapi/v2/account")
        asset = account["assets"][0]
        # Fee 6,000.01 × 5 bps = 3.000005; profit 0.1 × (60,000.05 − 60,000.1) = −0.005.
        assert asset["walletBalance"] == "9996.99999500"
        assert account["totalUnrealizedProfit"] == "-0.00500000"
        assert asset["positionInitialMargin"] == "300.00025000"
        assert asset["openOrderInitialMargin"] == "295.00000000"
        assert account["availableBalance"] == "9401.99474500"
        assert account["positions"][0]["positionAmt"] == "0.100"
        row = (await client.ok("GET", "/fapi/v2/balance"))[0]
        assert (row["balance"], row["accountAlias"]) == ("9996.99999500", "simulated-1")

    run(story)


def test_position_risk_lists_flat_positions_in_v2_only() -> None:
    async def story(client: Client) -> None:
        assert (await client.ok("GET", "/fapi/v2/positionRisk"))[0]["positionAmt"] == "0.000"
        assert await client.ok("GET", "/fapi/v3/positionRisk") == []
        await client.order("BUY", "3.000")
        risk = (await client.ok("GET", "/fapi/v3/positionRisk", **BTC))[0]
        assert (risk["positionAmt"], risk["entryPrice"], risk["leverage"]) == ("3.000", "60000.10000000", "20")
        # wallet 9,909.99985 + 3 × (P − 60,000.1) = 3 × P × 0.4 % → P = (180,000.3 − 9,909.99985) / 2.988
        assert risk["liquidationPrice"] == "56924.46457497"

    run(story)


def test_income_lists_profit_fees_and_funding() -> None:
    async def story(client: Client) -> None:
        await client.order("BUY", "0.100")
        client.desk.wait(8 * 3600)
        await client.order("SELL", "0.100", reduceOnly="true")
        income = await client.ok("GET", "/fapi/v1/income")
        kinds = [(one["incomeType"], one["income"]) for one in income]
        assert kinds == [
            ("COMMISSION", "-3.00000500"),
            ("FUNDING_FEE", "-0.60000050"),
            ("REALIZED_PNL", "-0.01000000"),
            ("COMMISSION", "-3.00000000"),
        ]
        assert len({one["tranId"] for one in income}) == 4
        only = await client.ok("GET", "/fapi/v1/income", incomeType="FUNDING_FEE", startTime=1)
        assert [one["income"] for one in only] == ["-0.60000050"]

    run(story)


def test_fees_are_those_of_the_scenario() -> None:
    async def story(client: Client) -> None:
        fees = await client.ok("GET", "/fapi/v1/commissionRate", **BTC)
        assert (fees["makerCommissionRate"], fees["takerCommissionRate"]) == ("-0.000050", "0.000400")

    run(story, still_scenario(account={"maker_bps": "-0.5", "taker_bps": 4}))


def test_leverage_and_margin_type_change_and_are_told() -> None:
    async def story(client: Client) -> None:
        ear = client.desk.listen_user()
        assert (await client.ok("POST", "/fapi/v1/leverage", **BTC, leverage=5))["leverage"] == 5
        assert ear.of("ACCOUNT_CONFIG_UPDATE")[0]["ac"] == {"s": "BTCUSDT", "l": 5}
        assert await client.refused("POST", "/fapi/v1/leverage", **BTC, leverage=500) == -4028
        await client.ok("POST", "/fapi/v1/marginType", **BTC, marginType="ISOLATED")
        assert await client.refused("POST", "/fapi/v1/marginType", **BTC, marginType="ISOLATED") == -4046
        assert await client.refused("POST", "/fapi/v1/marginType", **BTC, marginType="ODD") == -1102
        config = (await client.ok("GET", "/fapi/v1/symbolConfig"))[0]
        assert (config["leverage"], config["marginType"]) == (5, "ISOLATED")

    run(story)


def test_hedge_mode_can_be_switched_while_flat_only() -> None:
    async def story(client: Client) -> None:
        mode = "/fapi/v1/positionSide/dual"
        assert await client.ok("GET", mode) == {"dualSidePosition": False}
        assert await client.refused("POST", mode, dualSidePosition="false") == -4059
        await client.order("BUY", "0.100")
        assert await client.refused("POST", mode, dualSidePosition="true") == -4068
        await client.order("SELL", "0.100")
        await client.ok("POST", mode, dualSidePosition="true")
        assert (await client.ok("GET", "/fapi/v1/accountConfig"))["dualSidePosition"] is True
        assert (await client.ok("GET", "/fapi/v1/multiAssetsMargin")) == {"multiAssetsMargin": False}

    run(story)

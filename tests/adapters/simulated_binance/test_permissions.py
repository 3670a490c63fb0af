"""What a key and an account may do, in the fields that Binance documents."""

from __future__ import annotations

from tests.adapters.simulated_binance.support import Client, run, still_scenario

RESTRICTIONS = {
    "ipRestrict", "createTime", "enableReading", "enableWithdrawals", "enableInternalTransfer", "enableMargin",
    "enableFutures", "permitsUniversalTransfer", "enableVanillaOptions", "enableFixApiTrade", "enableFixReadOnly",
    "enableSpotAndMarginTrading", "enablePortfolioMarginTrading",
}  # fmt: skip
"""Of GET /sapi/v1/account/apiRestrictions; tradingAuthorityExpirationTime is there only for keys that expire."""
CONFIG = {
    "feeTier", "canTrade", "canDeposit", "canWithdraw", "dualSidePosition", "updateTime", "multiAssetsMargin",
    "tradeGroupId",
}  # fmt: skip
"""Of GET /fapi/v1/accountConfig."""


def test_a_key_is_restricted_and_moves_no_money_unless_the_scenario_says_so() -> None:
    async def story(client: Client) -> None:
        may = await client.ok("GET", "/sapi/v1/account/apiRestrictions")
        assert set(may) == RESTRICTIONS
        assert {name for name, on in may.items() if on is True} == {"ipRestrict", "enableReading", "enableFutures"}
        config = await client.ok("GET", "/fapi/v1/accountConfig")
        assert set(config) == CONFIG
        assert (config["canTrade"], config["canWithdraw"]) == (True, False)

    run(story)


def test_a_scenario_opens_a_key_and_shuts_an_account() -> None:
    async def story(client: Client) -> None:
        may = await client.ok("GET", "/sapi/v1/account/apiRestrictions")
        assert (may["ipRestrict"], may["enableInternalTransfer"], may["permitsUniversalTransfer"]) == (
            False,
            True,
            True,
        )
        assert (await client.ok("GET", "/fapi/v1/accountConfig"))["canTrade"] is False
        assert (await client.ok("GET", "/fapi/v2/account"))["canTrade"] is False

    keys = [{"ip_restricted": False, "can_transfer": True}]
    run(story, still_scenario(account={"keys": keys, "can_trade": False}))

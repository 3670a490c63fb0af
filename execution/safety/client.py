"""The safety client: what may reduce risk when the engine cannot."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from execution.safety import endpoints, rows
from execution.safety.asker import Value
from execution.safety.reads import Reads, one_id

Side = Literal["BUY", "SELL"]


class SafetyClient(Reads):
    """Cancels, closes positions and protects them. It has no way to open one.

    Every request is sent once; what is raised says what is known of it (`execution/safety/failures.py`). Client ids are given
    as they stand on the wire (`wire_ids.wire_id`).
    """

    async def cancel_order(
        self, symbol: str, *, wire_id: str | None = None, order_id: int | None = None
    ) -> rows.OrderRow:
        """Cancel a regular order.

        Raises
        ------
        OutcomeUnknown
            Also with -2011, which proves nothing: a query decides (`recovery.md` 4).
        """
        params: dict[str, Value] = {"symbol": symbol}
        params |= one_id("origClientOrderId", wire_id, "orderId", order_id)
        return await self._ask(endpoints.CANCEL_ORDER, rows.OrderRow, params)

    async def cancel_algo(self, *, wire_id: str | None = None, algo_id: int | None = None) -> None:
        """Cancel a conditional order; raises as `cancel_order`."""
        await self._ask(endpoints.CANCEL_ALGO, rows.Done, one_id("clientAlgoId", wire_id, "algoId", algo_id))

    async def cancel_all(self, symbol: str) -> None:
        """Cancel all regular orders of a symbol. An order sent earlier may still arrive after it: list again."""
        await self._ask(endpoints.CANCEL_ALL, rows.Done, {"symbol": symbol})

    async def cancel_all_algo(self, symbol: str) -> None:
        """Cancel all conditional orders of a symbol, protective stops included."""
        await self._ask(endpoints.CANCEL_ALL_ALGO, rows.Done, {"symbol": symbol})

    async def arm_countdown(self, symbol: str, countdown_ms: int) -> rows.CountdownRow:
        """Arm or refresh the venue's countdown: it cancels all orders of the symbol when it ends (`recovery.md` 10).

        Raises
        ------
        ValueError
            For 0 or less, which would disarm: a delayed disarm can strip a successor (D5).
        """
        if countdown_ms <= 0:
            raise ValueError("a countdown is never disarmed: let it lapse")
        params: dict[str, Value] = {"symbol": symbol, "countdownTime": countdown_ms}
        return await self._ask(endpoints.COUNTDOWN, rows.CountdownRow, params)

    async def reduce(
        self, symbol: str, side: Side, quantity: Decimal, wire_id: str, *, limit_price: Decimal | None = None
    ) -> rows.OrderRow:
        """Send a reduce-only order: at the market, or immediate-or-cancel with a limit.

        Parameters
        ----------
        quantity
            Base units, on the symbol's step.
        limit_price
            Worst price; None: market.

        Raises
        ------
        Rejected
            -2022 when there is nothing left to reduce: read the position again, it is no failure (`recovery.md` 9).
        """
        params: dict[str, Value] = {"symbol": symbol, "side": side, "quantity": quantity, "reduceOnly": True}
        params |= {"newClientOrderId": wire_id, "newOrderRespType": "RESULT", "type": "MARKET"}
        if limit_price is not None:
            params |= {"type": "LIMIT", "timeInForce": "IOC", "price": limit_price}
        return await self._ask(endpoints.PLACE_ORDER, rows.OrderRow, params)

    async def protect(
        self,
        symbol: str,
        side: Side,
        trigger_price: Decimal,
        wire_id: str,
        *,
        working_type: Literal["MARK_PRICE", "CONTRACT_PRICE"] = "MARK_PRICE",
    ) -> rows.AlgoRow:
        """Place a stop at the venue that closes the whole position when the price reaches the trigger.

        Parameters
        ----------
        side
            SELL protects a long position, BUY a short one.
        """
        params: dict[str, Value] = {"symbol": symbol, "side": side, "algoType": "CONDITIONAL", "type": "STOP_MARKET"}
        params |= {"triggerPrice": trigger_price, "closePosition": True, "workingType": working_type}
        return await self._ask(endpoints.PLACE_ALGO, rows.AlgoRow, params | {"clientAlgoId": wire_id})

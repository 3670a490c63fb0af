"""The fault script language: a trigger and what it does. Documented in docs/simulated-binance.md."""

from __future__ import annotations

from pydantic import Field, model_validator

from adapters.simulated_binance.faults.actions import EVENT_ACTS, REQUEST_ACTS, Action, Piece


class When(Piece):
    """A trigger: exactly one of `request`, `event`, `order`, `at_secs`, narrowed by the other fields."""

    request: str | None = Field(
        None, description="Pattern of 'METHOD /path', e.g. 'POST /fapi/v1/order' or '* */order'."
    )
    event: str | None = Field(
        None, description="Pattern of a stream event: 'btcusdt@depth*', 'user/ORDER_TRADE_UPDATE/TRADE', 'user/*'."
    )
    order: str | None = Field(None, description="Pattern of a step of our orders: NEW, TRADE, CANCELED, EXPIRED, ….")
    at_secs: float | None = Field(None, ge=0, description="Seconds after the start.")
    symbol: str | None = Field(None, description="Only where the request, event or order is of this symbol.")
    nth: int = Field(1, ge=1, description="The first match that counts.")
    every: int | None = Field(None, ge=1, description="After the nth, each such match again; None: see `times`.")
    times: int | None = Field(1, ge=1, description="How often it may fire; None: without limit.")
    after_secs: float = Field(0.0, ge=0, description="Matches earlier than this do not count.")
    until_secs: float | None = Field(None, gt=0, description="Matches later than this do not count.")
    probability: float = Field(1.0, gt=0, le=1, description="Chance that a counting match fires, drawn from the seed.")

    @model_validator(mode="after")
    def _one_trigger(self) -> When:
        given = [self.request, self.event, self.order, self.at_secs]
        if sum(value is not None for value in given) != 1:
            raise ValueError("give exactly one of request, event, order, at_secs")
        return self


class Fault(Piece):
    """One line of a fault script."""

    name: str = Field(min_length=1, description="Stands in the ledger when it fires.")
    when: When
    do: tuple[Action, ...] = Field(min_length=1, description="Actions, in order.")

    @model_validator(mode="after")
    def _actions_fit_the_trigger(self) -> Fault:
        for action in self.do:
            if isinstance(action, REQUEST_ACTS) and not isinstance(action, EVENT_ACTS) and self.when.request is None:
                raise ValueError(f"{action.act} needs a `request` trigger")
            if isinstance(action, EVENT_ACTS) and not isinstance(action, REQUEST_ACTS) and self.when.event is None:
                raise ValueError(f"{action.act} needs an `event` trigger")
            if isinstance(action, EVENT_ACTS) and self.when.event is None and self.when.request is None:
                raise ValueError(f"{action.act} needs a `request` or an `event` trigger")
        return self

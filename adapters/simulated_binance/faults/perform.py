"""Carrying out what a fault does to the venue itself."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from adapters.simulated_binance.codes import Refused
from adapters.simulated_binance.faults import actions
from adapters.simulated_binance.orders import Side

if TYPE_CHECKING:
    from adapters.simulated_binance.venue import Venue


def close_sockets(venue: Venue, action: actions.CloseSockets) -> None:
    """Close web sockets."""
    venue.hub.close(action.which)


def silence_sockets(venue: Venue, action: actions.SilenceSockets) -> None:
    """Mute web sockets."""
    venue.hub.silence(action.which, action.secs)


def refuse_connections(venue: Venue, action: actions.RefuseConnections) -> None:
    """Close the listener for a while."""
    venue.hub.close("all")
    if venue.listener is not None:
        venue.listener.refuse(action.secs, action.port)


def outage(venue: Venue, action: actions.Outage) -> None:
    """Answer errors for a while."""
    venue.outage = (venue.clock.real_ns() + round(action.secs * 1e9), action)
    if action.sockets:
        venue.hub.close("all")


def gap_price(venue: Venue, action: actions.GapPrice) -> None:
    """Move the market."""
    feed = venue.exchange.markets[action.symbol].feed
    distance = (feed.mark or Decimal(0)) * action.bps / 10_000
    ticks = int((distance / feed.contract.settings.tick).to_integral_value())
    venue.backgrounds[action.symbol].gap(ticks)
    venue.ledger.write("gap", symbol=action.symbol, ticks=ticks)
    venue.forces.watch_margin()


def person_cancel(venue: Venue, action: actions.PersonCancel) -> None:
    """Cancel by hand."""
    venue.forces.end_all(action.symbol)


def set_status(venue: Venue, action: actions.SetStatus) -> None:
    """Halt or open a symbol."""
    venue.exchange.contracts[action.symbol].status = action.status


def skip_depth(venue: Venue, action: actions.SkipDepth) -> None:
    """Lose depth updates."""
    venue.exchange.markets[action.symbol].feed.skip_depth += action.count


def skew_clock(venue: Venue, action: actions.SkewClock) -> None:
    """Set the venue's clock wrong."""
    venue.clock.skew_ms = action.ms


def set_hedge_mode(venue: Venue, action: actions.SetHedgeMode) -> None:
    """Switch the position mode."""
    venue.exchange.account.hedge_mode = action.on


Doing = Callable[["Venue", Any], None]
DOINGS: dict[type[Any], Doing] = {
    actions.CloseSockets: close_sockets,
    actions.SilenceSockets: silence_sockets,
    actions.RefuseConnections: refuse_connections,
    actions.Outage: outage,
    actions.Ban: lambda venue, action: venue.limits.ban(action.secs),
    actions.RateLimit: lambda venue, action: venue.limits.limit(action.secs),
    actions.LagQueries: lambda venue, action: venue.lag_queries(action.lag_secs, action.secs),
    actions.ExpireListenKey: lambda venue, _: venue.listen_keys.expire(),
    actions.DeleteListenKey: lambda venue, _: venue.listen_keys.delete(),
    actions.SkewClock: skew_clock,
    actions.SkipDepth: skip_depth,
    actions.CrossBook: lambda venue, action: venue.exchange.markets[action.symbol].feed.cross(action.ticks),
    actions.GapPrice: gap_price,
    actions.PersonTrade: lambda venue, action: venue.forces.person_trades(
        action.symbol, Side[action.side], action.quantity
    ),
    actions.PersonOrder: lambda venue, action: venue.forces.person_rests(
        action.symbol, Side[action.side], action.quantity, action.price
    ),
    actions.PersonCancel: person_cancel,
    actions.ForcedClose: lambda venue, action: venue.forces.close(action.symbol, action.how, action.fraction),
    actions.SettleFunding: lambda venue, action: venue.forces.settle_funding(action.symbol, action.rate),
    actions.SetStatus: set_status,
    actions.SetHedgeMode: set_hedge_mode,
}


def perform(venue: Venue, action: actions.VenueAction) -> None:
    """Do it; what the exchange refuses (a person without margin, say) is written down, not raised."""
    try:
        DOINGS[type(action)](venue, action)
    except Refused as refused:
        venue.ledger.write("fault_refused", act=action.act, code=refused.code, text=refused.text)

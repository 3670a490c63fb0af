"""Public questions: does the venue answer, how far are the clocks apart, may the symbols be traded, do the streams deliver."""

from __future__ import annotations

from decimal import Decimal

from catalog.instruments import known_rules
from errors import ConfigError, DataError, SafetyRefusal
from execution.safety.limits import stated_limits
from execution.safety.rows import SymbolRow
from runners.preflight import streams
from runners.preflight.place import countdown
from runners.preflight.report import Check, fine, refused, unknown, warned
from runners.preflight.scene import ZERO, Scene

SLOW_MS = 500.0
BUSY_SHARE, FULL_SHARE = 0.5, 0.8


async def rest(scene: Scene) -> list[Check]:
    """Ask the venue for its time: whether it answers, and how far this clock is off."""
    reading = await scene.client.measure_clock()
    trip = reading.round_trip_ns / 1e6
    figures = f"{scene.place.rest_url} answers in {trip:.0f} ms"
    todo = "orders and cancels will be late: look for a better line, or a host nearer to the venue"
    return [
        warned("REST", figures, todo) if trip > SLOW_MS else fine("REST", figures),
        _clock(scene, reading.offset_ms, reading.bound_ms),
    ]


def _clock(scene: Scene, offset: float, bound: float) -> Check:
    limits, name = scene.config.safety.max_clock_offset_ms, "clock"
    figures = f"this clock is {-offset:+.0f} ms off the venue's (± {bound:.0f})"
    todo = "synchronise it (Windows: w32tm /resync; Linux: timedatectl set-ntp true) and start again"
    if abs(offset) - bound > limits.refuse:
        return refused(name, f"{figures}, allowed are {limits.refuse}", todo)
    if abs(offset) - bound > limits.warn:
        return warned(name, f"{figures}, usual are up to {limits.warn}", todo)
    return fine(name, figures)


async def contracts(scene: Scene) -> list[Check]:
    """Hold the symbols, and what the countdown takes, against what the venue states."""
    scene.info = await scene.client.exchange_info()
    limits = stated_limits(scene.info)
    scene.client.budget.limits = limits
    found: list[Check] = []
    for symbol in scene.config.symbols:
        row = scene.info.symbol(symbol)
        found += [_missing(scene, symbol)] if row is None else [_status(row), _filters(row)]
    return found + list(countdown(scene, limits))


def _missing(scene: Scene, symbol: str) -> Check:
    near = ", ".join(row.symbol for row in scene.info.symbols[:3]) if scene.info is not None else ""
    figures = f"{scene.place.rest_host} does not have it"
    return refused(f"symbol {symbol}", figures, f"correct instruments (the venue has {near}, …)", ConfigError)


def _status(row: SymbolRow) -> Check:
    name, figures = f"symbol {row.symbol}", f"{row.status}, {row.contract_type}"
    if row.status != "TRADING" or row.contract_type not in ("PERPETUAL", "TRADIFI_PERPETUAL"):
        return refused(name, figures, "wait until the venue trades it, or take it out of instruments", SafetyRefusal)
    return fine(name, figures)


def _rules(row: SymbolRow) -> dict[str, Decimal]:
    return {
        "tick": row.rule("PRICE_FILTER", "tickSize"), "step": row.rule("LOT_SIZE", "stepSize"),
        "min quantity": row.rule("LOT_SIZE", "minQty"), "min notional": row.rule("MIN_NOTIONAL", "notional"),
    }  # fmt: skip


def _filters(row: SymbolRow) -> Check:
    """Differences are told, not refused: the session takes the venue's rules, the backtest took the table's."""
    name = f"filters {row.symbol}"
    try:
        rules = _rules(row)
    except (KeyError, ArithmeticError) as error:
        return refused(name, f"the venue states no usable filters: {error}", "ask the venue; orders cannot be checked")
    shown = ", ".join(f"{what} {figure.normalize():f}" for what, figure in rules.items())
    known = known_rules("usdm", row.symbol)
    if known is None:
        return fine(name, f"{shown}; the table of instruments does not have it")
    table = {
        "tick": known.tick,
        "step": known.step,
        "min quantity": known.min_quantity,
        "min notional": known.min_notional,
    }
    other = [f"{what} {table[what]}" for what, figure in rules.items() if Decimal(table[what]) != figure]
    if other:
        todo = "the session takes the venue's; backtest again with data of this venue before you compare"
        return warned(name, f"{shown}; the table of the backtest says {', '.join(other)}", todo)
    return fine(name, shown)


async def public_streams(scene: Scene) -> list[Check]:
    """Wait for the first events; then the order sizes can be held against the price."""
    symbols, name = scene.config.symbols, "public streams"
    if scene.info is not None:
        symbols = tuple(symbol for symbol in symbols if scene.info.symbol(symbol) is not None)
    if not symbols:
        return [unknown(name, "no symbol that the venue has")]
    heard = await streams.listen(scene.place, symbols, scene.deadline_secs)
    scene.marks = heard.marks
    silent = heard.lacks(symbols, streams.MARK)
    if silent:
        why = "; ".join(heard.problems) or "the socket is silent"
        figures = f"no mark price of {', '.join(silent)} within {scene.deadline_secs:g} s: {why}"
        todo = f"let WebSocket through to {scene.place.market_ws_url} (firewall, proxy), or look at the venue's status page"
        return [refused(name, figures, todo, DataError)]
    figures = (
        f"first mark price after {max(t for (_, kind), t in heard.after_secs.items() if kind == streams.MARK):.1f} s"
    )
    still = heard.lacks(symbols, streams.QUOTE)
    if still:
        todo = "wait if the market stands still; else look whether the stream's address has moved"
        return [warned(name, f"{figures}, but no quote of {', '.join(still)}", todo)]
    first = min(t for (_, kind), t in heard.after_secs.items() if kind == streams.QUOTE)
    return [fine(name, f"{figures}, first quote after {first:.1f} s")]


def order_sizes(scene: Scene) -> list[Check]:
    """Hold configured order sizes against the smallest order that the venue takes at this price."""
    found: list[Check] = []
    for symbol in scene.config.symbols:
        name, row = f"order size {symbol}", None if scene.info is None else scene.info.symbol(symbol)
        mark = scene.marks.get(symbol, ZERO)
        if row is None or mark <= 0:
            found.append(unknown(name, "without price and filters of the venue"))
            continue
        found += _sizes(scene, name, symbol, row, mark)
    return found


def _sizes(scene: Scene, name: str, symbol: str, row: SymbolRow, mark: Decimal) -> list[Check]:
    try:
        rules = _rules(row)
    except (KeyError, ArithmeticError):
        return [unknown(name, "without filters of the venue")]
    limit = Decimal(repr(scene.config.risk.max_order_notional_quote))
    floor = max(rules["min notional"], rules["min quantity"] * mark)
    given = [("risk.max_order_notional_quote", limit)]
    for entry in scene.config.strategies:
        size = entry.params.get("order_notional_quote")
        traded = (entry.instrument or scene.config.instruments[0]).removesuffix("-PERP.BINANCE")
        if traded == symbol and isinstance(size, int | float):
            given.append((f"order_notional_quote of {entry.id}", Decimal(repr(size))))
    for what, size in given:
        sent = size / mark // rules["step"] * rules["step"]
        if sent < rules["min quantity"] or sent * mark < rules["min notional"]:
            figures = f"{what} is {size.normalize():f}, at {mark:.8g} the venue takes {floor:.2f} or more"
            return [refused(name, figures, "raise it (sizes are rounded down to the step)", ConfigError)]
    least = min(size for _, size in given)
    return [fine(name, f"from {least.normalize():f}, the venue takes {floor:.2f} or more")]


def headroom(scene: Scene) -> list[Check]:
    """See how much of the request limit is in use, by us and by whoever else asks from this address."""
    name, used = "rate limit", scene.client.budget.used()["weight_1m"]
    if scene.info is None:
        return [unknown(name, "the venue has not answered")]
    figures = (
        f"{used:.0%} of {scene.client.budget.limits.weight_per_minute} weight a minute in use, this preflight included"
    )
    todo = "stop what else asks the venue from this address, wait a minute, and start again"
    if used > FULL_SHARE:
        return [refused(name, f"{figures}; entries may use {FULL_SHARE:.0%}", todo)]
    return [warned(name, figures, todo) if used > BUSY_SHARE else fine(name, figures)]

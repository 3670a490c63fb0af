"""Signed questions: what the key may do, how the account is set, what it costs, and what is already there."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from errors import RunFailed
from execution.safety.failures import OutcomeUnknown, Rejected
from execution.safety.response_class import Consequence
from execution.safety.rows import PositionRow
from execution.safety.wire_ids import carries_tag, is_operators, logical_id
from runners.live.pin import Pinned, pin_path, read_pin, write_pin
from runners.preflight.place import identity
from runners.preflight.report import Check, fine, refused, unknown, warned
from runners.preflight.scene import Scene

HELD_BY_THEM = "the venue does not let it change while a position or an order stands"


async def key(scene: Scene) -> list[Check]:
    """Show the key to the venue for the first time: it names the account."""
    rows = await scene.client.balances()
    if not rows:
        return [refused("key", "the venue lists no balance", "open the futures account of this key once", RunFailed)]
    scene.account = rows[0].account_alias
    return [fine("key", f"accepted by {scene.place.rest_host}, account {scene.account}")]


async def permissions(scene: Scene) -> list[Check]:
    """Withdrawals off, futures on, address restricted."""
    names = ("withdrawal permission", "trading permission", "address restriction")
    account = await _account_trades(scene)
    if scene.place.wallet_url is None:
        why = f"{scene.config.account.environment} does not tell what a key may do"
        trade = _trading(scene, names[1], futures=None, account=account)
        return [
            unknown(names[0], why, "play money only: never use a key of real money here"),
            trade,
            unknown(names[2], why),
        ]
    may = await scene.client.key_permissions()
    scene.key_in_order = not may.withdrawals and may.futures and may.reading
    moves = [text for text, on in (("internal", may.internal_transfer), ("universal", may.universal_transfer)) if on]
    return [
        _withdrawals(names[0], withdrawals=may.withdrawals, moves=moves),
        _trading(scene, names[1], futures=may.futures and may.reading, account=account),
        fine(names[2], "the key works from listed addresses only")
        if may.address_restricted
        else warned(names[2], "the key works from every address", "restrict it to this machine's address at the venue"),
    ]


async def _account_trades(scene: Scene) -> bool | None:
    """Whether the account may trade, whatever the key; None where the venue does not tell."""
    try:
        return (await scene.client.account_config()).can_trade
    except (OutcomeUnknown, Rejected) as error:
        if error.consequence is not Consequence.QUERY:  # a refused key, or too many requests, are told as such
            raise
        return None


def _withdrawals(name: str, *, withdrawals: bool, moves: Sequence[str]) -> Check:
    if withdrawals:
        todo = "switch it off at the venue (API management), or make a key without it: whoever steals this one empties the account"
        return refused(name, "the key may withdraw", todo)
    if moves:
        todo = "switch transfers off at the venue: trading does not need them"
        return warned(name, f"off, but the key may make {' and '.join(moves)} transfers", todo)
    return fine(name, "off, and no transfers")


def _trading(scene: Scene, name: str, *, futures: bool | None, account: bool | None) -> Check:
    if account is False:
        return refused(name, "the account may not trade", "ask the venue why it is shut")
    if futures is None:
        known = "the account may trade; " if account else ""
        return unknown(name, f"{known}{scene.config.account.environment} does not tell what the key may do")
    if not futures and scene.sends:
        return refused(name, "the key may not trade futures", "switch on reading and futures for it at the venue")
    return fine(name, "futures on" if futures else f"futures off; mode {scene.config.mode} sends nothing")


async def modes(scene: Scene) -> list[Check]:
    """One-way mode, single-asset margin."""
    found = []
    if await scene.client.hedge_mode():
        todo = "switch to one-way mode while flat and without orders (Binance: futures, preferences, position mode)"
        found.append(refused("position mode", "hedge mode, in which reduce-only protects nothing", todo))
    else:
        found.append(fine("position mode", "one-way"))
    if await scene.client.multi_assets_mode():
        todo = "switch to single-asset mode (Binance: futures, preferences, asset mode)"
        found.append(
            refused("asset mode", "multi-assets: other coins would be margin, and limits reckon in USDT", todo)
        )
    else:
        found.append(fine("asset mode", "single-asset"))
    return found


async def fees(scene: Scene) -> list[Check]:
    """The account's rates must be those that the edge check reckons with (R-7)."""
    found, given = [], scene.config.fees
    for symbol in scene.config.symbols:
        if scene.info is not None and scene.info.symbol(symbol) is None:
            continue
        row, name = await scene.client.commission(symbol), f"fees {symbol}"
        sides = (("maker", row.maker * 10_000, given.maker_bps), ("taker", row.taker * 10_000, given.taker_bps))
        wrong = [
            f"the account pays {paid.normalize():f} bps as {side}, fees.{side}_bps is {configured:g}"
            for side, paid, configured in sides
            if paid != Decimal(repr(configured))
        ]
        if wrong:
            found.append(refused(name, "; ".join(wrong), "write the true fees under fees, here or in its base"))
        else:
            found.append(fine(name, f"maker {given.maker_bps:g} bps, taker {given.taker_bps:g} bps, as configured"))
    return found


async def balance(scene: Scene) -> list[Check]:
    """Equity must carry the margin of the positions that the limits allow."""
    row, risk, name = await scene.client.account(), scene.config.risk, "balance"
    figures = f"equity {row.equity:.2f} USDT, available {row.available:.2f}"
    if row.equity <= 0:
        return [refused(name, figures, "put money into the futures account (play money: the venue's faucet)")]
    most = Decimal(repr(risk.max_position_notional_quote)) * len(scene.config.symbols)
    if risk.max_gross_notional_quote is not None:
        most = min(most, Decimal(repr(risk.max_gross_notional_quote)))
    margin = most / scene.config.account.leverage
    if row.equity < margin:
        todo = "lower the position limits, raise account.leverage, or add money"
        needed = f"positions of {most.normalize():f} at leverage {scene.config.account.leverage} need {margin:.2f}"
        return [refused(name, f"{figures}; {needed}", todo)]
    if row.equity < Decimal(repr(risk.max_daily_loss_quote)):
        todo = "lower it: it cannot act before the account is empty"
        return [warned(name, f"{figures}; risk.max_daily_loss_quote is {risk.max_daily_loss_quote:g}", todo)]
    return [fine(name, f"{figures}; the position limits need {margin:.2f}")]


async def standing(scene: Scene) -> list[Check]:
    """Open orders of others, positions, and whether margin settings can still be changed."""
    orders = [(row.symbol, row.wire_id) for row in await scene.client.open_orders()]
    algos = await scene.client.open_algo_orders()
    orders += [(row.symbol, row.wire_id) for row in algos]
    tag = scene.config.account.order_tag
    foreign = [one for one in orders if not carries_tag(one[1], tag) and not is_operators(one[1])]
    held = {row.symbol: row for row in await scene.client.positions() if row.amount}
    stops = [
        row for row in algos if row.close_position and row.symbol in held and (row.symbol, row.wire_id) not in foreign
    ]
    # What is refused or closed is gone by the time the start sets leverage and margin type; what is left alone stands in its way.
    left = {symbol for symbol, _ in foreign} if scene.config.account.foreign_orders == "count" else set()
    fixed = left | (set(held) if scene.config.execution.on_start.positions == "adopt" else set())
    return [
        _orders(scene, foreign, len(orders) - len(foreign) - len(stops), len(stops)),
        _positions(scene, held),
        *await _margin(scene, fixed),
    ]


def _orders(scene: Scene, foreign: Sequence[tuple[str, str]], ours: int, stops: int) -> Check:
    """Say whose they are; a stop of ours, or of a watchdog, stays while its position is open."""
    name = "open orders"
    mine = f"{ours} of ours" + (", cancelled at the start" if ours else "")
    mine += f", {stops} that protect a position" if stops else ""
    if not foreign:
        return fine(name, f"{mine}, none of others")
    symbol, order_id = foreign[0]
    figures = f"{mine}, {len(foreign)} not ours, the first is {logical_id(order_id)} of {symbol}"
    if scene.config.account.foreign_orders == "refuse":
        todo = "cancel them by hand, or write account.foreign_orders: count, then they are left alone"
        return refused(name, figures, todo)
    return warned(name, figures, "they are left alone; the venue's countdown and cancel-all would hit them")


def _positions(scene: Scene, held: dict[str, PositionRow]) -> Check:
    name, policy = "positions", scene.config.execution.on_start.positions
    if not held:
        return fine(name, "none")
    lines = ", ".join(
        f"{row.symbol} {'long' if row.amount > 0 else 'short'} {abs(row.amount).normalize():f}" for row in held.values()
    )
    if policy == "refuse":
        return refused(name, lines, "close them, or set execution.on_start.positions to adopt or close")
    if policy == "close":
        return warned(name, f"{lines}: closed at the start, at the market", "write adopt or refuse to keep them")
    unknown_symbols = sorted(set(held) - set(scene.config.symbols))
    if unknown_symbols:
        figures = f"{lines}; no limit of this configuration counts {', '.join(unknown_symbols)}"
        return refused(name, figures, "close it, or set execution.on_start.positions to close")
    return warned(
        name, f"{lines}: adopted, counted in every limit", "no strategy manages an adopted position: watch it"
    )


async def _margin(scene: Scene, fixed: set[str]) -> list[Check]:
    """Leverage and margin type; the engine sets them at its start, which the venue allows while nothing stands there."""
    wanted = (scene.config.account.margin_mode, scene.config.account.leverage)
    rows = {row.symbol: row for row in await scene.client.symbol_config()}
    found = []
    for symbol in scene.config.symbols:
        name = f"margin {symbol}"
        if symbol not in rows:
            found.append(unknown(name, "the venue does not list it"))
            continue
        set_to = ("isolated" if rows[symbol].margin_type == "ISOLATED" else "cross", rows[symbol].leverage)
        figures = f"{set_to[0]}, leverage {set_to[1]}"
        if set_to == wanted:
            found.append(fine(name, f"{figures}, as configured"))
        elif symbol in fixed and scene.sends:
            todo = f"close what stands there, or set it to {wanted[0]}, {wanted[1]} by hand; {HELD_BY_THEM}"
            found.append(refused(name, f"{figures}; configured are {wanted[0]}, {wanted[1]}", todo))
        else:
            todo = f"nothing: the start sets {wanted[0]}, leverage {wanted[1]}" if scene.sends else "nothing is sent"
            found.append(warned(name, figures, todo))
    return found


async def user_stream(scene: Scene) -> list[Check]:
    """A listen key can be had; it is shared by all clients of the account, so it is left alive."""
    length = await scene.client.listen_key()
    return [fine("user stream", f"the venue gives a listen key ({length} characters); it is left as it is")]


def pinned(scene: Scene) -> list[Check]:
    """Compare everything once more, now with the account, and store it at first sight."""
    differs = identity(scene)
    if differs is not None:
        return [differs]
    folder = scene.state.path
    if scene.keys is None or scene.account is None:
        return [unknown("identity", "the account is not known")]
    figures = f"account {scene.account}, key {scene.keys.fingerprint}, {scene.place.rest_host}"
    if read_pin(folder) is not None:
        return [fine("identity", f"{figures}, as in {pin_path(folder)}")]
    if not scene.key_in_order:
        return [unknown("identity", f"{figures}: not stored, since the key must change first")]
    write_pin(
        folder,
        Pinned(
            environment=scene.config.account.environment, host=scene.place.rest_host, account_id=scene.account,
            key_fingerprint=scene.keys.fingerprint,
        ),
    )  # fmt: skip
    return [fine("identity", f"{figures}: first seen, stored in {pin_path(folder)}")]

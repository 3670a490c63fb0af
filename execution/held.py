"""R-13: once a second, whether what is held is still within the limits; if not, entries that would add to it are taken back.

Exceeding a limit by a move of the price is no reason to trip: the position stays, and leaving it is the strategy's decision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from execution.journal import RiskEvent
from execution.order_care import Care, Decision
from risk.gate import RiskGate
from risk.held import Excess, Held, exceeded, increases
from risk.verdict import plain


class HeldLimits:
    """One per run.

    Parameters
    ----------
    gate
        Limits, and the view of the account.
    record
        Takes each edge: a limit is exceeded, or holds again.
    """

    def __init__(self, gate: RiskGate, record: Callable[[RiskEvent], None]) -> None:
        self._gate, self._record = gate, record
        self._open: dict[tuple[str, str], Excess] = {}

    def look(self, ts_ns: int) -> Iterator[Decision]:
        """Look at everything that is held; yield the cancels that follow."""
        if self._gate.view.portfolio is None:
            return
        held = self._held()
        found = exceeded(held, self._gate.view.equity(), self._gate.config) if held else []
        self._tell(ts_ns, {(excess.limit, excess.instrument_id): excess for excess in found})
        for excess in found:
            yield from self._cancels(held, excess)

    def _held(self) -> dict[str, Held]:
        """Positions that are not flat and have a price."""
        view = self._gate.view
        nets = {iid: view.net(iid) for iid in view.instruments}
        prices = {iid: view.valued(iid) for iid, net in nets.items() if net}
        return {iid: Held(nets[iid], price) for iid, price in prices.items() if price is not None}

    def _tell(self, ts_ns: int, found: dict[tuple[str, str], Excess]) -> None:
        for key in found.keys() - self._open.keys():
            self._record(_event(ts_ns, found[key], "open", "hard"))
        for key in self._open.keys() - found.keys():
            self._record(_event(ts_ns, self._open[key], "closed", "none"))
        self._open = found

    def _cancels(self, held: dict[str, Held], excess: Excess) -> Iterator[Decision]:
        why = f"{excess.limit} {plain(excess.value)} > {plain(excess.allowed)}"
        for order in self._gate.view.working.values():
            adds = not order.reduce_only and increases(int(order.side), order.instrument_id, held, excess)
            if adds and not order.pending_cancel:
                yield Decision(order.client_order_id, Care.CANCEL, why)


def _event(ts_ns: int, excess: Excess, state: str, level: str) -> RiskEvent:
    said = "holds again" if state == "closed" else f"{plain(excess.value)} > {plain(excess.allowed)}"
    figures = {"value": plain(excess.value), "limit": plain(excess.allowed)}
    return RiskEvent(
        ts_ns, "limit", excess.limit, excess.instrument_id, state, level, f"{excess.limit} {said}", figures
    )

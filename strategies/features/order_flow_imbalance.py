"""Order-flow imbalance at the best quotes (Cont, Kukanov and Stoikov 2014)."""

from __future__ import annotations

from strategies.features.decay import DecayedSum


def flow_event(
    before: tuple[float, float, float, float],
    after: tuple[float, float, float, float],
) -> float:
    """Return e_n, the signed size that one change of the best quotes adds to the buying pressure.

    e_n = 1{Pb_n ≥ Pb_n−1}·qb_n − 1{Pb_n ≤ Pb_n−1}·qb_n−1 − 1{Pa_n ≤ Pa_n−1}·qa_n + 1{Pa_n ≥ Pa_n−1}·qa_n−1,
    Cont, Kukanov and Stoikov (2014), "The price impact of order book events".

    Parameters
    ----------
    before, after
        (bid price, bid size, ask price, ask size).

    Returns
    -------
    float
        Base units; positive when bids were added or raised, or asks taken, cancelled or raised.
    """
    bid0, bid_size0, ask0, ask_size0 = before
    bid1, bid_size1, ask1, ask_size1 = after
    flow = 0.0
    if bid1 >= bid0:
        flow += bid_size1
    if bid1 <= bid0:
        flow -= bid_size0
    if ask1 <= ask0:
        flow -= ask_size1
    if ask1 >= ask0:
        flow += ask_size0
    return flow


class OrderFlowImbalance:
    """Decayed order-flow imbalance, also as a share of all flow so that symbols compare.

    Parameters
    ----------
    halflife_secs
        Half-life of an event, seconds.
    """

    __slots__ = ("_gross", "_net", "_top")

    def __init__(self, halflife_secs: float) -> None:
        self._net = DecayedSum(halflife_secs)
        self._gross = DecayedSum(halflife_secs)
        self._top: tuple[float, float, float, float] | None = None

    def update(self, ts_ns: int, bid: float, bid_size: float, ask: float, ask_size: float) -> float:
        """Take the best quotes at `ts_ns` and return the decayed sum of e_n, base units."""
        top = (bid, bid_size, ask, ask_size)
        if self._top is not None and top != self._top:
            flow = flow_event(self._top, top)
            self._net.add(ts_ns, flow)
            self._gross.add(ts_ns, abs(flow))
        self._top = top
        return self._net.at(ts_ns)

    @property
    def ratio(self) -> float:
        """Σ e / Σ |e| in [−1, 1]; 0 before the first event."""
        gross = self._gross.last
        return self._net.last / gross if gross > 0.0 else 0.0

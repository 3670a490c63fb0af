"""Layer 1: the venue cancels all orders of a symbol unless it hears from us in time (`recovery.md` 10, D1 to D6).

The venue counts from the instant at which it receives a refresh, which is never before it was sent. So what is left is counted from
the send of the last refresh that was acknowledged, on the monotonic clock: we never believe in more time than there is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

SECOND_NS = 1_000_000_000
RETRY_NS = SECOND_NS
"""A refresh that failed is tried again after this, or after the usual pause where that is shorter."""
NEAR_NS = 10 * SECOND_NS
"""A cancel that nobody asked for is taken for a firing so long after the link is back: the news of it may be late."""
EARLY_NS = SECOND_NS
"""And so long before it: two clocks do not run alike."""
HOUR_NS = 3600 * SECOND_NS
MOST_FIRINGS = 2
"""So many firings within an hour latch (D6)."""

type Clock = Callable[[], int]


@dataclass(frozen=True, slots=True)
class Timing:
    """How long the venue waits, and how often we speak.

    Attributes
    ----------
    countdown_ns
        Until the venue cancels.
    refresh_ns
        Between two refreshes.
    """

    countdown_ns: int
    refresh_ns: int

    @property
    def countdown_ms(self) -> int:
        """As the venue takes it."""
        return self.countdown_ns // 1_000_000


@dataclass(slots=True)
class _Symbol:
    """One countdown.

    Attributes
    ----------
    armed_ns
        Send instant of the last acknowledged refresh; None before the first.
    tried_ns
        Send instant of the last try.
    failed, failed_ns
        The last try was not acknowledged; send instant of the last one that was not.
    asking
        A try is under way.
    lapsed
        It ran out, as far as we know, and no refresh has been acknowledged since.
    end_ns
        When it ran out.
    news_until_ns
        Until then a cancel that nobody asked for may be news of that.
    stale
        The try under way says nothing of how much is left, if it is answered: the clock has stood still since it was sent.
    """

    armed_ns: int | None = None
    tried_ns: int | None = None
    failed: bool = False
    failed_ns: int | None = None
    asking: bool = False
    lapsed: bool = False
    end_ns: int = -1
    news_until_ns: int = -1
    stale: bool = False


@dataclass(slots=True)
class Countdowns:
    """The countdowns of one account.

    Parameters
    ----------
    symbols
        Each has one of its own at the venue.
    timing
        Of all of them.
    now
        Monotonic clock, ns.

    Attributes
    ----------
    unreconciled
        Why the account must be looked at before the next entry; None when nothing demands it.
    """

    symbols: tuple[str, ...]
    timing: Timing
    now: Clock
    unreconciled: str | None = None
    _by_symbol: dict[str, _Symbol] = field(init=False)
    _firings: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._by_symbol = {symbol: _Symbol() for symbol in self.symbols}

    # Speaking to the venue --------------------------------------------------------------------------------------------

    def due(self) -> list[str]:
        """Symbols whose refresh is to be sent now."""
        return [symbol for symbol, one in self._by_symbol.items() if not one.asking and self._is_due(one)]

    def _is_due(self, one: _Symbol) -> bool:
        if one.tried_ns is None:
            return True
        pause = min(RETRY_NS, self.timing.refresh_ns) if one.failed else self.timing.refresh_ns
        return self.now() - one.tried_ns >= pause

    def send(self, symbol: str) -> int:
        """Note that a refresh leaves now; give the instant back with `acknowledged` or `failed`."""
        one = self._by_symbol[symbol]
        one.tried_ns, one.asking = self.now(), True
        return one.tried_ns

    def acknowledged(self, symbol: str, sent_ns: int) -> None:
        """Take the venue's answer to a refresh. It proves that the venue had it before now, and not before it was sent."""
        one = self._by_symbol[symbol]
        if one.stale:
            one.asking = one.stale = False
            return
        self._look(symbol, one)
        if one.lapsed:
            one.lapsed, one.news_until_ns = False, self.now() + NEAR_NS
        one.asking = one.failed = False
        one.armed_ns = sent_ns if one.armed_ns is None else max(sent_ns, one.armed_ns)

    def failed(self, symbol: str) -> None:
        """A refresh was not acknowledged: it may have reached the venue or not, so nothing is believed of it."""
        one = self._by_symbol[symbol]
        one.failed_ns = one.failed_ns if one.stale else one.tried_ns
        one.asking, one.failed, one.stale = False, True, False

    def unanswered(self) -> list[int]:
        """Send instants of tries that were not acknowledged; the venue may have had them all the same."""
        found = [one.failed_ns for one in self._by_symbol.values()]
        found += [one.tried_ns for one in self._by_symbol.values() if one.asking]
        return [at for at in found if at is not None]

    def forget(self, why: str) -> None:
        """Believe in no countdown any more: our clock stood still while the venue's ran on."""
        for one in self._by_symbol.values():
            if one.armed_ns is not None and not one.lapsed:
                one.lapsed, one.end_ns = True, self.now()
            if one.asking:
                one.stale, one.failed_ns = True, one.tried_ns
            one.armed_ns = one.tried_ns = None
        self.unreconciled = self.unreconciled or why

    # What it is worth -------------------------------------------------------------------------------------------------

    def left_ns(self, symbol: str) -> int | None:
        """Time until the venue may cancel at the earliest; 0 when it may have; None before the first acknowledgement."""
        one = self._by_symbol[symbol]
        if one.armed_ns is None:
            return None
        return max(0, one.armed_ns + self.timing.countdown_ns - self.now())

    def shut(self, symbol: str) -> str | None:
        """Why no entry may be sent on a symbol, or None (D1, D3, D6)."""
        one = self._by_symbol.get(symbol)
        if one is None:
            return f"{symbol} has no countdown: it is not a symbol of this configuration"
        self._look(symbol, one)
        if self.unreconciled is not None:
            return f"{self.unreconciled}; the account has not been looked at since"
        left = self.left_ns(symbol)
        if left is None:
            return f"the venue has acknowledged no countdown of {symbol} yet"
        if 2 * left < self.timing.countdown_ns:
            whole = self.timing.countdown_ns / SECOND_NS
            return (
                f"the venue's countdown of {symbol} has {left / SECOND_NS:.1f} s left of {whole:g}, an entry needs half"
            )
        return None

    def look(self) -> None:
        """Find countdowns that have run out; call now and then."""
        for symbol, one in self._by_symbol.items():
            self._look(symbol, one)

    def _look(self, symbol: str, one: _Symbol) -> None:
        """All gone: whether the venue has cancelled is not known before it was asked."""
        if not one.lapsed and one.armed_ns is not None and self.left_ns(symbol) == 0:
            one.lapsed, one.end_ns = True, one.armed_ns + self.timing.countdown_ns
            self.unreconciled = f"the venue's countdown of {symbol} ran out"

    def demand(self, why: str) -> None:
        """No entry before the account was looked at."""
        self.unreconciled = self.unreconciled or why

    def reconciled(self) -> bool:
        """The account was looked at and is as we know it; False while a countdown is still gone, so that this proves little."""
        self.look()
        if any(self.left_ns(symbol) == 0 for symbol in self.symbols):
            return False
        self.unreconciled = None
        return True

    # Firings ----------------------------------------------------------------------------------------------------------

    def cancelled(self, symbol: str) -> bool:
        """Take a cancel that nobody here asked for; True when it is a firing of the countdown (D6).

        All cancels of one firing, of every symbol, count as one: a countdown ends once, and the next one its whole length later.
        """
        one = self._by_symbol.get(symbol)
        end = None if one is None else self._near_end(symbol, one)
        if end is None:
            return False
        self.unreconciled = f"the venue's countdown of {symbol} has fired"
        if not self._firings or end - self._firings[-1] >= self.timing.countdown_ns:
            self._firings.append(end)
        return True

    def _near_end(self, symbol: str, one: _Symbol) -> int | None:
        """End of the countdown of which a cancel now may be the news; None where none is near.

        While nothing has been acknowledged since the end, the link is bad, and the news of a firing as late as it likes.
        """
        self._look(symbol, one)
        left = self.left_ns(symbol)
        if not one.lapsed and left is not None and left <= EARLY_NS:
            return self.now() + left
        return one.end_ns if one.lapsed or self.now() <= one.news_until_ns else None

    @property
    def latches(self) -> bool:
        """Whether it has fired too often within an hour."""
        since = self.now() - HOUR_NS
        self._firings = [at for at in self._firings if at > since]
        return len(self._firings) >= MOST_FIRINGS

    @property
    def firings(self) -> int:
        """How often it has fired within the last hour."""
        return len(self._firings)

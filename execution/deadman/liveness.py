"""D2: a refresh carries proof of life. A timer that runs by itself would keep the orders of a hung node alive."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Signs:
    """What can be seen of a node that lives.

    Attributes
    ----------
    loops
        Turns of the trading loop, counted by itself.
    private_ns, looked_ns
        Monotonic time of the last event of the private stream, and of the last look at the account over REST; None before the
        first.
    journal_problem
        Why the last commit of the journal failed; None while it did not.
    """

    loops: int
    private_ns: int | None
    looked_ns: int | None
    journal_problem: str | None = None

    @property
    def heard_ns(self) -> int | None:
        """The later of the last private event and the last look."""
        known = [at for at in (self.private_ns, self.looked_ns) if at is not None]
        return max(known, default=None)


@dataclass(slots=True)
class ProofOfLife:
    """Remembers what there was at the last acknowledged refresh; the next one needs more."""

    loops: int = 0
    at_ns: int | None = None

    def lacks(self, signs: Signs) -> str | None:
        """Why a refresh may not be sent now; None when everything has advanced."""
        if signs.journal_problem is not None:
            return f"the journal failed: {signs.journal_problem}"
        if signs.loops <= self.loops:
            return "the trading loop has not advanced since the last refresh"
        if not self.has_heard(signs):
            return "neither the private stream nor a look at the account has been heard since the last refresh"
        return None

    def has_heard(self, signs: Signs) -> bool:
        """Whether the venue told or answered something about the account since the last refresh."""
        heard = signs.heard_ns
        return heard is not None and (self.at_ns is None or heard > self.at_ns)

    def refreshed(self, signs: Signs, sent_ns: int) -> None:
        """Take note of an acknowledged refresh that was sent with these signs."""
        self.loops, self.at_ns = signs.loops, sent_ns

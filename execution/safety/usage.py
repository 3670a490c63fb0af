"""How much of one limit is in use."""

from __future__ import annotations

from collections import deque


class Usage:
    """A count over a sliding window, corrected by what the venue says.

    The venue's windows are fixed; a sliding one of the same length never counts less than what falls into the present fixed one.

    Parameters
    ----------
    header
        Lower-case name of the header that carries the venue's count.
    length_ns
        Length of the window.
    """

    def __init__(self, header: str, length_ns: int) -> None:
        self.header, self._length_ns = header, length_ns
        self._uses: deque[tuple[int, int, int]] = deque()  # counted at, sent at, amount
        self._newest_ns = -1

    def _forget(self, now_ns: int) -> None:
        while self._uses and self._uses[0][0] + self._length_ns <= now_ns:
            self._uses.popleft()

    def total(self, now_ns: int) -> int:
        """Amount in use."""
        self._forget(now_ns)
        return sum(amount for _, _, amount in self._uses)

    def add(self, now_ns: int, amount: int) -> None:
        """Count a request that is about to be sent."""
        if amount:
            self._uses.append((now_ns, now_ns, amount))

    def learn(self, now_ns: int, sent_ns: int, count: int) -> None:
        """Take the venue's count from the answer to a request sent at `sent_ns`.

        It replaces what was sent until then and stands beside what was sent since, which it may not include. Answers that come
        out of order say nothing new.
        """
        if sent_ns < self._newest_ns:
            return
        self._newest_ns = sent_ns
        later = [use for use in self._uses if use[1] > sent_ns]
        self._uses = deque(sorted([(now_ns, sent_ns, count), *later]))

    def wait_ns(self, now_ns: int, room: int) -> int:
        """Time until no more than `room` is in use; at most the length of the window."""
        left = self.total(now_ns)
        for at_ns, _, amount in self._uses:
            if left <= room:
                break
            left -= amount
            if left <= room:
                return at_ns + self._length_ns - now_ns
        return 0 if left <= room else self._length_ns

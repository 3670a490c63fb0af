"""What our own requests raise. Each carries what it proves about the request.

::

    VenueError               Recoverable
    ├── Rejected             the venue refused it, and it had no effect
    ├── OutcomeUnknown       a query decides
    ├── NotSent              no byte of it was written
    │   └── Withheld         our own rate budget did not let it go
    └── Banned               418: the address is shut out
"""

from __future__ import annotations

from dataclasses import dataclass

from errors import Recoverable
from execution.safety.response_class import Consequence, Finding, ResponseClass


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, without anything secret.

    Attributes
    ----------
    what
        'METHOD /path'.
    status, code, text
        HTTP status, Binance's code and text; None or empty where there was no answer.
    retry_after_secs
        From the Retry-After header.
    """

    what: str
    status: int | None = None
    code: int | None = None
    text: str = ""
    retry_after_secs: float | None = None


class VenueError(Recoverable):
    """A request that was not acknowledged.

    Attributes
    ----------
    answer
        What came back.
    finding
        What it proves.
    """

    def __init__(self, answer: Answer, finding: Finding) -> None:
        self.answer, self.finding = answer, finding
        status = "" if answer.status is None else f" HTTP {answer.status}"
        code = "" if answer.code is None else f" {answer.code}"
        super().__init__(f"{answer.what}: {finding.response}{status}{code} {answer.text}".rstrip())

    @property
    def response(self) -> ResponseClass:
        """Class of the answer."""
        return self.finding.response

    @property
    def consequence(self) -> Consequence:
        """What the answer asks of us."""
        return self.finding.consequence

    @property
    def code(self) -> int | None:
        """Binance's code."""
        return self.answer.code


class Rejected(VenueError):
    """The venue refused the request; it had no effect."""


class OutcomeUnknown(VenueError):
    """The request may or may not have taken effect."""


class NotSent(VenueError):
    """No byte of the request was written."""


class Withheld(NotSent):
    """Our rate budget kept the request back.

    Attributes
    ----------
    wait_ns
        Time until it would be let go.
    """

    def __init__(self, answer: Answer, finding: Finding, wait_ns: int) -> None:
        super().__init__(answer, finding)
        self.wait_ns = wait_ns


class Banned(VenueError):
    """The venue has shut the address out."""


KINDS: dict[ResponseClass, type[VenueError]] = {
    ResponseClass.REJECTED: Rejected,
    ResponseClass.UNKNOWN: OutcomeUnknown,
    ResponseClass.NOT_SENT: NotSent,
    ResponseClass.BANNED: Banned,
}


def failure(answer: Answer, finding: Finding) -> VenueError:
    """Make the error of a finding."""
    return KINDS[finding.response](answer, finding)

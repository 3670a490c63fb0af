"""From parameters to a row: budget, signature, one request, its class, its reading. The one place where a request is made."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import TracebackType
from typing import Any, Self

import msgspec

from execution.safety.budget import Heard, RateBudget
from execution.safety.endpoints import TIME, Endpoint
from execution.safety.failures import Answer, VenueError, Withheld, failure
from execution.safety.response_class import ACK, NOT_SENT, UNKNOWN, Consequence, Finding, classify
from execution.safety.rows import ServerTime
from execution.safety.signing import Credentials
from execution.safety.venue_clock import ClockReading, VenueClock
from execution.safety.wire import Outgoing, Reply, Silence, Wire

LONGEST_TEXT = 200
CLOCK_TIMEOUT_SECS = 1.0
_SIGNATURE = re.compile(r"signature=[0-9a-fA-F]*")
Value = str | int | bool | Decimal | None

type Witness = Callable[[Exchange], None]


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request that leaves, and later the same with what came back; without secrets.

    Attributes
    ----------
    what
        'METHOD /path'.
    params
        As they were given, signature and key left out.
    done
        False right before it leaves.
    status, text
        Of the answer; None and why where there was none.
    """

    what: str
    params: Mapping[str, str]
    done: bool = False
    status: int | None = None
    text: str = ""


class Asker:
    """Makes requests of one account at one host.

    Use as an async context manager, or call `close`.

    Parameters
    ----------
    base_url
        REST host, e.g. ``http://127.0.0.1:8800``; it comes from the table of environments.
    credentials
        Keys of the account; None allows public requests only.
    budget
        Shared by everyone who makes requests for this account.
    clock
        The venue's time.
    wallet_url
        Host of the key's permissions, None where the environment has none.
    timeout_secs
        For one request.

    Attributes
    ----------
    witness
        Told of every signed request, before it leaves and when it is over; it must not raise.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials | None,
        budget: RateBudget,
        clock: VenueClock,
        *,
        wallet_url: str | None = None,
        timeout_secs: float = 5.0,
    ) -> None:
        self._base_url, self._wallet_url, self._credentials = base_url.rstrip("/"), wallet_url, credentials
        self.budget, self.clock = budget, clock
        self.witness: Witness | None = None
        self._wire = Wire(timeout_secs)

    def __repr__(self) -> str:
        """Host only."""
        return f"{type(self).__name__}({self._base_url})"

    async def __aenter__(self) -> Self:
        """Nothing is opened before the first request."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._wire.close()

    async def measure_clock(self, samples: int = 3) -> ClockReading:
        """Measure the venue's clock and sign by it from now on; the shortest of some round trips is trusted.

        Raises
        ------
        VenueError
            When no sample was answered: the last failure.
        """
        readings: list[ClockReading] = []
        failed: VenueError | None = None
        for _ in range(samples):
            asked_ns = self.clock.monotonic_ns()
            try:
                time = await self._ask(TIME, ServerTime, {}, CLOCK_TIMEOUT_SECS)
            except VenueError as error:
                failed = error
                continue
            readings.append(self.clock.read(time.ms, asked_ns))
        if not readings and failed is not None:
            raise failed
        return self.clock.adopt(readings)

    async def _ask[T](
        self, endpoint: Endpoint, shape: type[T], params: Mapping[str, Value], timeout_secs: float | None = None
    ) -> T:
        """Make a request and read its answer.

        Raises
        ------
        VenueError
            Rejected, OutcomeUnknown, NotSent, Withheld or Banned.
        """
        texts = {name: _text(value) for name, value in params.items() if value is not None}
        if endpoint.signed and self.clock.doubted:
            await self._measure_again()
        cost = endpoint.cost(has_symbol="symbol" in texts)
        if (held := self.budget.ask(cost, endpoint.purpose)) is not None:
            wait = f"kept back ({held.reason}) for {held.wait_ns / 1e9:.1f} s"
            raise Withheld(Answer(endpoint.what, text=wait), NOT_SENT, held.wait_ns)
        sent_ns = self.clock.monotonic_ns()
        out = self._outgoing(endpoint, texts)
        self._tell(endpoint, texts)
        outcome = await self._wire.send(out, timeout_secs)
        self._tell(endpoint, texts, outcome)
        if isinstance(outcome, Silence):
            raise failure(Answer(endpoint.what, text=outcome.why), UNKNOWN if outcome.sent else NOT_SENT)
        answer, finding, body = self._judge(endpoint, outcome)
        self._learn(endpoint, outcome, answer, finding, sent_ns)
        if finding != ACK:
            raise failure(answer, finding)
        return self._read(answer, body, shape)

    async def _measure_again(self) -> None:
        """Measure the doubted clock; if that fails the request goes out with the old offset and its own answer tells."""
        try:
            await self.measure_clock(1)
        except VenueError as error:
            self.clock.failure = str(error)

    def _outgoing(self, endpoint: Endpoint, texts: Mapping[str, str]) -> Outgoing:
        host = self._wallet_url if endpoint.wallet else self._base_url
        if host is None:
            raise failure(Answer(endpoint.what, text="this environment has no wallet host"), NOT_SENT)
        if not endpoint.signed:
            return Outgoing(endpoint.method, host + endpoint.path)
        if self._credentials is None:
            raise failure(Answer(endpoint.what, text="no key is configured"), NOT_SENT)
        query = self._credentials.sign(texts, self.clock.ms())
        return Outgoing(endpoint.method, host + endpoint.path, query, self._credentials.headers())

    def _tell(self, endpoint: Endpoint, texts: Mapping[str, str], outcome: Reply | Silence | None = None) -> None:
        if self.witness is None or not endpoint.signed:
            return
        if isinstance(outcome, Reply):
            text = self._hidden(outcome.body.decode("utf-8", "replace"))
            self.witness(Exchange(endpoint.what, texts, True, outcome.status, text))
        else:
            self.witness(Exchange(endpoint.what, texts, outcome is not None, None, outcome.why if outcome else ""))

    def _judge(self, endpoint: Endpoint, reply: Reply) -> tuple[Answer, Finding, Any]:
        body, readable = _decode(reply.body)
        code = body.get("code") if isinstance(body, dict) else None
        refused = int(code) if isinstance(code, int | str) and str(code).startswith("-") else None
        text = str(body.get("msg", "")) if refused is not None else "" if readable else "an answer that is no JSON"
        answer = Answer(endpoint.what, reply.status, refused, self._clean(text), _retry_after(reply.headers))
        finding = classify(reply.status, refused, readable=readable)
        return answer, finding, body if finding == ACK else None

    def _learn(self, endpoint: Endpoint, reply: Reply, answer: Answer, finding: Finding, sent_ns: int) -> None:
        throttled = finding.consequence is Consequence.BACK_OFF
        headers = {} if endpoint.wallet else {name.lower(): value for name, value in reply.headers.items()}
        after = answer.retry_after_secs
        self.budget.hear(Heard(sent_ns, reply.status, headers, endpoint.orders > 0, after, throttled))
        if finding.consequence is Consequence.CLOCK:
            self.clock.doubted = True

    def _clean(self, text: str) -> str:
        """Cut a text of the venue short, and out of it whatever is secret."""
        return self._hidden(text)[:LONGEST_TEXT]

    def _hidden(self, text: str) -> str:
        text = _SIGNATURE.sub("signature=***", text)
        return text if self._credentials is None else self._credentials.hide(text)

    def _read[T](self, answer: Answer, body: Any, shape: type[T]) -> T:
        try:
            return msgspec.convert(_without_blanks(body), type=shape, strict=False)
        except msgspec.ValidationError as error:
            why = self._clean(f"an answer that cannot be read: {error}")
        raise failure(Answer(answer.what, answer.status, text=why), UNKNOWN)


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _decode(body: bytes) -> tuple[Any, bool]:
    try:
        return json.loads(body, parse_float=Decimal), True
    except ValueError:
        return None, False


def _without_blanks(value: Any) -> Any:
    """Drop empty texts: the venue writes them where a figure does not apply."""
    if isinstance(value, dict):
        return {name: _without_blanks(inner) for name, inner in value.items() if inner != ""}
    return [_without_blanks(inner) for inner in value] if isinstance(value, list) else value


def _retry_after(headers: Mapping[str, str]) -> float | None:
    text = headers.get("retry-after", "")
    return float(text) if text.replace(".", "", 1).isdigit() else None

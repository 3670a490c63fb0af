"""One request from arrival to answer: faults, limits, keys, the receive window, the endpoint."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence

from adapters.simulated_binance.call import LOST, Call, Reply, json_reply
from adapters.simulated_binance.codes import Code, Refused
from adapters.simulated_binance.faults import actions as acts
from adapters.simulated_binance.hub import spoil
from adapters.simulated_binance.rest import account, conditional, public, trading
from adapters.simulated_binance.tickets import whole
from adapters.simulated_binance.venue import Venue

ROUTES = public.ROUTES | trading.ROUTES | conditional.ROUTES | account.ROUTES
DEFAULT_WINDOW_MS = 5000
LONGEST_WINDOW_MS = 60_000
AHEAD_MS = 1000


class Gateway:
    """Answers requests of one venue, whichever transport they came by.

    Parameters
    ----------
    venue
        Whose.
    """

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._ids = itertools.count(1)
        self._late: set[asyncio.Task[None]] = set()
        self._closed = asyncio.Event()

    async def handle(self, call: Call) -> Reply:
        """Answer a request, with whatever the fault script does to it."""
        venue, number = self._venue, next(self._ids)
        venue.advance()
        arrived_ms = venue.clock.ms()
        actions = venue.faults.on_request(call.what, call.symbol)
        venue.ledger.write(
            "request",
            id=number,
            transport=call.transport,
            method=call.method,
            path=call.path,
            params=call.public_params(),
            acts=[action.act for action in actions],
        )
        venue.advance()
        reply = await self._suffer(call, actions, arrived_ms, number)
        venue.ledger.write("response", id=number, status=reply.status, lost=reply.lost, code=_code(reply))
        return reply

    async def _suffer(self, call: Call, actions: Sequence[acts.RequestAction], arrived_ms: int, number: int) -> Reply:
        if (delay := _pick(actions, acts.Delay)) is not None:
            await self._venue.agenda.sleep(delay.secs)
        if _pick(actions, acts.Drop) is not None:
            return LOST
        if (late := _pick(actions, acts.AcceptLate)) is not None:
            return await self._later(call, late, arrived_ms, number)
        if (hang := _pick(actions, acts.Hang)) is not None:
            if hang.execute:
                self.execute(call, arrived_ms)
            await self._closed.wait()
            return LOST
        answer = _pick(actions, acts.Answer)
        reply = self.execute(call, arrived_ms) if answer is None or answer.execute else LOST
        reply = reply if answer is None else _answer(answer)
        if (pause := _pick(actions, acts.DelayAnswer)) is not None:
            await self._venue.agenda.sleep(pause.secs)
        if _pick(actions, acts.DropAnswer) is not None:
            return LOST
        for action in actions:
            if isinstance(action, acts.Truncate | acts.Corrupt):
                text = spoil(reply.body.decode(), action)
                reply = Reply(reply.status, text.encode(), reply.headers)
        return reply

    async def _later(self, call: Call, late: acts.AcceptLate, arrived_ms: int, number: int) -> Reply:
        async def execute() -> Reply:
            await self._venue.agenda.sleep(late.secs)
            reply = self.execute(call, arrived_ms, enforce_window=late.enforce_window)
            self._venue.ledger.write("late", id=number, status=reply.status, code=_code(reply))
            return reply

        if late.answer is None and not late.lose_connection:
            return await execute()

        async def alone() -> None:
            await execute()

        task = asyncio.create_task(alone())
        self._late.add(task)
        task.add_done_callback(self._late.discard)
        return LOST if late.lose_connection or late.answer is None else _answer(late.answer)

    def execute(self, call: Call, arrived_ms: int, *, enforce_window: bool = True) -> Reply:
        """Let a request take effect now."""
        venue = self._venue
        venue.advance()
        if venue.outage is not None and venue.clock.real_ns() < venue.outage[0]:
            return _outage(venue.outage[1])
        verdict = venue.limits.check(call.what)
        if verdict.status != 200:
            refused = Refused(Code.TOO_MANY_REQUESTS, status=verdict.status)
            headers = verdict.headers | {"Retry-After": str(verdict.retry_after_secs)}
            return json_reply(verdict.status, refused.body(), headers)
        try:
            return json_reply(200, self._run(call, arrived_ms, enforce_window), verdict.headers)
        except Refused as refused:
            return json_reply(refused.status, refused.body(), verdict.headers)
        finally:
            venue.advance()

    def _run(self, call: Call, arrived_ms: int, enforce_window: bool) -> object:
        endpoint = ROUTES.get(call.what)
        if endpoint is None:
            raise Refused(Code.UNKNOWN, f"This venue does not have {call.what}.", status=404)
        if endpoint.security != "open":
            key = self._venue.key_of(call.api_key)
            if endpoint.security != "key":
                at_ms = (
                    self._venue.clock.ms() if self._venue.scenario.behaviour.matching_enforces_window else arrived_ms
                )
                check_signed(call, key.secret.get_secret_value(), at_ms if enforce_window else None)
            if endpoint.security == "trade" and not key.can_trade:
                raise Refused(Code.REJECTED_MBX_KEY)
        return endpoint.handler(self._venue, dict(call.params) | {"__key__": call.api_key or ""})

    def close(self) -> None:
        """Let hanging requests go, and forget late ones."""
        self._closed.set()
        for task in self._late:
            task.cancel()


def check_signed(call: Call, secret: str, now_ms: int | None) -> None:
    """Hold timestamp, receive window and signature of a request against the venue's time; None: not the window.

    Raises
    ------
    Refused
        -1102, -1021 or -1022.
    """
    stamp = whole(call.params, "timestamp")
    if stamp is None:
        raise Refused(Code.MANDATORY_PARAM_EMPTY_OR_MALFORMED, "Mandatory parameter 'timestamp' was not sent.")
    window = min(whole(call.params, "recvWindow") or DEFAULT_WINDOW_MS, LONGEST_WINDOW_MS)
    if not call.is_signed_by(secret):
        raise Refused(Code.INVALID_SIGNATURE)
    if now_ms is None:
        return
    if stamp >= now_ms + AHEAD_MS:
        raise Refused(Code.INVALID_TIMESTAMP, "Timestamp for this request was 1000ms ahead of the server's time.")
    if now_ms - stamp > window:
        raise Refused(Code.INVALID_TIMESTAMP)


def _pick[A: acts.Piece](actions: Sequence[acts.RequestAction], kind: type[A]) -> A | None:
    return next((action for action in actions if isinstance(action, kind)), None)


def _answer(answer: acts.Answer) -> Reply:
    headers = {} if answer.retry_after_secs is None else {"Retry-After": str(answer.retry_after_secs)}
    if answer.code is None:
        return Reply(answer.status, b"<html><body>upstream error</body></html>", headers)
    return json_reply(answer.status, Refused(answer.code, answer.msg).body(), headers)


def _outage(outage: acts.Outage) -> Reply:
    return _answer(acts.Answer(act="answer", status=outage.status, code=outage.code))


def _code(reply: Reply) -> int | None:
    if reply.status == 200 or not reply.body.startswith(b'{"code":'):
        return None
    return int(reply.body.split(b",", 1)[0].removeprefix(b'{"code":'))

"""One HTTP request, sent once: never again by itself, over HTTP/1.1, with no byte of it in a log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

KEPT_CONNECTIONS = 8
KEPT_SECS = 15.0
LOUD = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.proxy")


def _is_loud(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the venue, whole."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Silence:
    """No answer.

    Attributes
    ----------
    sent
        Whether a byte of the request may have been written.
    why
        Kind of failure, without the address.
    """

    sent: bool
    why: str


@dataclass(slots=True)
class _Trace:
    """Notices when httpcore begins to write the request."""

    began: bool = False

    async def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        del info
        self.began = self.began or event.endswith("send_request_headers.started")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request; its query (which holds the signature) and its key stay out of its repr."""

    method: str
    url: str
    query: str = field(repr=False, default="")
    headers: Mapping[str, str] = field(repr=False, default_factory=dict)


class Wire:
    """A pool of connections without a limit: no request waits for another.

    httpx logs each address with its signature at INFO; that is silenced here for the whole process.

    Parameters
    ----------
    timeout_secs
        For one request from connecting to the last byte of its answer.
    """

    def __init__(self, timeout_secs: float) -> None:
        self._timeout_secs = timeout_secs
        limits = httpx.Limits(
            max_connections=None, max_keepalive_connections=KEPT_CONNECTIONS, keepalive_expiry=KEPT_SECS
        )
        # trust_env is off so that no proxy of the environment and no .netrc comes between.
        self._client = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(retries=0, http1=True, http2=False, limits=limits, trust_env=False),
            timeout=httpx.Timeout(timeout_secs),
            follow_redirects=False,
            trust_env=False,
        )
        for name in LOUD:
            logging.getLogger(name).addFilter(_is_loud)

    async def send(self, out: Outgoing, timeout_secs: float | None = None) -> Reply | Silence:
        """Send a request once and read the whole answer."""
        trace = _Trace()
        try:
            async with asyncio.timeout(timeout_secs or self._timeout_secs):
                response = await self._client.request(
                    out.method,
                    httpx.URL(out.url, query=out.query.encode()),
                    headers=dict(out.headers),
                    extensions={"trace": trace},
                )
        except (httpx.HTTPError, TimeoutError) as error:
            return Silence(trace.began, type(error).__name__)
        return Reply(response.status_code, response.headers, response.content)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

"""A request and its answer, whatever the transport."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import parse_qsl

import msgspec

SIGNATURE = re.compile(r"(?:^|&)signature=[^&]*")


@dataclass(frozen=True, slots=True)
class Call:
    """One request.

    Attributes
    ----------
    params
        Query and form parameters together.
    signed_text
        What the signature was made over.
    """

    method: str
    path: str
    params: Mapping[str, str]
    signed_text: str
    api_key: str | None
    transport: str = "http"

    @property
    def what(self) -> str:
        """'METHOD /path', as fault scripts and rate limits name it."""
        return f"{self.method} {self.path}"

    @property
    def symbol(self) -> str | None:
        """Symbol parameter, if there is one."""
        return self.params.get("symbol")

    def is_signed_by(self, secret: str) -> bool:
        """Whether the signature fits."""
        expected = hmac.new(secret.encode(), self.signed_text.encode(), sha256).hexdigest()
        return hmac.compare_digest(expected, self.params.get("signature", ""))

    def public_params(self) -> dict[str, str]:
        """Parameters without the signature: for the ledger."""
        return {name: value for name, value in self.params.items() if name not in ("signature", "apiKey")}


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer.

    Attributes
    ----------
    lost
        True: close the connection instead of answering.
    """

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    lost: bool = False


LOST = Reply(0, b"", lost=True)


def http_call(method: str, path: str, query: str, body: str, api_key: str | None) -> Call:
    """Read a REST request; Binance signs query string and form body joined without a separator."""
    params = dict(parse_qsl(query, keep_blank_values=True)) | dict(parse_qsl(body, keep_blank_values=True))
    return Call(method, path, params, SIGNATURE.sub("", query) + SIGNATURE.sub("", body), api_key)


def socket_call(method: str, path: str, params: Mapping[str, object]) -> Call:
    """Read a request of the trading socket; Binance signs its parameters sorted by name."""
    texts = {name: _text(value) for name, value in params.items()}
    signed = "&".join(f"{name}={value}" for name, value in sorted(texts.items()) if name != "signature")
    return Call(method, path, texts, signed, texts.get("apiKey"), transport="ws")


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def json_reply(status: int, body: object, headers: Mapping[str, str] | None = None) -> Reply:
    """Answer with JSON."""
    return Reply(status, msgspec.json.encode(body), headers or {})

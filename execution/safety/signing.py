"""Keys, and signatures made with them."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlencode

from pydantic import SecretStr

RECV_WINDOW_MS = 5000


@dataclass(frozen=True, slots=True)
class Credentials:
    """Key and secret of an account; neither shows in a repr."""

    key: SecretStr
    secret: SecretStr

    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that tell keys apart and betray none (L-1)."""
        return sha256(b"hyper-trading key " + self.key.get_secret_value().encode()).hexdigest()[:12]

    def headers(self) -> dict[str, str]:
        """Header that names the key."""
        return {"X-MBX-APIKEY": self.key.get_secret_value()}

    def sign(self, params: Mapping[str, str], timestamp_ms: int, window_ms: int = RECV_WINDOW_MS) -> str:
        """Query string of a signed request: HMAC-SHA256 over the rest of it, in hexadecimal."""
        query = urlencode({**params, "recvWindow": str(window_ms), "timestamp": str(timestamp_ms)})
        return (
            f"{query}&signature={hmac.new(self.secret.get_secret_value().encode(), query.encode(), sha256).hexdigest()}"
        )

    def hide(self, text: str) -> str:
        """Cut key and secret out of a text."""
        for secret in (self.secret, self.key):
            if secret.get_secret_value():
                text = text.replace(secret.get_secret_value(), "***")
        return text

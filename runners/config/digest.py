"""One spelling of a configuration, and the hash that names it."""

from __future__ import annotations

import hashlib
import json

from pydantic import BaseModel


def canonical_json(config: BaseModel) -> str:
    """Dump a config as JSON with sorted keys and no spaces: equal configs give equal text."""
    dumped = config.model_dump(mode="json", by_alias=True)
    return json.dumps(dumped, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def config_hash(config: BaseModel) -> str:
    """SHA-256 of the canonical JSON, 64 hex digits."""
    return hashlib.sha256(canonical_json(config).encode()).hexdigest()

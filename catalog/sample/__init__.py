"""A synthetic limit order book of BTCUSDT perpetual: seeded, calibrated, the same bytes everywhere."""

from catalog.sample.generate import ensure_sample, generate
from catalog.sample.spec import GENERATOR_VERSION, INSTRUMENT_ID, SampleSpec

__all__ = ["GENERATOR_VERSION", "INSTRUMENT_ID", "SampleSpec", "ensure_sample", "generate"]

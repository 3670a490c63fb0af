"""Which market a run replays: source, period, warm-up, and whether its certificates are good enough."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from catalog.certificate import Certificate, Grade
from catalog.sample.generate import ensure_sample
from catalog.sample.spec import SampleSpec
from catalog.store import Catalog, Kind, Period
from errors import DataError, GradeTooLow, PeriodEmpty
from runners.config.models import BacktestConfig
from runners.config.venue import ConstantFunding
from runners.funding import constant_rates, merged

SAMPLES = Path("data") / "samples"
NS_PER_DAY = 86_400_000_000_000
CHUNK_EVENTS = 200_000


@dataclass(frozen=True, slots=True)
class Market:
    """A market that is ready to be replayed.

    Attributes
    ----------
    catalog
        Where it is.
    period
        What is replayed, warm-up included.
    trading_start_ns
        First instant at which orders are allowed.
    certificates
        Of every instrument and day that is replayed.
    synthetic
        True when any of it was generated.
    source
        For the report.
    """

    catalog: Catalog
    config: BacktestConfig
    period: Period
    trading_start_ns: int
    certificates: tuple[Certificate, ...]
    synthetic: bool
    source: str

    def instruments(self) -> Mapping[str, Any]:
        """Nautilus instruments by id, as the catalog defines them."""
        return {iid: self.catalog.instrument(iid) for iid in self.config.instruments}

    def chunks(self, max_events: int = CHUNK_EVENTS) -> Iterator[list[Any]]:
        """Events of the period, in order; a constant funding rate is put among them."""
        found = self.catalog.chunks(
            self.config.instruments, self.period, kinds=_kinds(self.config), max_events=max_events, foresee=True
        )
        funding = self.config.venue.funding
        if not isinstance(funding, ConstantFunding):
            return found
        start, end, bps = self.period.start_ns, self.period.end_ns, funding.constant_bps_per_8h
        return merged(found, [u for iid in self.config.instruments for u in constant_rates(iid, bps, start, end)])


def open_market(
    config: BacktestConfig, *, accept_grade: str | None = None, progress: Callable[[float], None] | None = None
) -> Market:
    """Find the data of a configuration, generating a sample where it asks for one.

    Parameters
    ----------
    config
        The configuration.
    accept_grade
        Worst certificate grade that is accepted this once, instead of the configured one.
    progress
        Called with the finished fraction while a sample is generated.

    Raises
    ------
    CatalogMissing, InstrumentMissing, PeriodEmpty, GradeTooLow, DataError
        When there is nothing, or nothing good enough, to replay.
    """
    catalog, source = _source(config, progress)
    period, trading_start_ns = _period(config, catalog)
    _check_contents(config, catalog, period)
    certificates = _certificates(config, catalog, period, Grade(accept_grade or config.data.min_grade))
    synthetic = config.data.sample is not None or any(certificate.synthetic for certificate in certificates)
    return Market(catalog, config, period, trading_start_ns, certificates, synthetic, source)


def _source(config: BacktestConfig, progress: Callable[[float], None] | None) -> tuple[Catalog, str]:
    if config.data.sample is None:
        path = Path(str(config.data.catalog))
        return Catalog(path), f"catalog {path.as_posix()}"
    sample = config.data.sample
    spec = SampleSpec(seed=config.seed, minutes=sample.minutes, funding_at_minute=sample.funding_at_minute)
    catalog = Catalog(ensure_sample(spec, SAMPLES, progress))
    return catalog, f"synthetic sample, {sample.minutes} min, seed {config.seed}"


def _kinds(config: BacktestConfig) -> frozenset[Kind]:
    kinds = {Kind.TRADES, Kind.DELTAS if config.data.fidelity == "l2" else Kind.QUOTES}
    if config.venue.market == "usdm":
        kinds.add(Kind.MARK)
        if config.venue.funding == "recorded":
            kinds.add(Kind.FUNDING)
    return frozenset(kinds)


def _period(config: BacktestConfig, catalog: Catalog) -> tuple[Period, int]:
    covered = [catalog.coverage(iid) for iid in config.instruments]
    first, last = max(c.start_ns for c in covered), max(c.end_ns for c in covered)
    wanted = config.data.period
    start, end = (first, last) if wanted is None else (wanted.start_ns, min(wanted.end_ns, last))
    if wanted is not None and (wanted.end_ns <= first or wanted.start_ns >= last):
        raise PeriodEmpty(
            f"the catalog holds nothing from {_time(wanted.start_ns)} to {_time(wanted.end_ns)}; it holds "
            f"{', '.join(config.instruments)} from {_time(first)} to {_time(last)}."
        )
    warmup = round(config.data.warmup_secs * 1e9)
    replay = max(min(c.start_ns for c in covered), start - warmup)
    trading = max(start, max(replay, first) + warmup)
    if trading >= end:
        raise PeriodEmpty(
            f"data.warmup_secs {config.data.warmup_secs:g} uses up all data before {_time(end)}, which begins at "
            f"{_time(replay)}; shorten the warm-up or take a longer period."
        )
    return Period(replay, end), trading


def _check_contents(config: BacktestConfig, catalog: Catalog, period: Period) -> None:
    for iid in config.instruments:
        for kind in (Kind.DELTAS if config.data.fidelity == "l2" else Kind.QUOTES, Kind.TRADES):
            if not catalog.count(iid, kind, period):
                raise DataError(
                    f"the catalog has no {kind} of {iid} from {_time(period.start_ns)} to {_time(period.end_ns)}, which "
                    f"data.fidelity {config.data.fidelity} needs; choose another period or fidelity."
                )
        if Kind.FUNDING in _kinds(config) and not catalog.count(iid, Kind.FUNDING, period):
            raise DataError(
                f"venue.funding is recorded, but the data holds no funding rate of {iid} from {_time(period.start_ns)} to "
                f"{_time(period.end_ns)}; write venue.funding: {{constant_bps_per_8h: 1.0}} or ingest the rates."
            )


def _certificates(config: BacktestConfig, catalog: Catalog, period: Period, worst: Grade) -> tuple[Certificate, ...]:
    found = []
    for iid in config.instruments:
        by_day = {certificate.day: certificate for certificate in catalog.certificates(iid, period)}
        covered = catalog.coverage(iid)
        for day in _days(max(period.start_ns, covered.start_ns), min(period.end_ns, covered.end_ns)):
            certificate = by_day.get(day)
            if certificate is not None:
                _check_grade(certificate, worst)
                found.append(certificate)
            elif worst is not Grade.F:
                raise GradeTooLow(
                    f"{iid} has no certificate for {day}; ingest it with this program, or accept it unseen with "
                    f"--accept-grade F."
                )
    return tuple(found)


def _check_grade(certificate: Certificate, worst: Grade) -> None:
    if not certificate.grade.meets(worst):
        raise GradeTooLow(
            f"{certificate.instrument_id} on {certificate.day} has grade {certificate.grade} "
            f"({'; '.join(certificate.reasons)}), below {worst}; accept it with --accept-grade {certificate.grade}."
        )


def _days(start_ns: int, end_ns: int) -> list[str]:
    return [_time(day * NS_PER_DAY)[:10] for day in range(start_ns // NS_PER_DAY, (end_ns - 1) // NS_PER_DAY + 1)]


def _time(ts_ns: int) -> str:
    return datetime.fromtimestamp(ts_ns // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

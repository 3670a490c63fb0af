"""What a recovery is made of: its own run in the account's journal, its own epoch for closing orders, the same venue."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from typing import Literal

from execution.journal_file import Durability, JournalFailed
from execution.journal_live import LiveJournal
from execution.journal_venue import Whose
from execution.journal_writes import Run
from execution.recovery.from_journal import CHECKPOINT, Checkpoint, read_checkpoint
from execution.recovery.model import Accepted, Policy
from execution.recovery.reading import VenueReader
from execution.safety.client import SafetyClient
from runners.config import LiveResolved
from runners.config.account import AccountConfig
from runners.live.account import Account
from runners.live.carrying_out import Hands
from runners.live.clearing import Clearing
from runners.live.closes import JournaledCloses
from runners.live.journaling import journal_path
from runners.live.recovering import PATIENCE_SECS, Looker, Recovery, Say

MODE = "recovery"


@dataclass(frozen=True, slots=True)
class Case:
    """Whose account is to be recovered, and how.

    Attributes
    ----------
    account
        Of the configuration.
    policy
        For the plan.
    journal, durability
        The file and how it is written.
    whose
        The account as the venue names it.
    seen_before
        The alias was tied to this account before this start.
    config_hash
        For the run's row.
    patience_secs, ready_secs
        For closing positions, and for the whole.
    """

    account: AccountConfig
    policy: Policy
    journal: Path
    durability: Durability
    whose: Whose
    seen_before: bool = True
    config_hash: str = ""
    patience_secs: float = 60.0
    ready_secs: float = PATIENCE_SECS


def policy_of(
    account: AccountConfig, symbols: tuple[str, ...], positions: Literal["adopt", "close", "refuse"] = "adopt",
    accepted: Mapping[str, Accepted] | None = None,
) -> Policy:  # fmt: skip
    """Make the policy of an account."""
    return Policy(
        tag=account.order_tag, symbols=symbols, positions=positions, foreign=account.foreign_orders,
        accepted=accepted or {}, account=account.alias,
    )  # fmt: skip


def case_of(resolved: LiveResolved, folder: Path, whose: Whose, *, seen_before: bool) -> Case:
    """Make the case of a session."""
    config = resolved.config
    policy = policy_of(config.account, config.symbols, config.execution.on_start.positions)
    return Case(
        config.account, policy, journal_path(config, folder), config.safety.journal.durability, whose, seen_before,
        resolved.hash, config.execution.on_stop.patience_secs,
    )  # fmt: skip


def looker_of(case: Case, client: SafetyClient) -> Looker:
    """Make what looks; nothing is written."""
    checkpoint, day = read_checkpoint(case.journal) if case.journal.is_file() else (None, None)
    checkpoint = checkpoint or Checkpoint(first=not case.seen_before)
    path = case.journal if case.journal.is_file() else None
    return Looker(path, VenueReader(client, case.policy.symbols, case.policy), case.policy, checkpoint, day)


@contextmanager
def recovery_of(case: Case, client: SafetyClient, trip: Callable[[str], None], say: Say) -> Iterator[Recovery]:
    """Open the journal for one recovery, and close it with whatever ended that.

    Parameters
    ----------
    case, client
        Whose, and who speaks; its clock has been measured.
    trip
        Trips the kill switch.
    say
        Shows lines.
    """
    run_id = f"{datetime.fromtimestamp(time.time_ns() / 1e9, UTC):%Y%m%dT%H%M%SZ}-{token_hex(3)}"
    run = Run(run_id, time.time_ns(), MODE, case.account.alias, case.config_hash, epoch=0)
    journal = LiveJournal(case.journal, run, case.whose, durability=case.durability, venue_ms=client.clock.ms)
    outcome = "not ready"
    try:
        looker = looker_of(case, client)
        if looker.checkpoint.first:  # a crash before READY must find it so as well
            journal.save_risk_state(time.time_ns(), CHECKPOINT, looker.checkpoint.to_json())
        account = Account(client, case.policy.tag, set(case.policy.symbols), shared=case.policy.foreign == "count")
        closes = JournaledCloses(journal, case.account.order_tag, time.time_ns, journal.new_epoch(MODE))
        hands = Hands(journal, account, Clearing(account, closes, case.patience_secs), trip)
        yield Recovery(looker, hands, journal, say, case.ready_secs)
        outcome = "ready"
    except BaseException as error:
        outcome = f"{type(error).__name__}: {error}"
        raise
    finally:
        with suppress(JournalFailed):  # what ended the recovery is told, not that it could not be written down
            journal.end(time.time_ns(), outcome)
        journal.close()

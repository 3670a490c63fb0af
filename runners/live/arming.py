"""Kill switch and losses of an account: latched across restarts, armed by itself only where it never tripped."""

from __future__ import annotations

from pathlib import Path

from errors import SafetyRefusal
from risk.arm_token import FileTokenStore, Identity
from risk.config import RiskConfig
from risk.halts import Halts
from risk.kill_switch import KillSwitch
from risk.latch_log import FileLatchLog
from risk.loss import LossLedger

DISK_SECS = 0.2
"""How long a trip waits for the disk before cancels go out."""


def account_halts(folder: Path, identity: Identity, risk: RiskConfig, now_ns: int) -> Halts:
    """Open what shuts entries of an account; play money is armed at its first start and after a change of configuration.

    Parameters
    ----------
    folder
        State of the alias.
    identity
        What a token must have been given for.
    risk
        Limits.
    now_ns
        UTC.

    Raises
    ------
    SafetyRefusal
        When the kill switch has tripped and nobody has reset it, or its files cannot be read.
    """
    switch = KillSwitch(
        FileTokenStore(folder / "arm.json"), FileLatchLog(folder / "latch.jsonl"), identity, patience_secs=DISK_SECS
    )
    why = switch.refusal()
    if why is not None:
        try:
            switch.arm(now_ns, "runners.live", f"play money at the start: {why}")
        except SafetyRefusal as error:
            raise SafetyRefusal(
                f"entries are shut ({why}): find out why, then python -m runners.halt --reset --reason …"
            ) from error
    return Halts(switch, LossLedger(risk.losses()))

"""Which kind of session a configuration asks for."""

from __future__ import annotations

from runners.config import LiveResolved
from runners.live.session import Options, run_session
from runners.live.simulated import run_simulated
from runners.live.status import Screen
from runners.manifest import code_version


async def run(resolved: LiveResolved, options: Options, screen: Screen) -> int:
    """Run a session of the mode that is configured; returns and raises as `runners.live.session.run_session`."""
    code_version()  # remembered for the manifest: of the code that runs, not of what lies there when the session ends
    wanted = run_session if resolved.config.sends else run_simulated
    return await wanted(resolved, options, screen)

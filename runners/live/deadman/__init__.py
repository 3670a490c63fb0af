"""The dead-man beside a running session (X-4): countdown, protective stops, sign of life for the watchdog.

``looking`` the account over REST · ``countdown`` layer 1 · ``stops`` D9 · ``pulse`` what the watchdog reads, and what of it is read
here · ``companion`` all of them as one task · ``locks`` what they refuse at the gate
"""

"""Breakers: each watches one thing, pauses trading while it is abnormal and clears itself."""

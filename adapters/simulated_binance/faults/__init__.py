"""Fault scripts: what may go wrong, when, and the engine that decides it."""

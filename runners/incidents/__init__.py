"""Incidents on disk: cut after a run, found, told and replayed."""

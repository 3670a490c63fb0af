"""Incidents: what stood and happened around a trip, written so that it can be read and replayed (X-8)."""

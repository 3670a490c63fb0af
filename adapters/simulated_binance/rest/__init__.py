"""Endpoint groups of the REST interface."""

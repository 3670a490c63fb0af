"""Tests of the crash matrix."""

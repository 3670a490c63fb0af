"""Tests of decision tapes."""

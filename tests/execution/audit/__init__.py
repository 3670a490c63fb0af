"""Journal against account."""

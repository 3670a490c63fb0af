"""The decision tape of a session: what every strategy was handed, in order, and what it decided (L-2)."""

"""The connectivity check, against our simulated venue."""

"""The live runner, against our simulated venue."""

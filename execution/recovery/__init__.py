"""Recovery as a pure plan: what the journal knows, what the venue says, what follows (`docs/recovery.md`)."""

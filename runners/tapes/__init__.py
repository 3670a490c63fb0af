"""Decision tapes played again: the same strategy classes, handed the same, must decide the same (L-2)."""

"""Records public streams as they arrive: raw lines, a file a day, nothing lost without being said."""

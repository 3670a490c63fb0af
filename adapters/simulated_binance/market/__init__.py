"""Where the background market comes from and how it is published."""

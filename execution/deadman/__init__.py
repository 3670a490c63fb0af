"""The dead-man as logic: what may be believed of the venue's countdown, of a stop at the venue, of a process that is silent."""

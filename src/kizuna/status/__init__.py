"""Where a shop stands, and what is to be done next."""

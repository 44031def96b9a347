"""Files for other systems: one file and one entry for each kind of destination."""

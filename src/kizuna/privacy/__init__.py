"""Personal data that kizuna has written: found, and erased on request."""

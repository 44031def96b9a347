"""Personal data that kizuna has written: found, erased on request, and removed when it is old."""

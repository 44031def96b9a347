"""Gates: the checks before and after a day is scored, each with its limit, any of which keeps the old list in place."""

"""Customer value: what is expected of those who stay and of those who leave, its level and its intervals."""

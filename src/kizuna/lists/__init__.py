"""Lists: who is on one, where earlier ones stand, and how one is published."""

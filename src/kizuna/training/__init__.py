"""Training: the fits, what they are told, what is logged, and past weeks judged."""

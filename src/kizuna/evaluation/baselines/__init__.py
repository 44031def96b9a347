"""Baselines: the rules that a model must beat."""

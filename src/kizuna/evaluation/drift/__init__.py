"""Drift: how far what is seen today lies from what the model was trained beside."""

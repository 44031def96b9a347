"""Plots: the evidence as pictures."""

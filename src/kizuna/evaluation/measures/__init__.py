"""Measures: metrics, their intervals and paired differences, profit."""

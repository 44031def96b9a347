"""The gate: what was measured of a model, and whether it may be used."""

"""Tables in: sources, contract, store, and a simulated shop."""

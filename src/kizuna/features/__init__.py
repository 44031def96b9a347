"""Point-in-time features: History and one file per family."""

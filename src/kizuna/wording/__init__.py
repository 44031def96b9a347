"""Every word that kizuna says to people: one catalog for each language, and how it is read."""

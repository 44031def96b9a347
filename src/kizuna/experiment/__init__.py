"""What published lists have done: first listings, the effect between the arms, realised quality, and what it proves."""

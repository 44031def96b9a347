"""One customer: what is known, what the model says, and what changed."""

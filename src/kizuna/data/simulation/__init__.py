"""A simulated shop with a known truth: lives, a daily step, and what could be known of each customer on each day."""

"""Where blocks of customers run."""

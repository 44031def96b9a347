"""What happened after a snapshot: churn by three definitions, and value."""

"""What churn is in a shop: the return curve, the contract curve, proposed definitions."""

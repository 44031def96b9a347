"""The MLflow store: where it is, what is logged there, and which model is in use."""

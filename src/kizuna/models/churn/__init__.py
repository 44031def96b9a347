"""Churn: the classifier, the ladder of models that it climbs, their blend and their calibration."""

"""Learners: regressions, trees and estimators from elsewhere, what prepares their columns, and the search for parameters."""

"""Classifiers: the registry, and the ensemble that Dubito uses."""

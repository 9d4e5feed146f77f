"""Projections of feature vectors onto the plane."""

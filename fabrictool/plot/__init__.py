"""Figures of evaluations; matplotlib is imported when a figure is drawn."""

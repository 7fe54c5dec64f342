"""Fabrics from parameters: one module for each family, one shared way to wire tiers."""

"""Cables: which, how long, along which trays; what is ordered, what is printed on them, and what was plugged in."""

"""Mistakes that people make when they plug: each looks for its own kind, and says how it would be undone."""

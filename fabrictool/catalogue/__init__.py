"""Device, rack and cooling types with their sources."""

"""Several designs at once: what differs between them, and what to make of it."""

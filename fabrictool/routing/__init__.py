"""Which way traffic takes through a fabric, and what each link then carries."""

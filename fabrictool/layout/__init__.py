"""What a user writes: the layout file, checked, with every error at its place."""

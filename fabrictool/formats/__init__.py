"""Other people's files: each module reads one format, and writes it where that is of use."""

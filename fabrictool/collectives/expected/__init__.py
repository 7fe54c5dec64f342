"""What a library of collectives is measured to take: a calibrated model, with the range that eight of ten runs meet."""

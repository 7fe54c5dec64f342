"""What changes cost: from a list of changes to what is lost, whoever asks."""

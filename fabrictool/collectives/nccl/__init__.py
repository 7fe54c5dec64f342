"""NCCL's tuning model: which algorithm and protocol the library chooses for a collective."""

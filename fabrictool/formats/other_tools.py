"""Logs of tools that measure something else, told by their words, so that a refusal can say what a file is."""

from __future__ import annotations

#: Words of a log, and what wrote it.
WORDS = {
    "BW peak[": "perftest (ib_write_bw and the like), which measures one pair of adapters",
    "t_typical[usec]": "perftest (ib_write_lat and the like), which measures one pair of adapters",
    "iperf": "iperf, which measures one pair of hosts",
    "Connecting to host": "iperf, which measures one pair of hosts",
    "Intel(R) MPI Benchmarks": "the Intel MPI Benchmarks",
    "# Benchmarking ": "the Intel MPI Benchmarks",
    "nvbandwidth": "nvbandwidth, which measures copies inside one host",
    ":::MLLOG": "MLPerf, which measures training",
    "DCGM Diagnostic": "dcgmi diag, which measures one host",
    "NCCL INFO": "NCCL itself (NCCL_DEBUG), without the table of a test",
    "fio-": "fio, which measures storage",
}


def tool_of(text: str) -> str:
    """Return which other tool wrote a text, and what that measures; "" if nobody knows."""
    return next((tool for words, tool in WORDS.items() if words in text), "")

"""Measured collectives: logs of several benchmarks and versions, CSV, and what is wrong with them."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from fabrictool.errors import InputError
from fabrictool.formats.measured import measurements_from, read_measurements
from fabrictool.formats.measurements import Measurements

DATA = Path(__file__).parents[1] / "data" / "measured"

COLUMNS = """\
#                                                              out-of-place                       in-place
#       size         count      type   redop    root     time   algbw   busbw #wrong     time   algbw   busbw #wrong
#        (B)    (elements)                               (us)  (GB/s)  (GB/s)            (us)  (GB/s)  (GB/s)
"""
#: Figures of nccl-tests issue 252 and of a run on one H100 host.
FOUR_ROWS = """\
   536870912     134217728     float     sum      -1    10052   53.41   93.46      0   9676.9   55.48   97.09      0
  1073741824     268435456     float     sum      -1    20079   53.48   93.58      0    19265   55.74   97.54      0
"""
FOOTER = "# Out of bounds values : 0 OK\n# Avg bus bandwidth    : 95.3009\n"


def _devices(hosts: int, each: int) -> str:
    lines = [
        f"#  Rank {host * each + gpu:2d} Group  0 Pid {4000 + gpu} on   worker-{host} device  {gpu} [0x8d] "
        "NVIDIA H100 80GB HBM3\n"
        for host in range(hosts)
        for gpu in range(each)
    ]
    return "# nThread 1 nGpus 1 minBytes 8 maxBytes 8 step: 2(factor)\n#\n# Using devices\n" + "".join(lines) + "#\n"


def _read(text: str) -> Measurements:
    return measurements_from("run.log", text.encode())


def test_a_log_with_ranks_on_two_hosts() -> None:
    found = _read("# Collective test starting: all_reduce_perf\n" + _devices(2, 4) + COLUMNS + FOUR_ROWS + FOOTER)
    assert len(found) == 4
    assert found.collective == ("all-reduce",) * 4
    assert found.ranks.tolist() == [8] * 4
    assert found.runs[0].host_count == 2
    assert found.runs[0].hosts[3:5] == ("worker-0", "worker-1")
    assert found.runs[0].devices[0] == "NVIDIA H100 80GB HBM3"
    assert found.runs[0].wrong == 0
    assert found.runs[0].complete
    assert found.in_place.tolist() == [False, True, False, True]
    assert found.time_s == pytest.approx([10052e-6, 9676.9e-6, 20079e-6, 19265e-6])
    assert found.busbw_bytes_per_s == pytest.approx([93.46e9, 97.09e9, 93.58e9, 97.54e9], rel=2e-4)
    assert found.where(2).startswith("run.log:")
    assert found.line[2] == 18


def test_a_run_without_names_is_told_by_its_figures() -> None:
    found = _read(COLUMNS + FOUR_ROWS + FOOTER)
    assert (found.runs[0].collective, found.runs[0].ranks) == ("all-reduce", 8)


def test_what_launchers_put_before_a_line() -> None:
    body = "# Collective test starting: all_reduce_perf_mpi\n" + _devices(2, 4) + COLUMNS + FOUR_ROWS + FOOTER
    plain = _read(body)
    for prefix in ("[1,0]<stdout>:", "0: ", "2026-11-02T10:00:00.123456Z ", "    "):
        tagged = _read("".join(f"{prefix}{line}\n" for line in body.splitlines()))
        assert tagged.time_s.tolist() == plain.time_s.tolist()
        assert tagged.runs[0].ranks == 8


def test_several_runs_and_lines_of_other_programs_between_them() -> None:
    figures = "   50.00   20.97   20.97    N/A    60.00   17.48   17.48    N/A\n"
    first = "mpirun -np 8 ./build/all_reduce_perf -b 512M -e 1G\n" + _devices(1, 8) + "NCCL version 2.21.5+cuda12.4\n"
    rows = COLUMNS + "h1:1:2 [0] NCCL INFO Connected all rings\n" + FOUR_ROWS + FOOTER
    then = "# Collective test concluded: all_reduce_perf\nmpirun -np 4 ./build/broadcast_perf -b 1M -e 1M -c 0\n"
    second = _devices(1, 4) + COLUMNS + "     1048576        262144     float    none       0 " + figures
    text = first + rows + then + second
    found = _read(text)
    assert [(run.collective, run.ranks, run.complete) for run in found.runs] == [
        ("all-reduce", 8, True),
        ("broadcast", 4, False),
    ]
    assert found.runs[0].label == "NCCL version 2.21.5+cuda12.4"
    assert len(found) == 6


def test_columns_of_other_versions() -> None:
    v1 = "#     bytes             N    type      op     time  algbw  busbw    delta     time  algbw  busbw    delta\n"
    row = (
        "    67108864      16777216   float     sum    1000.0  67.11  117.44    4e-07  1000.0  67.11  117.44    4e-07\n"
    )
    assert _read("# all_reduce_perf\n" + v1 + row).runs[0].ranks == 8
    place = " time algbw busbw #wrong i_min i_max i_p99 i_cv%"
    per_iteration = f"# size count type redop root{place}{place} timestamp\n"
    row = (
        " 67108864 1 float sum -1 1000 67.11 117.44 0 990 1010 1005 1.0 2000 33.55 58.72 3 1 1 1 1.0 2026-11-01 10:00\n"
    )
    found = _read("# all_reduce_perf\n" + per_iteration + row)
    assert found.time_s.tolist() == pytest.approx([1e-3, 2e-3])
    assert found.wrong.tolist() == [False, True]


def test_places_that_were_not_measured_are_left_out() -> None:
    row = "    67108864  8388608  float  none  -1   1000.0   67.11   58.72      0      N/A     N/A     N/A    N/A\n"
    found = _read("# Collective test starting: alltoall_perf\n" + _devices(1, 8) + COLUMNS + row)
    assert found.in_place.tolist() == [False]
    assert found.collective == ("all-to-all",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: x\n", "run.log:1:1: is no log of nccl-tests"),
        ("[  5]  0.00-1.00  sec  11.2 GBytes  96.1 Gbits/sec\niperf Done.\n", "looks like one of iperf, which"),
        (" #bytes  #iterations  BW peak[MB/sec]  BW average[MB/sec]\n", "looks like one of perftest (ib_write_bw"),
        ("h:1:1 [0] NCCL INFO Bootstrap\n", "NCCL itself (NCCL_DEBUG), without the table of a test"),
        (_devices(1, 8), "run.log:13:1: ends before the first measured row; the log is cut"),
        (_devices(1, 8) + "h: Test NCCL failure common.cu:958 'unhandled system error'\n",
         "run.log:13:1: the run failed before its first row: Test NCCL failure common.cu:958"),
        (COLUMNS + FOUR_ROWS[:80], "run.log:4:75: the row has 8 of 13 columns: the log is cut here"),
        ("# all_reduce_perf\n" + COLUMNS.replace("(us)", "(ms)") + FOUR_ROWS, "run.log:4:1: unit (ms) is not one"),
        (COLUMNS + FOUR_ROWS.replace("20079", "20.079"), "run.log:5:1: 1073741824 B in 20.079 us are 53475"),
        ("# all_reduce_perf\n" + _devices(1, 4) + COLUMNS + FOUR_ROWS, "run.log:13:1: busbw 93.46 GB/s"),
        (FOUR_ROWS, "run.log:1:1: is no log"),
        ("# Using devices\n" + FOUR_ROWS, "run.log:2:1: a measured row stands before any header"),
        ("# hypercube_perf\n# Using devices\n" + COLUMNS + FOUR_ROWS, "run.log:1:1: hypercube_perf measures no"),
        (COLUMNS + FOUR_ROWS.replace("10052", "-"), "run.log:4:1: '-' stands where a time"),
        (COLUMNS + FOUR_ROWS.replace("sum", "none"), "nothing says which collective ran"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        _read(text)
    assert said in str(caught.value)


OSU = """\
$ mpirun -np 192 ./osu_allgather -d cuda -f

# OSU MPI-CUDA Allgather Latency Test v7.3
# Datatype: MPI_CHAR.
# Size       Avg Latency(us)   Min Latency(us)   Max Latency(us)  Iterations
1                      53.34             24.80            158.96        1000
1024                   100.00            24.05            134.61        1000
"""


def test_osu_sizes_of_all_gather_are_those_to_one_peer() -> None:
    found = _read(OSU)
    assert found.runs[0].tool == "osu"
    assert found.nbytes.tolist() == [192, 192 * 1024]
    assert found.time_s.tolist() == pytest.approx([53.34e-6, 100e-6])
    assert found.busbw_bytes_per_s[1] == pytest.approx(191 * 1024 / 100e-6)


def test_osu_all_reduce_sizes_are_buffers_and_ranks_may_be_given() -> None:
    text = "# OSU MPI Allreduce Latency Test v5.3\n# Size       Avg Latency(us)\n1048576             2600.5\n"
    found = measurements_from("a.txt", text.encode(), ranks=64)
    assert found.nbytes.tolist() == [1048576]
    assert found.ranks.tolist() == [64]
    with pytest.raises(InputError, match=r"a\.txt:1:1: OSU benchmarks do not print how many ranks ran"):
        measurements_from("a.txt", text.encode())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "# OSU MPI Bandwidth Test v7.3\n# Size      Bandwidth (MB/s)\n1 3.2\n",
            "run.log:1:1: 'OSU MPI Bandwidth Test v7.3'",
        ),
        (OSU.replace("Latency(us)", "Latency(ms)"), "run.log:5:1: the unit is ms, not us"),
        (OSU.replace("100.00            24.05            134.61        1000", ""), "run.log:7:1: '1024' is no row"),
        (OSU[:180], "ends before the first measured row"),
        (OSU.replace("100.00", "0.00"), "run.log:7:1: latency 0.00 is not above 0"),
    ],
)
def test_osu_mistakes(text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        _read(text)
    assert said in str(caught.value)


def test_published_points_are_read(tmp_path: Path) -> None:
    one = read_measurements(str(DATA / "one-host.csv"))
    assert len(one) == 188
    best = {run.label: one.busbw_bytes_per_s[one.run == at].max() for at, run in enumerate(one.runs)}
    assert any("H100" in label and value == pytest.approx(478.87e9) for label, value in best.items())
    packed = tmp_path / "many.csv.gz"
    packed.write_bytes(gzip.compress((DATA / "multi-host.csv").read_bytes()))
    both = read_measurements([str(DATA / "one-host.csv"), str(packed)])
    assert len(both) == 188 + 1182
    assert both.runs[both.run[-1]].file == str(packed)
    assert np.isfinite(both.time_s).all()
    assert (both.time_s > 0).all()


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("all_reduce,8,1024,,", "p.csv:2:1: neither time nor bandwidth is given"),
        ("all_reduce,1,1024,5,", "p.csv:2:1: ranks '1' is not a whole number from 2"),
        ("all_reduce,8,-4,5,", "p.csv:2:1: size_bytes '-4' is not a whole number from 1"),
        ("all_reduce,8,1024,0,", "p.csv:2:1: time_us '0' is not a number above 0"),
        ("all_reduce,16.5,1024,5,", "p.csv:2:1: ranks '16.5' is not a whole number from 2"),
        ("all_reduce,8,1073741824,0.0045,", "p.csv:2:1: 1073741824 B in 0.0045 us are 417,566,265 GB/s, more than any"),
        ("scan,8,1024,5,", "p.csv:2:1: collective 'scan' is unknown; known are all-reduce"),
    ],
)
def test_csv_mistakes(row: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        measurements_from("p.csv", f"collective,ranks,size_bytes,time_us,busbw_GBps\n{row}\n".encode())
    assert said in str(caught.value)


def test_missing_files_and_empty_directories_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.log: no such file or directory; give a log of nccl-tests"):
        read_measurements(str(tmp_path / "nothing.log"))
    with pytest.raises(InputError, match="holds no file; give a directory of logs"):
        read_measurements(str(tmp_path))
    with pytest.raises(InputError, match="no such file or directory"):
        read_measurements("x" * 300)

"""Was it us? CPU time of real threads, throttling out of sample texts and real files."""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tracedclient.host import (
    ThrottleCounter,
    own_stat_files,
    parse_throttled,
    sample_after,
    sample_before,
    stat_files,
)

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")

BURNED_NS = 20_000_000


def now():
    """A sample that is none of a moment ago."""
    return sample_after(0, time.perf_counter_ns())


def burn():
    end = time.thread_time_ns() + BURNED_NS
    while time.thread_time_ns() < end:
        pass


def test_a_thread_that_burns_shows_it():
    """Work done between two samples is in their difference."""
    before = now()
    burn()

    assert now().thread_cpu_ns - before.thread_cpu_ns >= BURNED_NS


def test_a_thread_that_waits_is_not_charged_for_the_others():
    """While another thread burns, the one that waits for it uses next to nothing."""
    worker = threading.Thread(target=burn)
    before = now()
    worker.start()
    worker.join()

    assert now().thread_cpu_ns - before.thread_cpu_ns < BURNED_NS / 2


def test_a_short_wait_is_not_said_to_be_throttled_or_not():
    """In less than 5 ms nobody was held back for long: the file is not read, and nothing is said."""
    assert sample_after(0, 4_999_999).throttled_us is None


def test_after_a_longer_wait_the_file_is_read():
    """From 5 ms on, the second sample is as any other."""
    found = sample_after(0, 5_000_000).throttled_us

    assert (found is None) == (now().throttled_us is None)


@pytest.mark.parametrize("elapsed_ns", [0, 10**9])
def test_the_threads_own_time_is_taken_however_short_the_wait(elapsed_ns):
    """The CPU time is that of now in any case."""
    before = now()
    burn()

    after = sample_after(0, elapsed_ns)

    assert after.thread_cpu_ns - before.thread_cpu_ns >= BURNED_NS


def test_the_threads_own_time_is_taken_however_late_the_file_was_read():
    """Two beginnings within 1 ms have one reading of the file, and each its own CPU time."""
    first = sample_before(0)
    burn()
    second = sample_before(999_999)

    assert second.thread_cpu_ns - first.thread_cpu_ns >= BURNED_NS
    assert second.throttled_us == first.throttled_us


@linux_only
def test_the_real_throttled_time_is_read():
    """Where this machine tells the throttled time of its own cgroup, the sample has it."""
    if not any(os.path.exists(path) for path in own_stat_files()):  # noqa: PTH110
        pytest.skip("this machine shows no cpu.stat")
    counter = ThrottleCounter(own_stat_files)
    first = counter.throttled_us()

    found = now().throttled_us

    assert (found is None) == (first is None)
    assert found is None or found >= first >= 0


# --- cpu.stat -------------------------------------------------------------------------------------

VERSION_2 = b"""\
usage_usec 2249046162
user_usec 1748238666
system_usec 500807496
nr_periods 181
nr_throttled 17
throttled_usec 1234567
nr_bursts 0
burst_usec 0
"""
VERSION_1 = b"""\
nr_periods 181
nr_throttled 17
throttled_time 1234567899
"""
WITHOUT_CONTROLLER = b"""\
usage_usec 2249046162
user_usec 1748238666
system_usec 500807496
"""


@pytest.mark.parametrize("stat", [VERSION_2, VERSION_1, b"throttled_usec 1234567\n"])
def test_both_versions_are_microseconds(stat):
    """Version 1 of cgroups counts nanoseconds, version 2 microseconds; the sample has the one."""
    assert parse_throttled(stat) == 1_234_567


@pytest.mark.parametrize(
    "stat",
    [
        b"",
        WITHOUT_CONTROLLER,
        b"throttled_usec x\n",
        b"throttled_usec 1",
        b"not_throttled_usec 1\n",
    ],
)
def test_other_text_tells_nothing(stat):
    """A file without the figure, cut off or of another kind, is None rather than 0."""
    assert parse_throttled(stat) is None


# --- where it stands ------------------------------------------------------------------------------

UNIFIED = """\
22 27 0:21 / /sys rw,nosuid shared:7 - sysfs sysfs rw
30 22 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate
"""
HYBRID = """\
31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
35 31 0:32 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:1 - cgroup cgroup rw,cpu,cpuacct
41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
"""


def names(*directories):
    return [f"{d}/{name}" for d in directories for name in ("cpu.stat.local", "cpu.stat")]


def test_a_container_is_the_root_of_what_it_sees():
    """In a cgroup namespace of its own, the process's cgroup is the mount itself."""
    assert stat_files("0::/\n", UNIFIED) == names("/sys/fs/cgroup")


def test_without_the_controller_the_parent_counts():
    """A nested cgroup comes first, then those around it, and none outside of the mount."""
    assert stat_files("0::/app.slice/app.service\n", UNIFIED) == names(
        "/sys/fs/cgroup/app.slice/app.service", "/sys/fs/cgroup/app.slice", "/sys/fs/cgroup"
    )


def test_version_1_goes_first_where_it_has_the_controller():
    """With both versions mounted, the one that limits the CPU is asked."""
    cgroup = "5:cpuset:/\n3:cpu,cpuacct:/web\n0::/elsewhere\n"

    assert stat_files(cgroup, HYBRID) == names(
        "/sys/fs/cgroup/cpu,cpuacct/web", "/sys/fs/cgroup/cpu,cpuacct"
    )


def test_a_mount_of_a_part_shows_only_that_part():
    """Docker on version 1 mounts the container's own cgroup as if it were the root."""
    cgroup = "4:cpu,cpuacct:/docker/0a1b\n"
    inside = HYBRID.replace("0:29 / ", "0:29 /docker/0a1b ")
    another = HYBRID.replace("0:29 / ", "0:29 /docker/0a ")

    assert stat_files(cgroup, inside) == names("/sys/fs/cgroup/cpu,cpuacct")
    assert stat_files(cgroup, another) == []


def test_a_name_with_a_backslash_is_found():
    """systemd escapes names with backslashes, and mountinfo escapes those once more."""
    mountinfo = UNIFIED.replace("0:26 / ", "0:26 /system-a\\134x2db.slice ")

    assert stat_files("0::/system-a\\x2db.slice/web\n", mountinfo) == names(
        "/sys/fs/cgroup/web", "/sys/fs/cgroup"
    )


@pytest.mark.parametrize(
    ("cgroup", "mountinfo"),
    [
        ("", UNIFIED),
        ("0::/web\n", ""),
        ("0::/web\n", "22 27 0:21 / /sys rw - sysfs sysfs rw\n"),
        ("0::/../../web\n", UNIFIED),
        ("nonsense\n", UNIFIED),
    ],
)
def test_what_is_out_of_sight_is_nowhere(cgroup, mountinfo):
    """No cgroup, no mount, or a cgroup outside of the namespace: no file, and no guess."""
    assert stat_files(cgroup, mountinfo) == []


# --- reading it -----------------------------------------------------------------------------------


@pytest.fixture
def stat(tmp_path):
    path = tmp_path / "cpu.stat"
    path.write_bytes(VERSION_2)
    return path


def test_every_reading_is_fresh(stat):
    """The file is opened once and read anew each time."""
    counter = ThrottleCounter(lambda: [str(stat)])
    assert counter.throttled_us() == 1_234_567

    stat.write_bytes(b"throttled_usec 1234999\n")

    assert counter.throttled_us() == 1_234_999


MS = 1_000_000


def test_a_figure_at_rest_is_read_once_in_a_millisecond(stat):
    """As long as nothing was held back, what was read less than 1 ms ago is as good."""
    counter = ThrottleCounter(lambda: [str(stat)])
    assert [counter.lately_us(at) for at in (5 * MS, 6 * MS, 7 * MS)] == [1_234_567] * 3

    stat.write_bytes(b"throttled_usec 1234999\n")

    assert counter.lately_us(8 * MS - 1) == 1_234_567
    assert counter.lately_us(8 * MS) == 1_234_999


def test_what_was_read_at_the_end_stands_at_the_next_beginning(stat):
    """A reading for now is one that the next millisecond may have too."""
    counter = ThrottleCounter(lambda: [str(stat)])
    assert [counter.now_us(at) for at in (5 * MS, 5 * MS + 1)] == [1_234_567] * 2

    stat.write_bytes(b"throttled_usec 1234999\n")

    assert counter.lately_us(6 * MS) == 1_234_567
    assert counter.now_us(6 * MS) == counter.lately_us(6 * MS) == 1_234_999


def test_a_reading_later_than_now_counts_for_nothing(stat):
    """A clock that was set back, as by a process that is restored, makes no reading last longer."""
    counter = ThrottleCounter(lambda: [str(stat)])
    counter.lately_us(9 * MS)
    stat.write_bytes(b"throttled_usec 1234999\n")

    assert counter.lately_us(8 * MS) == 1_234_999


def test_a_figure_that_grows_is_read_every_time(stat):
    """Once the process was held back, no reading stands for a later one any more."""
    counter = ThrottleCounter(lambda: [str(stat)])
    for at, figure in ((0, 1), (MS, 2), (MS, 3), (MS + 1, 4), (9 * MS, 4), (9 * MS, 5)):
        stat.write_bytes(b"throttled_usec %d\n" % figure)
        assert counter.lately_us(at) == figure


def test_nothing_to_read_is_none_at_any_time(stat, tmp_path):
    """Without a file, or after it has failed, a reading is None however long ago the last one was."""
    missing = ThrottleCounter(lambda: [str(tmp_path / "missing")])
    assert [missing.lately_us(at) for at in (0, 1, 9 * MS)] == [None] * 3
    counter = ThrottleCounter(lambda: [str(stat)])
    assert counter.lately_us(0) == 1_234_567

    stat.write_bytes(b"")

    assert [counter.lately_us(at) for at in (MS, MS, 9 * MS)] == [None] * 3


def test_the_first_file_that_tells_is_taken(stat, tmp_path):
    """One that is missing, empty or without the figure is passed over."""
    silent = tmp_path / "silent"
    silent.write_bytes(WITHOUT_CONTROLLER)
    paths = [str(tmp_path / "missing"), str(tmp_path), str(silent), str(stat)]

    assert ThrottleCounter(lambda: paths).throttled_us() == 1_234_567


def test_what_cannot_be_read_is_asked_once(tmp_path):
    """Nothing found is None for ever, at no further cost."""
    searches = []

    def find():
        searches.append(1)
        return [str(tmp_path / "cpu.stat")]

    counter = ThrottleCounter(find)
    assert counter.throttled_us() is None
    (tmp_path / "cpu.stat").write_bytes(VERSION_2)

    assert counter.throttled_us() is None
    assert len(searches) == 1


def test_a_file_that_stops_telling_is_given_up(stat):
    """Once it has failed it is None for ever, even if it comes back."""
    counter = ThrottleCounter(lambda: [str(stat)])
    assert counter.throttled_us() is not None

    stat.write_bytes(WITHOUT_CONTROLLER)
    assert counter.throttled_us() is None
    stat.write_bytes(VERSION_2)

    assert counter.throttled_us() is None


def test_a_descriptor_taken_by_others_does_no_harm(stat):
    """A daemon that closes every descriptor may get the number again: nothing is read from it."""
    counter = ThrottleCounter(lambda: [str(stat)])
    assert counter.throttled_us() is not None
    reading, writing = os.pipe()
    os.write(writing, b"theirs")
    os.dup2(reading, counter._kept["descriptor"])

    assert counter.throttled_us() is None
    assert os.read(reading, 100) == b"theirs"
    os.close(reading)
    os.close(writing)


@linux_only
def test_a_counter_closes_its_file(stat, open_descriptors):
    """One file stays open as long as the counter is there, however many threads began with it."""
    before = open_descriptors()
    together = threading.Barrier(4)
    counter = ThrottleCounter(lambda: [str(stat)] if together.wait(5) >= 0 else [])
    with ThreadPoolExecutor(4) as threads:
        asking = [threads.submit(counter.throttled_us) for _ in range(4)]

        assert [asked.result() for asked in asking] == [1_234_567] * 4
    assert open_descriptors() == before + 1
    del counter, asking
    gc.collect()
    assert open_descriptors() == before


@linux_only
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_reads_on(stat):
    """After a fork both processes read their figure, whoever reads first."""
    counter = ThrottleCounter(lambda: [str(stat)])
    counter.throttled_us()
    child = os.fork()
    if child == 0:
        os._exit(0 if [counter.throttled_us() for _ in range(2)] == [1_234_567] * 2 else 1)

    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert counter.throttled_us() == 1_234_567

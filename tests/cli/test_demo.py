import logging
import os
import re
import signal
import subprocess
import sys
import threading

import pytest

from tracedclient.cli import main
from tracedclient.cli.terminal import escape

SCENES = [
    "An ordinary request",
    "Over TLS",
    "A slow server",
    "A server that fails twice",
    "A redirect",
    "A name that does not exist",
]


def demo(*args, code=None, **kwargs):
    how = ["-c", code] if code else ["-m", "tracedclient"]
    command = [sys.executable, "-W", "error", *how, "demo", *args]
    return subprocess.run(
        command, check=False, capture_output=True, text=True, encoding="utf-8", timeout=50, **kwargs
    )


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """Where the demo that was played made its temporary directory."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def played(directory):
    """The demo, played once, as a user would."""
    return demo(env={**os.environ, "PYTHONIOENCODING": "utf-8", "TMPDIR": str(directory)})


def test_the_demo_goes_well(played):
    """With nothing else running, everything goes as intended: exit code 0, nothing on stderr."""
    assert (played.returncode, played.stderr) == (0, "")
    assert "NOT AS INTENDED" not in played.stdout


@pytest.mark.parametrize("scene", SCENES)
def test_every_scene_is_shown(played, scene):
    """Each thing that can happen to a request has a heading and a waterfall below it."""
    section = re.split(r"^(?=\d|What)", played.stdout, flags=re.MULTILINE)
    shown = next(part for part in section if scene in part.splitlines()[0])
    assert "#1 GET" in shown
    assert "trace " in shown


def test_the_flag_is_flipped_while_the_client_runs(played):
    """Before, and after, requests leave no trace; in between the client notices by itself."""
    words = " ".join(played.stdout.split())
    assert words.count("lines of the application in app.log, and no trace.") == 2
    assert len(re.findall(r"The client saw it after \d+ ms", played.stdout)) == 2


def test_the_log_tells_the_story_of_one_trace_id(played):
    """grep for one id finds the application's lines and the trace."""
    _, _, found = played.stdout.partition("$ grep ")
    assert "3 lines." in found
    assert '"attempt_count": 3' in found
    assert '"verdict_culprit": "none"' in found


def test_the_demo_fits_80_columns(played):
    """Where there is no terminal, no line but a command to be copied is longer than 80."""
    longer = [line for line in played.stdout.splitlines() if len(line) > 80]
    assert longer == []


def test_the_demo_is_plain_text_in_a_pipe(played):
    """No colour, no control characters where the output is no terminal."""
    assert escape(played.stdout.replace("\n", "")) == played.stdout.replace("\n", "")


def test_the_demo_leaves_nothing_behind(played, directory):
    """The directory that it names at the end is gone."""
    assert f"The files were in {directory}" in " ".join(played.stdout.split())
    assert list(directory.iterdir()) == []


def test_keep_leaves_the_files(tmp_path):
    """With --keep the flag and the log can be looked at afterwards."""
    done = demo("--keep", "--color", "always", env={**os.environ, "TMPDIR": str(tmp_path)})
    (kept,) = tmp_path.iterdir()
    assert {path.name for path in kept.iterdir()} == {"app.log", "ca.pem", "flag.json"}
    assert (kept / "flag.json").read_text() == "false\n"
    assert "\x1b[1m1. The flag is off" in done.stdout


def test_ctrl_c_ends_the_demo_and_cleans_up(tmp_path):
    """Ctrl-C in the middle: exit code 130, no traceback, no temporary directory left."""
    with subprocess.Popen(
        [sys.executable, "-m", "tracedclient", "demo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "TMPDIR": str(tmp_path)},
    ) as process:
        for line in process.stdout:
            if b"#1 GET 200" in line:
                break
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (130, b"")
    assert list(tmp_path.iterdir()) == []


def test_what_does_not_go_as_intended_is_named(resolver, capsys):
    """On a machine where the name that cannot exist does exist, the demo says so: exit code 1."""
    resolver["nowhere.invalid"] = ["127.0.0.1"]
    assert main(["demo"]) == 1
    words = " ".join(capsys.readouterr().out.split())
    assert "NOT AS INTENDED: A name that does not exist" in words
    assert "it should have been requests.ConnectionError in the phase dns" in words


def test_without_trustme_the_https_part_is_left_out():
    """Without the extra the rest is shown, and how to install it is said; exit code 0."""
    code = (
        "import sys; sys.modules['trustme'] = None;"
        "from tracedclient.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    done = demo(code=code)
    assert done.returncode == 0
    assert "pip install 'tracedclient[demo]'" in done.stdout
    assert "https://localhost" not in done.stdout


def test_the_demo_ends_its_threads_and_files(capsys, open_descriptors):
    """Played inside of a process, it leaves no thread, no open file and its loggers as they were."""
    loggers = [logging.getLogger(name) for name in ("tracedclient", "tracedclient.trace")]
    logged = [(logger.level, logger.propagate, logger.handlers[:]) for logger in loggers]
    main(["demo", "--color", "never"])
    capsys.readouterr()
    before, threads = open_descriptors(), set(threading.enumerate())
    main(["demo", "--color", "never"])
    assert open_descriptors() == before
    assert set(threading.enumerate()) <= threads
    assert [(logger.level, logger.propagate, logger.handlers) for logger in loggers] == logged

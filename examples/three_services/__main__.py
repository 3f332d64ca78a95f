"""Start the three services, have them do an order without and with the debug flag, show its trace.

python examples/three_services [--directory DIR] [--stay] [--zipkin URL]
"""

from __future__ import annotations

import argparse
import shlex
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from processes import HERE, SERVICES, Failed, Town, run, running

_FLAG_ON = ("flag", "on", "--file", "flag.json", "--for", "10m", "--reason", "three services")


def main() -> int:
    """Run the example; return its exit code."""
    options = _parser().parse_args()
    directory = options.directory or Path(tempfile.mkdtemp(prefix="three_services-"))
    # Who ends this ends the services too.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        with running(directory.absolute(), zipkin=options.zipkin) as town:
            _show(town, stay=options.stay)
    except KeyboardInterrupt:
        print("\nended, and the three services with it")
        return 130
    except Failed as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("three_services", description=__doc__)
    add = parser.add_argument
    add(
        "--directory",
        type=Path,
        metavar="DIR",
        help="for logs, flag and queue (default: a new one)",
    )
    add("--zipkin", metavar="URL", help="where to send spans, such as http://127.0.0.1:9411")
    add("--stay", action="store_true", help="leave the services running until Ctrl-C")
    return parser


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _show(town: Town, *, stay: bool) -> None:
    where = {name: town.environment.get(name.upper(), "takes jobs") for name in SERVICES}
    _say("".join(f"{name:<8}{url}\n" for name, url in where.items()).rstrip())
    _say(f"$ cd {town.directory}")
    _heading("An order, with the debug flag off")
    _show_logs(town, _order(town))
    _heading("The flag, flipped: one file for all of them")
    _say(f"$ tracedclient {shlex.join(_FLAG_ON)}")
    _tracedclient(town, *_FLAG_ON)
    town.wait_for(_is_of_the_flag, *SERVICES)
    _say("\nall three have seen it; their calls are traced from now on")
    _heading("The same order again")
    _show_logs(town, _order(town))
    if stay:
        _say("\nrunning on, until Ctrl-C")
        signal.pause()


def _order(town: Town) -> str:
    """Have a lamp ordered and packed; return the trace id of that."""
    trace_id = run(town, str(HERE / "customer.py")).strip()
    town.wait_for(
        lambda line: line["event"] == "packed" and line.get("trace_id") == trace_id, "worker"
    )
    return trace_id


def _is_of_the_flag(line: dict[str, object]) -> bool:
    return line["logger"] == "tracedclient.debug" and ": on until" in str(line["event"])


def _show_logs(town: Town, trace_id: str) -> None:
    logs = sorted(str(log.relative_to(town.directory)) for log in town.directory.glob("logs/*.log"))
    _say(f"$ tracedclient logs {trace_id} logs/*")
    # A pager would stop what goes on behind it.
    _tracedclient(town, "logs", trace_id, *logs, "--no-pager")


def _tracedclient(town: Town, *arguments: str) -> None:
    command = [sys.executable, "-m", "tracedclient", *arguments]
    subprocess.run(command, cwd=town.directory, env=town.environment, check=True)


def _heading(text: str) -> None:
    _say(f"\n── {text} {'─' * (74 - len(text))}\n")


def _say(text: str) -> None:
    # What the commands print is not to come before it.
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())

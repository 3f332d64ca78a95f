"""``tracedclient demo``: the main job in one command, with nothing else running.

Real servers on loopback, one client, a flag in a file, and the application's own JSON log. Exit
codes: 0 all went as intended, 1 something did not (and is named).
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import requests

from tracedclient.cli.demo_log import AppLog, app_log, is_trace
from tracedclient.cli.demo_scenes import scenes
from tracedclient.cli.demo_screen import Screen
from tracedclient.cli.demo_servers import Servers, running_servers
from tracedclient.cli.page import RED, Page
from tracedclient.cli.terminal import Style, add_color_argument, width_of
from tracedclient.client import HTTPClient
from tracedclient.debug import FileSource, FlagUpdater
from tracedclient.timeout import Timeout
from tracedclient.trace.ids import new_trace_id

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from tracedclient.cli.demo_scenes import Scene
    from tracedclient.debug import FlagStatus
    from tracedclient.trace.model import TraceResult

_MAX_WIDTH = 100
_POLL_SECONDS = 0.1
_PATIENCE_SECONDS = 5.0
_EXTRA = "pip install 'tracedclient[demo]'"


def configure(parser: argparse.ArgumentParser) -> None:
    """Give ``parser`` the arguments of ``demo``."""
    parser.add_argument("--keep", action="store_true", help="leave the flag and the log behind")
    add_color_argument(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Play the demo; return the exit code."""
    width = min(width_of(sys.stdout), _MAX_WIDTH)
    screen = Screen(Page(width, Style.detect(sys.stdout, options.color)))
    with ExitStack() as stack:
        directory = Path(stack.enter_context(_directory(keep=options.keep)))
        flag = _FlagFile(directory / "flag.json")
        flag.write(on=False)
        log = stack.enter_context(app_log(directory / "app.log"))
        servers = stack.enter_context(running_servers(directory))
        client = stack.enter_context(_client(servers, flag))
        demo = _Demo(screen, client, servers, log, flag)
        demo.play()
    _end(screen, directory, demo.problems, keep=options.keep)
    return 1 if demo.problems else 0


def _client(servers: Servers, flag: _FlagFile) -> HTTPClient:
    return HTTPClient(
        service="demo",
        debug=FlagUpdater(FileSource(flag.path), interval=_POLL_SECONDS),
        timeout=Timeout(connect=1, read=2, total=5),
        verify=servers.ca_file or True,
        # What proxies this machine has must not come between the demo and its own servers.
        trust_env=False,
    )


@contextmanager
def _directory(*, keep: bool) -> Iterator[str]:
    if keep:
        yield tempfile.mkdtemp(prefix="tracedclient-demo-")
        return
    with tempfile.TemporaryDirectory(prefix="tracedclient-demo-") as name:
        yield name


def _end(screen: Screen, directory: Path, problems: list[str], *, keep: bool) -> None:
    screen.heading("What next")
    gone = "" if keep else "; they are gone now, --keep keeps them"
    screen.say(f"The files were in {directory}{gone}.")
    screen.say("tracedclient stat https://example.org shows a request of your own like this.")
    screen.say("The README says how a service uses the client.")
    if problems:
        screen.say(f"NOT AS INTENDED: {'; '.join(problems)}", RED)


class _FlagFile(NamedTuple):
    path: Path

    def write(self, *, on: bool) -> None:
        """Publish the flag in one step: half a document is no document."""
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(on) + "\n", "utf-8")
        fresh.replace(self.path)


class _Demo:
    """The acts, in their order; ``problems`` names what did not go as intended."""

    def __init__(
        self, screen: Screen, client: HTTPClient, servers: Servers, log: AppLog, flag: _FlagFile
    ) -> None:
        self.problems: list[str] = []
        self._screen = screen
        self._client = client
        self._servers = servers
        self._log = log
        self._flag = flag
        self._ids: dict[str, str] = {}

    def play(self) -> None:
        """Play them all."""
        self._screen.say("One client, its flag, its log, and a few servers, all on this machine.")
        self._with_the_flag_off()
        self._switch(on=True)
        self._with_the_flag_on()
        self._switch(on=False)
        self._off_again()
        self._the_log()

    # --- the acts -----------------------------------------------------------------------------

    def _with_the_flag_off(self) -> None:
        self._screen.heading("1. The flag is off: requests work, nothing is traced")
        self._screen.command("$ cat flag.json")
        self._screen.say(self._flag.path.read_text("utf-8").strip())
        self._untraced(3, traces=0)

    def _switch(self, *, on: bool) -> None:
        word = "on" if on else "off"
        self._screen.heading(f"{2 if on else 4}. The flag is switched {word}, in a running process")
        self._screen.command(f"$ echo {json.dumps(on)} > flag.json")
        took = self._flip(on=on)
        if took is None:
            self._fail(f"the client did not see within {_PATIENCE_SECONDS} s that debug is {word}")
        else:
            self._screen.say(f"The client saw it after {took * 1000:.0f} ms.")

    def _with_the_flag_on(self) -> None:
        played = scenes(self._servers)
        for number, scene in enumerate(played, 1):
            self._screen.heading(f"3.{number} {scene.title}")
            self._play(scene)
        if self._servers.https is None:
            self._screen.heading(f"3.{len(played) + 1} Over TLS: left out")
            self._screen.say(f"It needs a throw-away certificate authority: {_EXTRA}")

    def _off_again(self) -> None:
        self._untraced(2, traces=self._log.count().traces)

    def _the_log(self) -> None:
        screen, trace_id = self._screen, self._ids[self._servers.flaky]
        screen.heading("5. The log: one JSON object per line, the application's and the client's")
        found = self._log.grep(trace_id)
        screen.command(f"$ grep {trace_id} app.log")
        for line in found:
            screen.excerpt(line)
        screen.say(f"{len(found)} lines. The trace among them, broken between its fields:")
        print()
        for line in filter(is_trace, found):
            screen.record(line)

    # --- their parts --------------------------------------------------------------------------

    def _untraced(self, times: int, *, traces: int) -> None:
        """Call the plain server; the log must then hold so many traces."""
        before = self._log.count()
        for _ in range(times):
            trace_id = new_trace_id()
            status = self._client.get(self._servers.by_address, trace_id=trace_id).status_code
            self._log.write("order.done", trace_id, status=status)
        after = self._log.count()
        self._screen.say(
            f"{times} requests were answered. They left {after.application - before.application} "
            f"lines of the application in app.log, and {after.traces - before.traces or 'no'} trace."
        )
        if after.traces != traces:
            self._fail(f"with the flag off, the log got {after.traces - traces} traces")

    def _flip(self, *, on: bool) -> float | None:
        """Publish the flag; return the seconds until the client knew, ``None`` if it did not."""
        seen = threading.Event()

        def notice(status: FlagStatus) -> None:
            if status.on is on:
                seen.set()

        forget = self._client.debug.subscribe(notice)
        began = time.perf_counter()
        self._flag.write(on=on)
        known = seen.wait(_PATIENCE_SECONDS)
        forget()
        return time.perf_counter() - began if known else None

    def _play(self, scene: Scene) -> None:
        trace_id = self._ids[scene.url] = new_trace_id()
        self._screen.command(f'client.get("{scene.url}", trace_id="{trace_id[:8]}...")')
        print()
        self._log.write("order.requested", trace_id, title=scene.title)
        trace = self._call(scene.url, trace_id)
        self._log.write("order.done", trace_id, outcome=trace.outcome if trace else None)
        if trace is not None:
            self._screen.waterfall(trace)
        if trace is None or not scene.as_intended(trace):
            self._fail(f"{scene.title}: it should have been {scene.intended}")

    def _call(self, url: str, trace_id: str) -> TraceResult | None:
        try:
            return self._client.get(url, trace_id=trace_id).trace
        except requests.RequestException as error:
            return getattr(error, "trace", None)

    def _fail(self, problem: str) -> None:
        self.problems.append(problem)
        self._screen.say(f"NOT AS INTENDED: {problem}", RED)

"""Processes forked from one that follows a flag: multiprocessing, gunicorn --preload."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
import warnings

import pytest
import requests

from sources.process import free_port
from tracedclient import HTTPClient


def fork(work):
    """Run ``work`` in a child; return its pid. Its exit status is 0 when ``work`` returned."""
    with warnings.catch_warnings():
        # A fork with threads around is what this is about.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException:  # noqa: BLE001 - it ends here, told or not
            traceback.print_exc(file=sys.__stderr__)
        finally:
            os._exit(status)
    return pid


def own_sockets():
    found = (os.path.join("/proc/self/fd", fd) for fd in os.listdir("/proc/self/fd"))  # noqa: PTH118, PTH208
    links = {os.readlink(path) for path in found if os.path.lexists(path)}  # noqa: PTH115
    return {link for link in links if link.startswith("socket:")}


def test_child_sees_the_next_flip(shared_rig, follow, eventually):
    """A forked child sees the next flip by a thread and sockets of its own, and so does its parent;
    neither takes anything from the other."""
    rig = shared_rig
    rig.publish(b"false")
    flag, _ = follow(rig)
    assert flag.wait_ready(10)
    flag.is_on()
    ready, told = os.pipe()
    has_sockets = flag.name.startswith("http")

    def child():
        inherited = own_sockets()
        assert threading.active_count() == 1
        assert flag.wait_ready(0)
        assert not flag.is_on()
        assert f"tracedclient-{flag.name}" in [thread.name for thread in threading.enumerate()]
        os.write(told, b"x")
        eventually(flag.is_on)
        assert own_sockets() - inherited or not has_sockets
        flag.close()

    pid = fork(child)
    os.close(told)
    assert os.read(ready, 1) == b"x", "the child has failed"
    rig.publish(b"true")
    eventually(flag.is_on)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    rig.publish(b"false")
    eventually(lambda: not flag.is_on())
    os.close(ready)


class Service:
    """gunicorn --preload with four workers, whose only page tells a worker's number and flag."""

    def __init__(self, rig, port, log):
        self.rig, self.port, self.log = rig, port, log

    def run(self):
        from gunicorn.app.base import BaseApplication

        service = self

        class Application(BaseApplication):
            def load_config(self):
                self.cfg.set("bind", f"127.0.0.1:{service.port}")
                self.cfg.set("workers", 4)
                self.cfg.set("preload_app", True)
                self.cfg.set("errorlog", str(service.log))
                self.cfg.set("control_socket_disable", True)

            def load(self):
                return service.application()

        os.setsid()
        Application().run()

    def application(self):
        client = HTTPClient(debug=self.rig.source())
        # In the master: its thread does not live in the workers.
        client.debug.wait_ready(10)

        def page(environ, start_response):
            on = client.debug.is_on()
            # Long enough for the other workers to take the other connections.
            time.sleep(0.01)
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [f"{os.getpid()} {on} {client.debug.status().state}".encode()]

        return page


@pytest.fixture
def service(shared_rig, tmp_path, eventually):
    """A running ``Service``: a function that gives the number and flag of some worker."""
    shared_rig.publish(b"false")
    made = Service(shared_rig, free_port(), tmp_path / "gunicorn.log")
    pid = fork(made.run)
    url = f"http://127.0.0.1:{made.port}/"

    def worker():
        try:
            number, on, state = requests.get(url, timeout=5).text.split()
        except requests.ConnectionError:
            assert os.waitpid(pid, os.WNOHANG) == (0, 0), made.log.read_text()
            return None
        return number, on == "True", state

    try:
        eventually(lambda: worker() is not None)
        yield worker
    finally:
        os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


@pytest.mark.installed
def test_every_gunicorn_worker_sees_the_flip(shared_rig, service, eventually):
    """With gunicorn --preload, where the client is made before the workers are forked, all four
    workers see a flip on and a flip off."""
    seen = {}

    def all_workers(on):
        number, *rest = service()
        seen[number] = rest
        return len(seen) == 4 and all(each == [on, "READY"] for each in seen.values())

    eventually(lambda: all_workers(False))
    for on in (True, False):
        shared_rig.publish(b"true" if on else b"false")
        eventually(lambda on=on: all_workers(on))
    assert len(seen) == 4

"""nginx, with a directory of files, as Debian installs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sources.process import ServerProcess, free_port
from sources.rig import Rig
from tracedclient.debug import HTTPSource

if TYPE_CHECKING:
    from pathlib import Path

CONFIGURATION = """
daemon off;
master_process off;
pid {directory}/pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {directory}/tmp;
    proxy_temp_path {directory}/tmp;
    fastcgi_temp_path {directory}/tmp;
    uwsgi_temp_path {directory}/tmp;
    scgi_temp_path {directory}/tmp;
    types {{ application/json json; }}
    gzip on;
    gzip_types application/json;
    gzip_min_length 1;
    server {{
        listen 127.0.0.1:{port};
        root {directory}/www;
    }}
}}
"""


class NginxRig(Rig):
    name = "http, nginx"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        (directory / "www").mkdir()
        self.port = free_port()
        configuration = directory / "nginx.conf"
        configuration.write_text(CONFIGURATION.format(directory=directory, port=self.port))
        self._process = ServerProcess(
            ["nginx", "-e", "stderr", "-p", str(directory), "-c", str(configuration)],
            port=self.port,
            directory=directory,
        )
        self._process.start()

    def source(self) -> HTTPSource:
        return HTTPSource(f"http://127.0.0.1:{self.port}/flag.json")

    def publish(self, body: bytes | None) -> None:
        path = self.directory / "www" / "flag.json"
        if body is None:
            path.unlink(missing_ok=True)
            return
        fresh = path.with_suffix(".fresh")
        fresh.write_bytes(body)
        fresh.replace(path)

    def stop(self) -> None:
        self._process.stop()

    def start(self) -> None:
        self._process.start()

    def hang(self) -> None:
        self._process.hang()

    def close(self) -> None:
        self._process.stop()

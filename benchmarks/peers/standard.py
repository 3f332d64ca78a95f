"""The standard library: http.client, which urllib3 stands on, and the floor, a socket."""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from benchmarks.client import Client, repeated
from benchmarks.job import CHUNK

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.job import Job

_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def connection(job: Job) -> Client:
    """One connection of http.client, opened anew when the server closed it."""
    opened = _connection(job)
    return Client(repeated(_request(opened, job)), opened.close)


def _connection(job: Job) -> http.client.HTTPConnection:
    if not job.ca_file:
        return http.client.HTTPConnection(job.host, job.port)
    context = ssl.create_default_context(cafile=job.ca_file)
    return http.client.HTTPSConnection(job.host, job.port, context=context)


def _request(opened: http.client.HTTPConnection, job: Job) -> Callable[[], int]:
    if job.upload:
        return _upload(opened, job)
    if job.stream:
        return _download(opened, job)
    if job.payload is not None:
        return _post(opened, job)
    return _get(opened, job)


def _get(opened: http.client.HTTPConnection, job: Job) -> Callable[[], int]:
    urls, headers = job.urls(), job.headers
    origin = len(job.url) - len(job.path)

    def request() -> int:
        opened.request("GET", next(urls)[origin:], headers=headers)
        return len(opened.getresponse().read())

    return request


def _post(opened: http.client.HTTPConnection, job: Job) -> Callable[[], int]:
    headers = {"Content-Type": "application/json"}

    def request() -> int:
        opened.request("POST", job.path, json.dumps(job.payload).encode(), headers)
        return len(opened.getresponse().read())

    return request


def _download(opened: http.client.HTTPConnection, job: Job) -> Callable[[], int]:
    def request() -> int:
        opened.request("GET", job.path)
        response = opened.getresponse()
        return sum(map(len, iter(lambda: response.read(CHUNK), b"")))

    return request


def _upload(opened: http.client.HTTPConnection, job: Job) -> Callable[[], int]:
    path = Path(job.upload or "")
    headers = {"Content-Length": str(path.stat().st_size)}

    def request() -> int:
        with path.open("rb") as body:
            opened.request("POST", job.path, body, headers)
            return len(opened.getresponse().read())

    return request


def raw_socket(job: Job) -> Client:
    """The floor: bytes out, bytes in, and of the answer only the length."""
    sock = socket.create_connection((job.host, job.port))
    return Client(repeated(_raw(sock, job)), sock.close)


def _raw(sock: socket.socket, job: Job) -> Callable[[], int]:
    start = f"{job.method} {urlsplit(job.url).path} HTTP/1.1\r\nHost: {job.netloc}\r\n".encode()

    def request() -> int:
        if job.payload is None:
            sock.sendall(start + b"\r\n")
        else:
            body = json.dumps(job.payload).encode()
            sock.sendall(b"%sContent-Length: %d\r\n\r\n%s" % (start, len(body), body))
        return _read(sock)

    return request


def _read(sock: socket.socket) -> int:
    received = b""
    while b"\r\n\r\n" not in received:
        received += _some(sock)
    head, _, body = received.partition(b"\r\n\r\n")
    length = _CONTENT_LENGTH.search(head)
    wanted, size = int(length[1]) if length else 0, len(body)
    while size < wanted:
        size += len(_some(sock))
    return size


def _some(sock: socket.socket) -> bytes:
    data = sock.recv(CHUNK)
    if not data:
        raise ConnectionError("the server closed the connection")
    return data

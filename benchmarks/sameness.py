"""Do all peers do the same work? What the server saw of a request, checked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from benchmarks import answers

if TYPE_CHECKING:
    from benchmarks.job import Job
    from benchmarks.scenarios import Scenario


def check_request(name: str, scenario: Scenario, job: Job, seen: dict[str, Any]) -> None:
    """Raise ``RuntimeError`` unless the last request that the server saw is the scenario's.

    ``seen`` is what our own server tells: the request's head and the start of its body.
    """
    start, headers = _parsed(seen["head"])
    wanted = {"host": urlsplit(job.url).netloc}
    wanted |= {key.lower(): value for key, value in job.headers.items()}
    if scenario.sent:
        wanted["content-length"] = str(scenario.sent)
    problems = [
        f"{key} is {headers.get(key)!r}, not {value!r}"
        for key, value in wanted.items()
        if headers.get(key) != value
    ]
    problems += [*_start_line(start, scenario, job), *_cookies(headers, job)]
    problems += _payload(seen["body"], job)
    if problems:
        raise RuntimeError(f"{name}: {scenario.name}: {'; '.join(problems)}")


def _parsed(head: str) -> tuple[str, dict[str, str]]:
    start, *lines = head.split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return start, {name.lower(): value.strip() for name, _, value in pairs}


def _start_line(start: str, scenario: Scenario, job: Job) -> list[str]:
    method, target, _ = start.split(" ")
    expected = job.url if scenario.proxy else job.path
    right = target.startswith(f"{expected}/") if job.fresh_urls else target == expected
    return [] if right and method == job.method else [f"the request is {start!r}"]


def _cookies(headers: dict[str, str], job: Job) -> list[str]:
    if not job.cookies:
        return [f"cookies were sent: {headers['cookie']}"] if "cookie" in headers else []
    names = {value.partition("=")[0] for _, value in answers.COOKIES}
    sent = {part.strip().partition("=")[0] for part in headers.get("cookie", "").split(";")}
    return [] if sent == names else [f"the cookies sent are {sorted(sent)}, not {sorted(names)}"]


def _payload(body: str, job: Job) -> list[str]:
    if job.payload is None or json.loads(body) == job.payload:
        return []
    return ["the JSON that was sent is another"]

"""One client, many threads: no trace and no answer is ever another's."""

from __future__ import annotations

import gc
import threading
from concurrent.futures import ThreadPoolExecutor

import servers


def test_no_two_traces_are_mixed(make_client, collected, start):
    """32 threads with 50 requests on one client: each trace has its own id, URL and status only."""
    server = start(servers.serve(servers.echo))
    client = make_client()

    def work(thread):
        for number in range(50):
            name = f"t{thread}-n{number}"
            status = 200 + (thread + number) % 3
            response = client.get(f"{server.url}/status/{status}?who={name}", trace_id=name)
            trace = response.trace
            assert trace.trace_id == name
            assert response.status_code == trace.http_response_status_code == status
            (exchange,) = trace.attempts[0].exchanges
            assert exchange.url == f"{server.url}/status/{status}?who=REDACTED"
            assert [event.event for event in exchange.events].count("got_conn") == 1

    with ThreadPoolExecutor(32) as pool:
        for done in [pool.submit(work, thread) for thread in range(32)]:
            done.result()

    assert len({result.trace_id for result in collected.results}) == 32 * 50
    assert len(server.requests) == 32 * 50
    sent = {request.headers.get("X-Trace-Id") for request in server.requests}
    assert sent == {result.trace_id for result in collected.results}


def test_a_body_read_in_another_thread_belongs_to_its_trace(client, collected, echo_server):
    """A streamed body may be read in another thread; its events go to the right trace."""
    response = client.get(f"{echo_server.url}/bytes/50000", trace_id="streamed", stream=True)
    client.get(echo_server.url, trace_id="other")

    reader = threading.Thread(target=lambda: response.content)
    reader.start()
    reader.join()

    streamed = next(r for r in collected.results if r.trace_id == "streamed")
    assert streamed.attempts[0].exchanges[0].bytes_received > 50000
    assert streamed.attempts[0].exchanges[0].body_complete is True


def test_nothing_is_left_behind(make_client, echo_server, open_descriptors):
    """Clients made, used and closed leave no descriptor open."""

    def use():
        with make_client() as client:
            client.get(echo_server.url)
            with client.get(f"{echo_server.url}/bytes/1000000", stream=True) as response:
                next(response.iter_content(10))

    use()
    gc.collect()
    echo_server.wait_until(lambda: echo_server.open_connections == 0)
    before = open_descriptors()
    for _ in range(20):
        use()
    gc.collect()
    echo_server.wait_until(lambda: echo_server.open_connections == 0)

    assert open_descriptors() == before

"""The company with our Zipkin reporter at its clients, and Zipkin's own library at its server."""

from __future__ import annotations

from contextlib import contextmanager

from py_zipkin import Encoding, Kind
from py_zipkin.request_helpers import extract_zipkin_attrs_from_headers
from py_zipkin.transport import SimpleHTTPTransport
from py_zipkin.zipkin import zipkin_span

from backends.company import company
from backends.installed import PATIENCE
from tracedclient.instruments.zipkin import ZipkinReporter
from tracedclient.propagation import Propagation

B3 = Propagation(formats=("b3",))
_B3_NAMES = ("b3", "X-B3-TraceId", "X-B3-SpanId", "X-B3-ParentSpanId", "X-B3-Sampled")


def py_zipkin(zipkin):
    """A middleware that makes server spans, by Zipkin's own library: it knows nothing of us."""
    transport = SimpleHTTPTransport("127.0.0.1", int(zipkin.url.rpartition(":")[2]))

    def around(app):
        def served(environ, start_response):
            named = {name.lower().replace("_", "-"): value for name, value in environ.items()}
            asked = {name: named.get(f"http-{name.lower()}") for name in _B3_NAMES}
            head = {name: value for name, value in asked.items() if value is not None}
            with zipkin_span(
                service_name="orders",
                span_name=f"get {environ['PATH_INFO']}",
                zipkin_attrs=extract_zipkin_attrs_from_headers(head),
                kind=Kind.SERVER,
                transport_handler=transport,
                encoding=Encoding.V2_JSON,
            ):
                return app(environ, start_response)

        return served

    return around


@contextmanager
def reporting(zipkin, propagation=B3, **options_of_company):
    """The company with our reporters; afterwards all has been sent."""
    with ZipkinReporter(zipkin.url, timeout=PATIENCE) as reporter:
        options = {"instruments": [reporter], "propagation": propagation}
        around = py_zipkin(zipkin)
        with company(options, options, around, **options_of_company) as found:
            yield found
        assert reporter.flush(PATIENCE)
        assert reporter.stats()[1:] == (0, 0, None)

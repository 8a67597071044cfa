"""A receiver of OTLP over HTTP, in the process of the test, that decodes what it gets."""

import gzip
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Received:
    """What came: spans, log records, resources, headers, and the bytes of it all."""

    def __init__(self):
        self.spans, self.logs, self.resources, self.headers, self.raw = [], [], [], [], b""

    def take(self, path, headers, body):
        self.raw += body
        self.headers.append(dict(headers))
        if path == "/v1/traces":
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                self.resources.append(attributes(resource.resource))
                self.spans += [span for scope in resource.scope_spans for span in scope.spans]
        elif path == "/v1/logs":
            for resource in ExportLogsServiceRequest.FromString(body).resource_logs:
                self.logs += [record for scope in resource.scope_logs for record in scope.log_records]

    def span(self, name):
        (found,) = [span for span in self.spans if span.name == name]
        return found

    def above(self, span):
        """The names from a span up to the run."""
        by_id = {one.span_id: one for one in self.spans}
        names = [span.name]
        while span.parent_span_id:
            span = by_id[span.parent_span_id]
            names.append(span.name)
        return names


def attributes(item):
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in item.attributes}


@contextmanager
def receiving(status=200):
    """Yields the endpoint and what comes there."""
    received, lock = Received(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            with lock:
                received.take(self.path, self.headers, body)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,)).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", received
    finally:
        server.shutdown()
        server.server_close()

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from tests.service.serving import Served

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
STEM = {"stems": ["bass"], "residual": "off", "midi": False, "analysis": False}


@pytest.fixture
def collector() -> Iterator[tuple[str, list[Span]]]:
    """Where spans are sent to; gives its address, and those that came."""
    spans: list[Span] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope in resource.scope_spans:
                    spans.extend(scope.spans)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", spans
        server.shutdown()
        thread.join()


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_request_is_followed_to_the_worker(
    tmp_path: Path,
    song: Path,
    collector: tuple[str, list[Span]],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    address, spans = collector
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
    with Served(tmp_path) as server:
        wish = {"upload_id": server.upload(song), "options": STEM}
        headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "X-Request-ID": "asked-1"}
        answer = server.client.post("/api/v1/jobs", json=wish, headers=headers)
        assert answer.headers["x-request-id"] == "asked-1"
        job_id = answer.json()["id"]
        assert list(server.watch(job_id))[-1]["state"] == "done"
        odd = {"X-Request-ID": 'a"b{"event": "forged"}'}
        assert (
            '"'
            not in server.client.get("/a%0D%0Ab?key=secret", headers=odd).headers["x-request-id"]
        )

    log = lines(capfd.readouterr().err)
    asked = [line for line in log if line.get("request_id") == "asked-1"]
    assert {line["trace_id"] for line in asked} == {TRACE}
    (request,) = [line for line in asked if line["event"] == "request"]
    assert (request["method"], request["path"], request["status"]) == ("POST", "/api/v1/jobs", 201)
    (begun,) = [line for line in asked if line["event"] == f"job {job_id} begins"]
    assert begun["job_id"] == job_id
    assert not any("secret" in str(line) or line["event"] == "forged" for line in log)

    ours = {span.name: span for span in spans if span.trace_id.hex() == TRACE}
    assert {"process", "decode", "separate", "judge", "export"} < set(ours)
    edge = next(span for span in ours.values() if span.parent_span_id.hex() == PARENT)
    assert ours["process"].parent_span_id == edge.span_id
    assert ours["separate"].parent_span_id == ours["process"].span_id
    assert ours["separate"].end_time_unix_nano > ours["separate"].start_time_unix_nano


def test_what_sends_spans_is_needed_only_where_they_are_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = (
        "import sys; sys.modules['opentelemetry.sdk.trace'] = None\n"
        "from unbraid.service.tracing import export_spans; export_spans()"
    )
    run = [sys.executable, "-c", script]
    subprocess.run(run, check=True)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    failed = subprocess.run(run, capture_output=True, text=True)
    assert "pip install 'unbraid[otel]'" in failed.stderr

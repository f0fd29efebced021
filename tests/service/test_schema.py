"""Requests made up from the API's own description: no answer is a fault or differs from it.

Not all that fits the description is accepted: options must also fit each other.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import schemathesis
from schemathesis.core.result import Ok
from schemathesis.openapi import from_url
from schemathesis.specs.openapi.checks import positive_data_acceptance
from tests.service.serving import DEADLINE_S, Served

EXAMPLES = 5
schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    data = tmp_path_factory.mktemp("data")
    with Served(data, "--workers", "0", MAX_QUEUED="100000") as server:
        server.client.post("/api/v1/uploads/demo")  # takes longer the first time
        yield server


@pytest.fixture(scope="module")
def job_id(server: Served, song: Path) -> str:
    """A job that nothing will happen to."""
    job_id = server.submit(song)
    server.client.post(f"/api/v1/jobs/{job_id}/cancel")
    return job_id


@pytest.mark.parametrize("examples", [20, pytest.param(500, marks=pytest.mark.slow)])
def test_answers_are_as_described(server: Served, job_id: str, examples: int) -> None:
    api = from_url(f"{server.address}/api/v1/openapi.json")
    for found in api.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()

        @hypothesis.settings(
            max_examples=examples,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(case=operation.as_strategy())
        def check(case: schemathesis.Case[Any]) -> None:
            if "job_id" in (case.path_parameters or {}) and case.method != "DELETE":
                case.path_parameters["job_id"] = job_id
            case.call_and_validate(excluded_checks=[positive_data_acceptance], timeout=DEADLINE_S)

        check()


def test_every_operation_describes_its_refusals(server: Served) -> None:
    document = server.client.get("/api/v1/openapi.json").json()
    for path, operations in document["paths"].items():
        for operation in operations.values():
            refusal = operation["responses"]["default"]["content"]["application/problem+json"]
            assert refusal["schema"]["$ref"].endswith("/Problem"), path
    assert "Problem" in document["components"]["schemas"]

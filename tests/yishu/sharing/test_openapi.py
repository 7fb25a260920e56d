"""Whatever is sent to the channels, they answer it, and never with a server error."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from yishu.sharing.server import create_app

CASES = 5
"""Cases an operation: bounded, since each is a real call with a real record in the use log."""


@pytest.mark.requirement("SEC-03")
def test_no_call_makes_a_server_error(office, house, engine):
    """With a living token, so that the calls get past the gate, and every one is on record."""
    from fastapi.testclient import TestClient  # noqa: PLC0415
    from sqlalchemy import text  # noqa: PLC0415

    _, token = office.opened(elements=["uscc", "name", "status"], format="verification")
    app = create_app(house)
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    operations = [result.ok() for result in schema.get_all_operations()]
    assert len(operations) >= 13
    client = TestClient(app, raise_server_exceptions=False)
    bounded = settings(
        max_examples=CASES, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    answered = []
    for operation in operations:

        @bounded
        @given(case=operation.as_strategy(), signed=st.booleans())
        def call(case, signed):
            headers = {"Authorization": f"Bearer {token}"} if signed else {}
            answer = case.call(session=client, headers=headers)
            answered.append(answer.status_code)
            assert answer.status_code < 500, (case.method, case.path, answer.text)

        call()
    assert {401, 403, 422} & set(answered)
    with engine.connect() as connection:
        served = connection.scalar(text("select count(*) from ledger.use_record"))
    assert served > 0

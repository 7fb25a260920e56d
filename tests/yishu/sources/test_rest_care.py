"""REST with care: signing in, tokens that end, waits that are asked for, and a rate."""

import base64
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pyarrow as pa
import pytest
from fastapi import Request
from fastapi.responses import JSONResponse, Response

from catalog.model import RestSpec, SourceSpec
from catalog.vocabulary import SystemKind
from yishu.sources import (
    Connection,
    SourceMisdescribed,
    SourceRefused,
    SourceUnreachable,
)
from yishu.sources.rest import RestSource

FOUR = [{"id": number} for number in range(4)]
CLIENT, SECRET = "city", "s3cret-not-to-be-seen"


def source_of(
    service: Any, user: str = f":{SECRET}@", *, wait: float = 1, query: str = "", **rest: Any
) -> RestSource:
    spec = SourceSpec(
        connection="hall",
        kind=SystemKind.REST,
        endpoint="/rows",
        page_size=1,
        rest=RestSpec.model_validate(rest),
    )
    url = f"http://{user}{service.address}/api{query}"
    return RestSource(
        spec,
        Connection("hall", SystemKind.REST, url),
        timeout=timedelta(seconds=1),
        longest_wait=timedelta(seconds=wait),
    )


def ids(source: RestSource) -> list[str]:
    with source:
        found: list[str] = pa.Table.from_batches(list(source.read(["id"])))["id"].to_pylist()
    return found


class Tokens:
    """A token service: each token is good for so many pages."""

    def __init__(self, service: Any, *, good_for: int = 99, expires_in: Any = 3600) -> None:
        self.asked: list[Request] = []
        self.status = 200
        self._left: dict[str, int] = {}
        self._body: Any = {"token_type": "Bearer", "expires_in": expires_in}
        self._good_for = good_for
        service.serve(FOUR)
        self._rows = service.answer
        service.answer = self.answer
        service.answer_token = self.token

    def token(self, request: Request) -> Response:
        self.asked.append(request)
        name = f"t{len(self.asked)}"
        self._left[name] = self._good_for
        return JSONResponse({**self._body, "access_token": name}, status_code=self.status)

    def answer(self, request: Request) -> Response:
        name = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self._left.get(name, 0) < 1:
            return Response(status_code=401)
        self._left[name] -= 1
        result: Response = self._rows(request)
        return result


class TestSignIn:
    def test_an_api_key_goes_into_the_header_that_the_entry_names(self, service: Any) -> None:
        service.serve(FOUR)

        ids(source_of(service, auth="api_key", api_key_header="X-City-Key"))

        assert {one.headers["x-city-key"] for one in service.requests} == {SECRET}
        assert all("authorization" not in one.headers for one in service.requests)

    def test_a_service_without_sign_in_gets_no_credential(self, service: Any) -> None:
        service.serve(FOUR)

        ids(source_of(service, auth="none"))

        assert all("authorization" not in one.headers for one in service.requests)

    def test_a_token_is_asked_for_with_the_clients_credentials(self, service: Any) -> None:
        tokens = Tokens(service)

        found = ids(
            source_of(
                service,
                f"{CLIENT}:{SECRET}@",
                auth="oauth2",
                token_path="/token",
                token_scope="read",
            )
        )

        assert found == ["0", "1", "2", "3"]
        (asked,) = tokens.asked
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        assert asked.headers["authorization"] == f"Basic {basic}"
        assert asked.state.body == b"grant_type=client_credentials&scope=read"
        assert {one.headers["authorization"] for one in service.requests} == {"Bearer t1"}

    def test_a_token_that_ends_in_the_middle_is_renewed(self, service: Any) -> None:
        """The service refuses the token at page 3; a new one is asked for, no row is lost."""
        tokens = Tokens(service, good_for=2)

        found = ids(source_of(service, "c:s@", auth="oauth2", token_path="/token"))

        assert found == ["0", "1", "2", "3"]
        assert len(tokens.asked) == 2

    def test_a_token_is_renewed_before_its_end(self, service: Any) -> None:
        """With a life of no time at all, each page has a token of its own and none is refused."""
        tokens = Tokens(service, expires_in=0)

        ids(source_of(service, "c:s@", auth="oauth2", token_path="/token"))

        assert len(tokens.asked) == len(service.requests) == 4

    def test_the_connection_may_name_another_place_for_tokens(self, service: Any) -> None:
        tokens = Tokens(service)
        query = f"?token_url=http%3A%2F%2F{service.address}%2Fapi%2Ftoken"

        ids(source_of(service, "c:s@", query=query, auth="oauth2"))

        assert len(tokens.asked) == 1
        assert all("token_url" not in one.query_params for one in service.requests)

    @pytest.mark.parametrize(
        ("status", "kind"), [(401, SourceRefused), (400, SourceRefused), (503, SourceUnreachable)]
    )
    def test_no_token_says_why_and_shows_no_secret(
        self, service: Any, status: int, kind: type[Exception]
    ) -> None:
        Tokens(service).status = status

        with pytest.raises(kind) as caught:
            ids(source_of(service, f"c:{SECRET}@", wait=0, auth="oauth2", token_path="/token"))

        assert SECRET not in str(caught.value)

    def test_a_fresh_token_that_is_refused_ends_the_pull(self, service: Any) -> None:
        tokens = Tokens(service, good_for=0)

        with pytest.raises(SourceRefused, match="status 401"):
            ids(source_of(service, "c:s@", auth="oauth2", token_path="/token"))

        assert len(tokens.asked) == 2

    @pytest.mark.parametrize(
        ("user", "rest"),
        [
            ("", {"auth": "bearer"}),
            ("", {"auth": "api_key"}),
            (":s@", {"auth": "oauth2", "token_path": "/token"}),
            ("c:s@", {"auth": "oauth2"}),
        ],
    )
    def test_a_connection_that_lacks_what_sign_in_needs_is_misdescribed(
        self, service: Any, user: str, rest: dict[str, Any]
    ) -> None:
        with pytest.raises(SourceMisdescribed):
            source_of(service, user, **rest)


class TestPatience:
    def failing_once(self, service: Any, failure: Response) -> None:
        service.serve(FOUR)
        good, failures = service.answer, iter([failure])
        service.answer = lambda request: next(failures, None) or good(request)

    def test_the_wait_that_the_service_asks_for_is_kept(self, service: Any) -> None:
        self.failing_once(service, Response(status_code=429, headers={"Retry-After": "1"}))
        began = time.monotonic()

        assert ids(source_of(service, wait=1)) == ["0", "1", "2", "3"]
        assert time.monotonic() - began >= 1

    def test_a_date_is_read_on_the_services_own_clock(self, service: Any) -> None:
        """A clock that is a day behind makes no wait of a day."""
        there = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
        headers = {
            "Date": format_datetime(there, usegmt=True),
            "Retry-After": format_datetime(there + timedelta(days=2), usegmt=True),
        }
        self.failing_once(service, Response(status_code=503, headers=headers))

        with pytest.raises(SourceUnreachable, match="left alone for 172800 s"):
            ids(source_of(service))

    def test_a_longer_wait_is_left_to_the_next_try(self, service: Any) -> None:
        """The worker is not held; the error says when to come back."""
        service.answer = lambda _: Response(status_code=503, headers={"Retry-After": "600"})

        with pytest.raises(SourceUnreachable, match="left alone for 600 s") as caught:
            ids(source_of(service))

        assert caught.value.retryable
        assert len(service.requests) == 1

    def test_requests_keep_the_rate(self, service: Any) -> None:
        service.serve(FOUR)
        began = time.monotonic()

        ids(source_of(service, requests_per_second=10))

        assert time.monotonic() - began >= 3 / 10

    def test_a_service_that_stalls_without_closing_is_unreachable(self, service: Any) -> None:
        def stall(_: Request) -> Response:
            time.sleep(1.5)
            return Response(status_code=200)

        service.answer = stall

        with pytest.raises(SourceUnreachable, match="none in time"):
            ids(source_of(service, wait=0))

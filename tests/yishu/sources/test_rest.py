"""REST: every page once and in order, exact numbers, and patience with a failing service."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from fastapi import Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from catalog.model import SourceSpec
from catalog.vocabulary import SystemKind
from yishu.sources import (
    Connection,
    Since,
    SourceChanged,
    SourceError,
    SourceMisdescribed,
    SourceRefused,
    SourceTableMissing,
    SourceUnreachable,
    SourceUnreadable,
)
from yishu.sources.rest import RestSource

TOKEN = "t0ken-not-to-be-seen"
FIVE = [{"a": str(number)} for number in range(5)]


def source_of(service: Any, *, user: str = f":{TOKEN}@", page_size: int = 2) -> RestSource:
    spec = SourceSpec(
        connection="hall", kind=SystemKind.REST, endpoint="/rows", page_size=page_size
    )
    url = f"http://{user}{service.address}/api/"
    return RestSource(
        spec,
        Connection("hall", SystemKind.REST, url),
        timeout=timedelta(seconds=2),
        longest_wait=timedelta(0),
    )


def read(service: Any, *columns: str, **more: Any) -> dict[str, list[Any]]:
    with source_of(service, **more) as source:
        table = pa.Table.from_batches(list(source.read(columns)))
    found: dict[str, list[Any]] = table.to_pydict()
    return found


def page_asked(request: Request) -> int:
    return int(request.query_params["page"])


def page(number: int, rows: list[Any], total: int = 5) -> Response:
    return JSONResponse({"total": total, "page": number, "rows": rows})


def test_a_lower_bound_goes_with_every_request_where_the_service_takes_one(service: Any) -> None:
    service.serve(FIVE)
    noon = datetime(2026, 5, 1, 4, tzinfo=UTC)
    for parameter, sent in (("since", noon.isoformat()), (None, None)):
        service.requests.clear()
        with source_of(service) as source:
            bound = Since("a", noon, parameter)
            rows = [row for batch in source.read_since(["a"], bound) for row in batch.to_pylist()]
            everything = sum(batch.num_rows for batch in source.read(["a"]))
        assert (len(rows), everything) == (5, 5)
        asked = [request.query_params.get("since") for request in service.requests]
        assert asked.count(sent) == (3 if sent else len(asked))


def test_every_page_is_asked_for_once_with_size_and_token(service: Any) -> None:
    service.serve(FIVE)

    assert read(service, "a") == {"a": ["0", "1", "2", "3", "4"]}

    asked = [(page_asked(one), one.query_params["page_size"]) for one in service.requests]
    assert asked == [(1, "2"), (2, "2"), (3, "2")]
    assert {one.headers["authorization"] for one in service.requests} == {f"Bearer {TOKEN}"}
    assert all(TOKEN not in str(one.url) for one in service.requests)


def test_user_and_password_sign_in_the_basic_way(service: Any) -> None:
    service.serve(FIVE)

    read(service, "a", user="clerk:pw@")

    assert service.requests[0].headers["authorization"] == "Basic Y2xlcms6cHc="


def test_numbers_keep_their_digits_and_null_is_not_empty(service: Any) -> None:
    body = (
        '{"total": 2, "page": 1, "rows": [{"n": 12345678901234567890123, "d": 0.10, "s": "", '
        '"b": true}, {"n": -1e400, "d": null, "s": null, "b": false}]}'
    )
    service.answer = lambda _: Response(body, media_type="application/json")

    assert read(service, "s", "n", "d", "b") == {
        "s": ["", None],
        "n": ["12345678901234567890123", "-1e400"],
        "d": ["0.10", None],
        "b": ["true", "false"],
    }


def test_an_empty_service_yields_the_asked_columns_without_rows(service: Any) -> None:
    service.serve([])

    with source_of(service) as source:
        assert source.columns() == []
    assert read(service, "a", "b") == {"a": [], "b": []}


def test_an_empty_service_may_name_its_columns(service: Any) -> None:
    service.answer = lambda _: JSONResponse(
        {"total": 0, "page": 1, "rows": [], "columns": ["a", "名称"]}
    )

    with source_of(service) as source:
        assert [column.name for column in source.columns()] == ["a", "名称"]


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_a_passing_failure_is_tried_again(service: Any, status: int) -> None:
    service.serve(FIVE)
    good, failures = service.answer, iter([1, 2])

    def answer(request: Request) -> Response:
        if page_asked(request) == 2 and next(failures, None):
            return Response(status_code=status)
        result: Response = good(request)
        return result

    service.answer = answer

    assert read(service, "a") == {"a": ["0", "1", "2", "3", "4"]}


def test_a_lasting_failure_is_unreachable_and_retryable_later(service: Any) -> None:
    service.answer = lambda _: Response(status_code=503)

    with pytest.raises(SourceUnreachable, match="status 503") as caught:
        read(service, "a")

    assert caught.value.retryable
    assert len(service.requests) == 4


def test_nobody_listening_is_retryable_and_shows_no_token() -> None:
    class Nobody:
        address = "127.0.0.1:1"

    with pytest.raises(SourceUnreachable) as caught:
        read(Nobody(), "a")

    assert caught.value.retryable
    assert caught.value.__suppress_context__
    assert TOKEN not in repr(caught.value)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, SourceRefused),
        (403, SourceRefused),
        (404, SourceTableMissing),
        (410, SourceTableMissing),
        (400, SourceUnreadable),
    ],
)
def test_what_trying_again_cannot_mend_is_asked_once(
    service: Any, status: int, kind: type[SourceError]
) -> None:
    service.answer = lambda _: Response(status_code=status)

    with pytest.raises(kind, match=f"status {status}") as caught:
        read(service, "a")

    assert not caught.value.retryable
    assert len(service.requests) == 1


def test_a_redirect_is_not_followed_with_the_token(service: Any) -> None:
    service.answer = lambda _: RedirectResponse("http://127.0.0.1:1/elsewhere")

    with pytest.raises(SourceUnreadable, match="status 307"):
        read(service, "a")


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (page(2, [{"a": "0"}, {"a": "1"}]), "page 2 with the rows of an earlier page"),
        (page(3, [{"a": "4"}]), "page 3 where page 2 was asked for"),
        (page(1, [{"a": "0"}, {"a": "1"}]), "page 1 where page 2 was asked for"),
        (page(2, [{"a": "2"}]), "1 rows on page 2 where 2 of 5 were due"),
        (page(2, []), "0 rows on page 2"),
        (page(2, [{"a": "2"}, {"b": "3"}]), "nothing for a in row 1 of page 2"),
        (page(2, [{"a": "2"}, {"a": ["x"]}]), "a list or an object for a"),
        (page(2, ["x", "y"]), "no page"),
        (Response("<html>maintenance</html>"), "no page"),
        (Response('{"total": 5, "page": 2, "rows": [{"a": NaN}, {"a": 1}]}'), "no page"),
        (JSONResponse([1, 2]), "no page"),
        (JSONResponse({"total": 5, "page": 2}), "no page"),
    ],
)
def test_a_page_unlike_the_protocol_is_not_taken(
    service: Any, second: Response, words: str
) -> None:
    service.serve(FIVE)
    good = service.answer
    service.answer = lambda request: second if page_asked(request) == 2 else good(request)

    with pytest.raises(SourceUnreadable, match=words):
        read(service, "a")


def test_a_total_that_changes_midway_is_tried_again_later(service: Any) -> None:
    def answer(request: Request) -> Response:
        number = page_asked(request)
        return page(number, FIVE[2 * number - 2 : 2 * number], total=5 if number == 1 else 6)

    service.answer = answer

    with pytest.raises(SourceChanged, match="6 rows on page 2, 5 on page 1") as caught:
        read(service, "a")

    assert caught.value.retryable


def test_equal_single_rows_are_not_taken_for_a_repeated_page(service: Any) -> None:
    service.serve([{"a": "same"}] * 3)

    assert read(service, "a", page_size=1) == {"a": ["same"] * 3}


def test_a_service_that_caps_the_page_size_says_so(service: Any) -> None:
    service.answer = lambda _: page(1, FIVE[:1])

    with pytest.raises(SourceUnreadable, match=r"set source.page_size \(now 2\)"):
        read(service, "a")


def test_text_that_is_no_text_is_not_taken(service: Any) -> None:
    lone = json.dumps({"total": 1, "page": 1, "rows": [{"a": "\ud800"}]})
    service.answer = lambda _: Response(lone)

    with pytest.raises(SourceUnreadable):
        read(service, "a")


@pytest.mark.parametrize("url", ["ftp://host/", "host:80", "http://"])
def test_a_url_that_is_not_http_is_misdescribed(url: str) -> None:
    spec = SourceSpec(connection="hall", kind=SystemKind.REST, endpoint="/rows")

    with pytest.raises(SourceMisdescribed):
        RestSource(spec, Connection("hall", SystemKind.REST, url))

"""REST by cursor and by link: every row once, never off the host, and on from where it broke."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from fastapi import Request
from fastapi.responses import JSONResponse, Response

from catalog.model import RestSpec, SourceSpec
from catalog.vocabulary import SystemKind
from yishu.sources import (
    Connection,
    SourceChanged,
    SourceUnreachable,
    SourceUnreadable,
)
from yishu.sources.rest import RestSource

SEVEN = [{"id": number, "name": f"企业{number}"} for number in range(7)]
IDS = ["0", "1", "2", "3", "4", "5", "6"]


def source_of(service: Any, pagination: str, **rest: Any) -> RestSource:
    spec = SourceSpec(
        connection="hall",
        kind=SystemKind.REST,
        endpoint="/rows",
        page_size=3,
        rest=RestSpec.model_validate({"pagination": pagination, **rest}),
    )
    connection = Connection("hall", SystemKind.REST, f"http://:token@{service.address}/api")
    return RestSource(
        spec, connection, timeout=timedelta(seconds=2), longest_wait=timedelta(seconds=1)
    )


def ids(source: RestSource, folder: Path | None = None) -> list[str]:
    with source:
        if folder:
            source.resume_in(folder)
        table = pa.Table.from_batches(list(source.read(["id"])))
    assert table.schema.names == ["id"]
    found: list[str] = table["id"].to_pylist()
    return found


def by_cursor(rows: list[Any], size: int = 3) -> Any:
    """A service whose cursor is the last id that it gave: rows may come and go behind it."""

    def answer(request: Request) -> Response:
        after = int(request.query_params.get("cursor", "-1"))
        rest = [row for row in rows if row["id"] > after]
        part = rest[:size]
        following = str(part[-1]["id"]) if len(rest) > size else None
        return JSONResponse({"rows": part, "next_cursor": following})

    return answer


def by_link_header(rows: list[Any]) -> Any:
    """A service that answers a bare list and names the next page in the header (RFC 8288)."""

    def answer(request: Request) -> Response:
        start = int(request.query_params.get("from", "0"))
        headers = {}
        if start + 3 < len(rows):
            headers["Link"] = (
                f'</api/rows?from={start + 3}&page_size=3>; rel="next", </api/rows>; rel="first"'
            )
        return JSONResponse(rows[start : start + 3], headers=headers)

    return answer


def breaking(good: Any, at: str, failure: Response, times: int = 99) -> Any:
    """The service, failing so many times for one cursor."""
    left = iter(range(times))

    def answer(request: Request) -> Response:
        if request.query_params.get("cursor") == at and next(left, None) is not None:
            return failure
        result: Response = good(request)
        return result

    return answer


def cursors(service: Any) -> list[str | None]:
    return [one.query_params.get("cursor") for one in service.requests]


class TestCursor:
    def test_follows_the_cursor_to_the_end(self, service: Any) -> None:
        service.answer = by_cursor(SEVEN)

        assert ids(source_of(service, "cursor")) == IDS
        assert cursors(service) == [None, "2", "5"]
        assert {one.query_params["page_size"] for one in service.requests} == {"3"}

    def test_names_and_places_of_fields_are_the_entrys_to_say(self, service: Any) -> None:
        def answer(request: Request) -> Response:
            assert request.query_params["limit"] == "3"
            after = request.query_params.get("after")
            rows = SEVEN[:3] if after is None else SEVEN[3:5]
            paging = {"next": None if after else "x"}
            return JSONResponse({"data": {"list": rows}, "paging": paging, "count": 5})

        service.answer = answer
        source = source_of(
            service,
            "cursor",
            rows_field="data.list",
            next_field="paging.next",
            total_field="count",
            cursor_parameter="after",
            size_parameter="limit",
        )

        assert ids(source) == IDS[:5]

    @pytest.mark.parametrize(
        ("answer", "words"),
        [
            ({"rows": SEVEN[:3], "next_cursor": "same"}, "rows of an earlier page"),
            ({"rows": [], "next_cursor": "same"}, "leads nowhere new"),
            ({"rows": SEVEN[:1], "next_cursor": "same"}, "leads nowhere new"),
            ({"rows": SEVEN[:3], "next_cursor": ["x"]}, "no page"),
            ({"items": []}, "no page"),
        ],
    )
    def test_a_cursor_that_turns_in_circles_is_not_followed(
        self, service: Any, answer: dict[str, Any], words: str
    ) -> None:
        service.answer = lambda _: JSONResponse(answer)

        with pytest.raises(SourceUnreadable, match=words):
            ids(source_of(service, "cursor"))

        assert len(service.requests) <= 3

    def test_a_cursor_that_never_comes_to_rows_is_given_up(self, service: Any) -> None:
        service.answer = lambda _: JSONResponse(
            {"rows": [], "next_cursor": str(len(service.requests))}
        )

        with pytest.raises(SourceUnreadable, match="leads nowhere new"):
            ids(source_of(service, "cursor"))

    def test_rows_left_out_are_found_by_the_count_that_the_service_gives(
        self, service: Any
    ) -> None:
        service.answer = lambda _: JSONResponse({"rows": SEVEN[:3], "total": 7})

        with pytest.raises(SourceUnreadable, match="3 rows where 7 were promised"):
            ids(source_of(service, "cursor"))


class TestLink:
    def test_follows_the_header_of_a_bare_list(self, service: Any) -> None:
        service.answer = by_link_header(SEVEN)

        assert ids(source_of(service, "link")) == IDS
        assert [one.query_params.get("from") for one in service.requests] == [None, "3", "6"]
        assert {one.headers["authorization"] for one in service.requests} == {"Bearer token"}

    def test_follows_the_address_in_the_body(self, service: Any) -> None:
        def answer(request: Request) -> Response:
            start = int(request.query_params.get("from", "0"))
            following = f"http://{service.address}/api/rows?from={start + 3}"
            body = {"rows": SEVEN[start : start + 3], "next": following if start < 6 else None}
            return JSONResponse(body)

        service.answer = answer

        assert ids(source_of(service, "link")) == IDS

    @pytest.mark.parametrize(
        "elsewhere",
        [
            "http://127.0.0.2:{port}/api/rows",
            "http://127.0.0.1:1/api/rows",
            "https://127.0.0.1:{port}/api/rows",
            "//other.example/api/rows",
            "http://127.0.0.1:{port}@other.example/rows",
            "file:///etc/passwd",
        ],
    )
    def test_a_link_to_another_host_never_gets_the_token(
        self, service: Any, elsewhere: str
    ) -> None:
        address = elsewhere.format(port=service.address.partition(":")[2])
        service.answer = lambda _: JSONResponse({"rows": SEVEN[:3], "next": address})

        with pytest.raises(SourceUnreadable, match="away from the service's host"):
            ids(source_of(service, "link"))

        assert len(service.requests) == 1

    def test_a_link_to_itself_is_not_followed(self, service: Any) -> None:
        service.answer = lambda _: JSONResponse(
            [{"id": 1}], headers={"Link": '</api/rows?page_size=3>; rel="next"'}
        )

        with pytest.raises(SourceUnreadable, match="leads nowhere new"):
            ids(source_of(service, "link"))


class TestResumption:
    def test_a_pull_that_failed_goes_on_from_its_landed_pages(
        self, service: Any, tmp_path: Path
    ) -> None:
        """The first page is asked for again to see that it is still the same; no other one."""
        good = by_cursor(SEVEN)
        service.answer = breaking(good, "5", Response(status_code=503))
        with pytest.raises(SourceUnreachable):
            ids(source_of(service, "cursor", stable_cursor=True), tmp_path)
        service.requests.clear()
        service.answer = good

        assert ids(source_of(service, "cursor", stable_cursor=True), tmp_path) == IDS
        assert cursors(service) == [None, "5"]

    def test_kept_pages_hold_the_asked_columns_alone(self, service: Any, tmp_path: Path) -> None:
        service.answer = breaking(by_cursor(SEVEN), "5", Response(status_code=503))
        with pytest.raises(SourceUnreachable):
            ids(source_of(service, "cursor", stable_cursor=True), tmp_path)

        kept = sorted(tmp_path.iterdir())

        assert [path.name for path in kept] == ["page-00000001.arrow", "page-00000002.arrow"]
        assert all("企业".encode() not in path.read_bytes() for path in kept)
        assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}

    def test_a_service_that_begins_otherwise_now_is_read_anew(
        self, service: Any, tmp_path: Path
    ) -> None:
        service.answer = breaking(by_cursor(SEVEN), "5", Response(status_code=503))
        with pytest.raises(SourceUnreachable):
            ids(source_of(service, "cursor", stable_cursor=True), tmp_path)
        service.answer = by_cursor(SEVEN[1:])

        assert ids(source_of(service, "cursor", stable_cursor=True), tmp_path) == IDS[1:]

    def test_other_columns_are_read_anew(self, service: Any, tmp_path: Path) -> None:
        service.answer = breaking(by_cursor(SEVEN), "5", Response(status_code=503))
        with pytest.raises(SourceUnreachable):
            ids(source_of(service, "cursor", stable_cursor=True), tmp_path)
        service.answer = by_cursor(SEVEN)

        with source_of(service, "cursor", stable_cursor=True) as source:
            source.resume_in(tmp_path)
            table = pa.Table.from_batches(list(source.read(["name"])))

        assert table["name"].to_pylist() == [f"企业{number}" for number in range(7)]

    @pytest.mark.parametrize("status", [400, 404, 410])
    def test_a_cursor_that_is_no_longer_taken_starts_over_at_the_next_try(
        self, service: Any, tmp_path: Path, status: int
    ) -> None:
        good = by_cursor(SEVEN)
        service.answer = breaking(good, "5", Response(status_code=status))

        with pytest.raises(SourceChanged) as caught:
            ids(source_of(service, "cursor", stable_cursor=True), tmp_path)

        assert caught.value.retryable
        assert list(tmp_path.glob("page-*")) == []
        service.answer = good
        assert ids(source_of(service, "cursor", stable_cursor=True), tmp_path) == IDS

    def test_a_damaged_page_is_read_again(self, service: Any, tmp_path: Path) -> None:
        good = by_cursor(SEVEN)
        service.answer = breaking(good, "5", Response(status_code=503))
        with pytest.raises(SourceUnreachable):
            ids(source_of(service, "cursor", stable_cursor=True), tmp_path)
        (tmp_path / "page-00000002.arrow").write_bytes(b"half a page")
        service.answer = good

        assert ids(source_of(service, "cursor", stable_cursor=True), tmp_path) == IDS

    @pytest.mark.parametrize("way", [("page", True), ("cursor", False)])
    def test_nothing_is_kept_without_a_stable_cursor(
        self, service: Any, tmp_path: Path, way: tuple[str, bool]
    ) -> None:
        """Page numbers move when rows come or go, so such a pull starts over."""
        pagination, stable = way
        if pagination == "page":
            service.serve(SEVEN)
        else:
            service.answer = by_cursor(SEVEN)

        assert ids(source_of(service, pagination, stable_cursor=stable), tmp_path) == IDS
        assert list(tmp_path.iterdir()) == []


class TestRecovery:
    def test_a_failure_in_the_middle_passes_unseen(self, service: Any) -> None:
        """500 twice, then recovery: every row once."""
        service.answer = breaking(by_cursor(SEVEN), "2", Response(status_code=500), times=2)

        assert ids(source_of(service, "cursor")) == IDS

    def test_half_a_body_is_tried_again(self, service: Any) -> None:
        body = json.dumps({"rows": SEVEN[3:6]}).encode()
        cut = Response(body, headers={"Content-Length": str(len(body) + 9)})
        service.answer = breaking(by_cursor(SEVEN), "2", cut, times=1)

        assert ids(source_of(service, "cursor")) == IDS

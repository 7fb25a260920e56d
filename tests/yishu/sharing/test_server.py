"""The channels over HTTP: exactly what was granted, to exactly whom, on record, or nothing."""

import json
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import parse_qs, urlencode, urlsplit

import pyarrow.parquet as pq
import pytest
from sqlalchemy import text

from yishu.sharing import deciding, filing, opening
from yishu.sharing.house import Limits
from yishu.sharing.server import create_app

ASKED = {"purpose": "case_handling", "case_no": "BJ20261120001"}
KEY = {"uscc": "91320205MA1ABCDE00"}


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def log(engine):
    with engine.connect() as connection:
        return connection.execute(text("select * from ledger.use_record order by number")).all()


def delta_path(client, token):
    found = client.get("/delta-sharing/shares", headers=bearer(token)).json()["items"][0]["name"]
    items = client.get(f"/delta-sharing/shares/{found}/all-tables", headers=bearer(token)).json()
    one = items["items"][0]
    return f"/delta-sharing/shares/{one['share']}/schemas/{one['schema']}/tables/{one['name']}"


def file_url(client, token):
    answer = client.post(f"{delta_path(client, token)}/query", headers=bearer(token), json={})
    line = json.loads(answer.text.splitlines()[2])
    parts = urlsplit(line["file"]["url"])
    return f"{parts.path}?{parts.query}"


@pytest.fixture
def delta(office):
    facts = {"mode": "batch_exchange", "format": "delta_sharing"}
    return office.opened(elements=["uscc", "name", "region_code"], **facts)


@pytest.mark.requirement("SHR-11", "QUA-04", "SHR-14")
def test_rows_are_served_for_the_purpose_and_a_case_and_every_call_is_on_record(
    office, client, engine
):
    grant_id, token = office.opened(elements=["uscc", "name", "legal_representative"])
    answer = client.post("/v1/query", headers=bearer(token), json={**ASKED, "where": KEY})
    assert answer.json()["rows"] == [
        {**KEY, "name": "甲贸易有限公司", "legal_representative": "李*"}
    ]
    other = {**ASKED, "purpose": "statistics"}
    assert client.post("/v1/query", headers=bearer(token), json=other).status_code == 403
    no_case = {"purpose": "case_handling"}
    assert client.post("/v1/query", headers=bearer(token), json=no_case).status_code == 403
    served, wrong, caseless = log(engine)
    assert (served.grant_id, served.outcome, served.rows) == (grant_id, "served", 1)
    assert (served.case_no, served.table_version, served.run_id) == ("BJ20261120001", 0, "first")
    assert served.columns == ["uscc", "name", "legal_representative"]
    assert len(served.row_keys) == 1
    assert KEY["uscc"] not in str(served)
    assert (wrong.outcome, wrong.purpose_code) == ("denied", "statistics")
    assert caseless.reason == "no case number"


def test_pages_and_conditions_hold_no_column_and_no_row_beyond_the_grant(office, client):
    _, token = office.opened(elements=["uscc", "region_code"], rows={"regions": ["320205"]})
    answer = client.post("/v1/query", headers=bearer(token), json={**ASKED, "limit": 1000})
    assert answer.json()["rows"] == [{"uscc": KEY["uscc"], "region_code": "320205"}]
    beyond = {**ASKED, "where": {"legal_representative": "李明"}}
    answer = client.post("/v1/query", headers=bearer(token), json=beyond)
    assert answer.status_code == 403
    assert "legal_representative" not in answer.text


@pytest.mark.parametrize("value", ["x' OR '1'='1", '"; drop table x; --', "\x00", "%", "=1+1"])
def test_a_value_is_a_value_whatever_it_looks_like(office, client, value):
    _, token = office.opened()
    asked = {**ASKED, "where": {"name": value}}
    answer = client.post("/v1/query", headers=bearer(token), json=asked)
    assert answer.json()["rows"] == []


@pytest.mark.requirement("SHR-18", "SHR-17")
def test_verification_answers_yes_no_not_found_and_never_the_data(office, client, engine):
    _, token = office.opened(elements=["uscc", "name", "status"], format="verification")
    cases = {
        "yes": (KEY, {"name": "甲贸易有限公司", "status": "1"}),
        "no": (KEY, {"name": "别的公司"}),
        "not_found": ({"uscc": "91320205MA1ABCDE99"}, {"name": "甲贸易有限公司"}),
    }
    for expected, (key, claims) in cases.items():
        body = {**ASKED, "key": key, "claims": claims}
        answer = client.post("/v1/verify", headers=bearer(token), json=body)
        assert answer.json()["result"] == expected
        assert answer.json()["source"] == ["market_regulation"]
        assert "甲贸易" not in answer.text
    items = [{"key": key, "claims": claims} for key, claims in cases.values()]
    answer = client.post("/v1/verify/batch", headers=bearer(token), json={**ASKED, "items": items})
    assert answer.json()["results"] == list(cases)
    assert [row.rows for row in log(engine)] == [1, 1, 1, 3]


def test_guessing_ends_long_before_ten_thousand_guesses(office, house, clock, engine):
    from dataclasses import replace  # noqa: PLC0415

    from fastapi.testclient import TestClient  # noqa: PLC0415

    _, token = office.opened(elements=["uscc", "name"], format="verification")
    limits = Limits(calls_per_minute=100_000, misses=50)
    guesses = [{"key": {"uscc": f"91320205MA1ABC{n:04d}"}} for n in range(10_000)]
    with TestClient(create_app(replace(house, limits=limits))) as client:
        codes = []
        for start in range(0, len(guesses), 25):
            body = {**ASKED, "items": guesses[start : start + 25]}
            answer = client.post("/v1/verify/batch", headers=bearer(token), json=body)
            codes.append(answer.status_code)
        assert codes.count(200) == 2
        assert set(codes[2:]) == {429}
        clock.at += timedelta(minutes=11)
        body = {**ASKED, "key": KEY}
        assert client.post("/v1/verify", headers=bearer(token), json=body).status_code == 200
    assert sum(row.outcome == "denied" for row in log(engine)) == 398


def test_a_grant_calls_no_faster_than_it_may(office, house):
    from dataclasses import replace  # noqa: PLC0415

    from fastapi.testclient import TestClient  # noqa: PLC0415

    _, token = office.opened()
    with TestClient(create_app(replace(house, limits=Limits(calls_per_minute=3)))) as client:
        codes = [
            client.post("/v1/query", headers=bearer(token), json=ASKED).status_code
            for _ in range(4)
        ]
    assert codes == [200, 200, 200, 429]


@pytest.mark.requirement("SHR-13")
@pytest.mark.parametrize("end", ["close", "suspend", "new_token"])
def test_ending_a_channel_ends_it_at_once(office, client, people, end, engine):
    """The token was used a moment ago, so the server knows it by heart."""
    grant_id, token = office.opened()
    assert client.post("/v1/query", headers=bearer(token), json=ASKED).status_code == 200
    with office.desk() as desk:
        if end == "new_token":
            opening.new_token(desk, grant_id, people.operator)
        else:
            getattr(opening, end)(desk, grant_id, people.operator, "核实异常访问")
    answer = client.post("/v1/query", headers=bearer(token), json=ASKED)
    assert answer.status_code == (401 if end == "new_token" else 403)
    assert "rows" not in answer.json()
    assert log(engine)[-1].outcome == "denied"


@pytest.mark.parametrize("token", [None, "", "ys1.x.y", "ys1..", "nonsense", "ys1.\u4e00.x"])
def test_a_wrong_token_is_a_clean_401_and_on_record(client, engine, token):
    headers = {"Authorization": f"Bearer {token}".encode()} if token is not None else {}
    answer = client.get("/delta-sharing/shares", headers=headers)
    assert answer.status_code == 401
    assert answer.json()["errorCode"] == "SHR_DENIED"
    assert log(engine)[-1].outcome == "denied"


def test_a_token_of_another_grant_opens_nothing_here(office, client, delta, engine):
    _, token = delta
    _, other = office.opened()
    path = delta_path(client, token)
    assert client.get(f"{path}/metadata", headers=bearer(other)).status_code == 403
    wrong = path.replace("企业登记基本信息", "纳税人信息")
    assert client.get(f"{wrong}/metadata", headers=bearer(token)).status_code == 403
    assert log(engine)[-1].reason == "a share that the token is not for"


def test_files_are_fetched_whole_and_in_ranges(client, delta, tmp_path, engine):
    url = file_url(client, delta[1])
    whole = client.get(url)
    part = client.get(url, headers={"Range": "bytes=4-11"})
    head = client.head(url)
    assert (part.status_code, part.content) == (206, whole.content[4:12])
    assert part.headers["content-range"] == f"bytes 4-11/{len(whole.content)}"
    assert int(head.headers["content-length"]) == len(whole.content)
    assert client.get(url, headers={"Range": "bytes=-4"}).content == b"PAR1"
    assert client.get(url, headers={"Range": f"bytes={len(whole.content)}-"}).status_code == 416
    (tmp_path / "x.parquet").write_bytes(whole.content)
    table = pq.read_table(tmp_path / "x.parquet")
    assert table.schema.names == ["uscc", "name", "region_code"]
    assert table.num_rows == 4
    fetched = [row for row in log(engine) if row.requester.startswith("url:")]
    assert [row.bytes for row in fetched] == [len(whole.content), 8, 4]


def test_urls_are_bound_to_grant_file_and_time(office, client, delta, clock, engine):
    grant_id, token = delta
    url = file_url(client, token)
    path, asked = urlsplit(url).path, {k: v[0] for k, v in parse_qs(urlsplit(url).query).items()}
    other_id, _ = office.opened(
        elements=["uscc", "name", "region_code"], mode="batch_exchange", format="delta_sharing"
    )

    def status(path=path, **changed):
        return client.get(f"{path}?{urlencode(asked | changed)}").status_code

    assert status() == 200
    forged = {"mac": "0" * 64}
    assert status(**forged) == status(mac="") == status(mac="é") == 403
    assert status(expires=int(asked["expires"]) + 3600) == 403
    assert status(path.replace(grant_id, other_id)) == 403
    assert status(path.replace("part-00000", "part-00001")) == 403
    clock.at += timedelta(minutes=16)
    assert status() == 403
    reasons = {row.reason for row in log(engine) if row.outcome == "denied"}
    assert reasons == {"a URL that we did not make", "a URL that is too old"}


def test_a_sound_url_is_no_use_once_the_channel_is_closed(office, client, delta, people, engine):
    grant_id, token = delta
    url = file_url(client, token)
    assert client.get(url).status_code == client.get(url).status_code == 200
    with office.desk() as desk:
        opening.close(desk, grant_id, people.operator, "用途已实现")
    assert client.get(url).status_code == 403
    replays = [row for row in log(engine) if row.requester.startswith("url:")]
    assert [row.outcome for row in replays] == ["served", "served", "denied"]


@pytest.mark.parametrize(
    "path",
    [
        "/files/GT1/../../../etc/passwd", "/files/GT1/x/..%2f..%2fetc%2fpasswd",
        "/files/GT1/%2e%2e/part-00000.parquet", "/files/..%2f/x/_projection.json",
    ],
)  # fmt: skip
def test_no_path_leads_out_of_the_projections(client, path):
    answer = client.get(path, params={"expires": 2**33, "mac": "0" * 64})
    assert answer.status_code in (403, 404)


def test_a_held_grant_serves_nothing_until_the_data_pass(office, client, engine, clock):
    _, token = office.opened()
    verdict(engine, "bad", passed=False)
    answer = client.post("/v1/query", headers=bearer(token), json=ASKED)
    assert (answer.status_code, answer.json()["errorCode"]) == (503, "SHR_GRANT_HELD")
    verdict(engine, "good", passed=True)
    assert client.post("/v1/query", headers=bearer(token), json=ASKED).status_code == 200
    assert log(engine)[0].outcome == "denied"


test_a_held_grant_serves_nothing_until_the_data_pass = pytest.mark.requirement("QUA-05")(
    test_a_held_grant_serves_nothing_until_the_data_pass
)


def verdict(engine, run_id, *, passed):
    entry = "market_regulation.enterprise_registration"
    at = datetime(2026, 11, 20, 9 if passed else 8, tzinfo=timezone.utc)  # noqa: UP017
    with engine.begin() as connection:
        connection.execute(
            text("insert into ledger.run (run_id, object_id, kind, state, release_id, started_at) "
                 "values (:r, :e, 'entry', 'running', 'x', :at)"),
            {"r": run_id, "e": entry, "at": at},
        )  # fmt: skip
        connection.execute(
            text("insert into ledger.verdict (run_id, entry_id, rows, quarantined, passed, "
                 "max_quarantined_share, decided_at) values (:r, :e, 10, 5, :p, 0.2, :at)"),
            {"r": run_id, "e": entry, "p": passed, "at": at},
        )  # fmt: skip


def test_a_new_version_is_served_once_it_is_published(office, client, publish, clock):
    _, token = office.opened()
    rows = [("91320205MA1ABCDE09", "新公司", "李明", "320205", "1")]
    client.post("/v1/query", headers=bearer(token), json=ASKED)
    publish("second", rows, at=clock.at + timedelta(hours=1))
    clock.at += timedelta(seconds=4)
    answer = client.post("/v1/query", headers=bearer(token), json=ASKED).json()
    assert (answer["version"], [row["name"] for row in answer["rows"]]) == (1, ["新公司"])


def test_a_version_that_was_vacuumed_away_is_still_read_by_who_reads_it(
    house, client, delta, publish, clock
):
    """The projection is a copy of its own, so a vacuum of the table takes nothing from a reader."""
    import shutil  # noqa: PLC0415

    url = file_url(client, delta[1])
    before = client.get(url).content
    for file in house.library.rglob("*.parquet"):
        file.unlink()
    assert client.get(url).content == before
    shutil.rmtree(house.projections)
    answer = client.get(url)
    assert answer.status_code >= 400


def test_a_column_dropped_from_the_catalog_is_served_no_more(office, client, release, house):
    from dataclasses import replace  # noqa: PLC0415

    from fastapi.testclient import TestClient  # noqa: PLC0415

    _, token = office.opened()
    entry = release.entries["market_regulation.enterprise_registration"]
    items = tuple(item for item in entry.items if item.field != "status")
    entries = {**release.entries, entry.id: entry.model_copy(update={"items": items})}
    changed = replace(release, entries=entries)
    with TestClient(create_app(replace(house, catalog=lambda: changed))) as other:
        answer = other.post("/v1/query", headers=bearer(token), json=ASKED)
    assert (answer.status_code, answer.json()["errorCode"]) == (410, "SHR_GRANT_STALE")
    assert "status" in answer.json()["found"]


def test_a_department_that_was_merged_away_reads_nothing(office, release, house):
    from dataclasses import replace  # noqa: PLC0415

    from fastapi.testclient import TestClient  # noqa: PLC0415

    _, token = office.opened()
    bodies = {k: v for k, v in release.departments.items() if k != "human_resources"}
    changed = replace(release, departments=bodies)
    with TestClient(create_app(replace(house, catalog=lambda: changed))) as other:
        answer = other.post("/v1/query", headers=bearer(token), json=ASKED)
    assert answer.status_code == 410


def test_nothing_leaves_when_the_log_cannot_be_written(office, client, engine):
    _, token = office.opened()
    with engine.begin() as connection:
        connection.execute(text("alter table ledger.use_record rename to elsewhere"))
    answer = client.post("/v1/query", headers=bearer(token), json=ASKED)
    assert (answer.status_code, answer.json()["errorCode"]) == (503, "SHR_USE_NOT_RECORDED")


def test_a_scheduled_channel_serves_from_its_first_day(office, client, clock):
    _, token = office.opened(valid_from="2026-11-23")
    assert client.post("/v1/query", headers=bearer(token), json=ASKED).status_code == 403
    clock.at = datetime(2026, 11, 22, 16, tzinfo=timezone.utc)  # noqa: UP017
    assert client.post("/v1/query", headers=bearer(token), json=ASKED).status_code == 200


def test_a_token_goes_on_through_a_renewal(office, client, clock, people, make_form):
    """The consumer's systems notice nothing: same token, new end."""
    grant_id, token = office.opened(valid_until="2026-11-25")
    asked = {**ASKED, "where": KEY}
    with office.desk() as desk:
        request_id = filing.renew(desk, grant_id, make_form(), people.officer)
        filing.consent(desk, request_id, people.head)
        filing.submit(desk, request_id, people.officer)
        deciding.grant(desk, request_id, people.authority)
    clock.at = datetime(2026, 11, 25, 17, tzinfo=UTC)
    assert client.post("/v1/query", headers=bearer(token), json=asked).status_code == 200
    clock.at = datetime(2027, 11, 19, 16, tzinfo=UTC)
    assert client.post("/v1/query", headers=bearer(token), json=asked).status_code == 401

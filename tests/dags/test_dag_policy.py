"""DAG policy: what every DAG must be, so that an engineer finds each of thousands alike."""

import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]

CLOSED_TAGS = {
    *("pull", "subject", "maintenance", "supervision", "sharing"),
    *("申请主体信息", "材料信息", "过程信息", "结果信息", "电子证照", "好差评", "政务服务事项"),
    *("大数据管理局", "指挥中心"),
}
"""Stages and kinds of data; the departments' names come from the release."""

CHINESE = re.compile(r"[\u4e00-\u9fff]{4}")
ENGLISH = re.compile(r"\b[a-z]+ [a-z]+ [a-z]+ [a-z]+\b")

ALWAYS = {
    *("alarms", "maintenance", "supervision-daily", "supervision-hourly"),
    *("deliver_shares", "expire_grants", "library-release"),
}
"""DAGs that do not follow from the release."""

ENTRY = "market_regulation.enterprise_registration"


def entry_dags(parsed: dict[str, Any]) -> dict[str, Any]:
    return {name: dag for name, dag in parsed["dags"].items() if "pull" in dag["tags"]}


@pytest.mark.requirement("SHR-16")
def test_every_entry_and_every_subject_of_the_release_has_one_dag(
    city: dict[str, Any], content: dict[str, Any]
) -> None:
    expected = {
        *content["entries"],
        *(f"subject-{subject}" for subject in content["subjects"]),
        *ALWAYS,
    }

    assert set(city["dags"]) == expected


def test_every_dag_says_in_both_languages_what_it_is_for(city: dict[str, Any]) -> None:
    silent = [
        name
        for name, dag in city["dags"].items()
        if not CHINESE.search(dag["doc"] or "") or not ENGLISH.search(dag["doc"] or "")
    ]

    assert silent == [], "render the text in yishu/orchestration/describe.py"


def test_every_tag_is_of_the_closed_set(city: dict[str, Any], content: dict[str, Any]) -> None:
    closed = CLOSED_TAGS | {one["name"] for one in content["departments"].values()}
    open_tags = {
        name: sorted(set(dag["tags"]) - closed)
        for name, dag in city["dags"].items()
        if not set(dag["tags"]) <= closed
    }

    assert open_tags == {}, "tags come from yishu/orchestration/naming.py only"


def test_every_dag_has_exactly_one_stage_tag(city: dict[str, Any]) -> None:
    stages = {"pull", "subject", "maintenance", "supervision", "sharing"}

    assert all(len(stages & set(dag["tags"])) == 1 for dag in city["dags"].values())


def test_an_entry_is_owned_by_the_department_that_provides_it(
    city: dict[str, Any], content: dict[str, Any]
) -> None:
    owners = {
        name: {task["owner"] for task in dag["tasks"].values()}
        for name, dag in entry_dags(city).items()
    }

    assert owners == {name: {one["provider_org"]} for name, one in content["entries"].items()}


def test_every_task_is_retried_with_growing_delays_and_ends_in_time(city: dict[str, Any]) -> None:
    tasks = {
        f"{name}.{task_id}": task
        for name, dag in city["dags"].items()
        for task_id, task in dag["tasks"].items()
    }
    careless = [
        name
        for name, task in tasks.items()
        if not (
            task["retries"] >= 2
            and task["backoff"] == 2.0
            and 0 < task["delay"] < task["longest_delay"]
            and task["timeout"]
        )
    ]

    assert careless == []


def test_runs_of_a_dag_never_overlap_and_missed_ones_are_not_made_up(city: dict[str, Any]) -> None:
    rules = {(dag["catchup"], dag["active"], dag["paused"]) for dag in city["dags"].values()}

    assert rules == {(False, 1, False)}


def test_an_entry_is_pulled_validated_and_published_in_this_order(city: dict[str, Any]) -> None:
    orders = {
        tuple((task_id, *task["after"]) for task_id, task in sorted(dag["tasks"].items()))
        for dag in entry_dags(city).values()
    }

    assert orders == {(("publish", "validate"), ("pull",), ("validate", "pull"))}


def test_a_pull_waits_in_the_pool_of_its_department_system(
    city: dict[str, Any], content: dict[str, Any]
) -> None:
    pools = {name: dag["tasks"]["pull"]["pool"] for name, dag in entry_dags(city).items()}

    assert pools == {name: one["source"]["connection"] for name, one in content["entries"].items()}


def test_only_an_entry_that_is_pulled_by_changes_can_be_filled_in_by_dates(
    parse: Any, content: dict[str, Any]
) -> None:
    followed = deepcopy(content)
    followed["entries"][ENTRY]["source"] |= {
        "mode": "incremental",
        "watermark": {"column": "updated_at", "overlap": 3600},
    }

    dags = entry_dags(parse(followed))

    by_dates = {name for name, dag in dags.items() if dag["run_types"] is None}
    assert by_dates == {ENTRY}
    assert all("backfill" not in dag["run_types"] for dag in dags.values() if dag["run_types"])
    assert dags[ENTRY]["params"] == {"since": None, "until": None}
    assert all(dag["params"] == {} for name, dag in dags.items() if name != ENTRY)


def test_parsing_imports_no_heavy_library(city: dict[str, Any]) -> None:
    assert city["heavy"] == [], "import it where a task runs, see yishu/orchestration/tasks.py"


@pytest.mark.requirement("COL-04")
def test_changing_the_update_cycle_changes_schedule_and_freshness(
    parse: Any, content: dict[str, Any]
) -> None:
    cycles: dict[str, tuple[str, str | None, int | None]] = {
        ENTRY: ("realtime", "*/10 * * * *", 1_800),
        "public_security.resident": ("weekly", "30 1 * * 1", 604_800),
        "taxation.taxpayer": ("yearly", "30 1 1 1 *", 31_622_400),
        "health.medical_licence": ("on_demand", None, None),
    }
    changed = deepcopy(content)
    for name, (cycle, _, _) in cycles.items():
        changed["entries"][name]["update_cycle"] = cycle

    dags = parse(changed)["dags"]

    for name, (cycle, cron, seconds) in cycles.items():
        (promised,) = dags[name]["tasks"]["publish"]["outlets"].values()
        assert (name, dags[name]["schedule"]["cron"]) == (name, cron)
        assert promised == {"update_cycle": cycle, "freshness_seconds": seconds}


@pytest.mark.requirement("COL-04")
def test_a_schedule_is_of_the_citys_clock_and_starts_at_once(city: dict[str, Any]) -> None:
    schedule = city["dags"][ENTRY]["schedule"]

    assert schedule["time_zone"] == "Asia/Shanghai"
    assert schedule["at_once"] is True


@pytest.mark.requirement("CAT-01")
def test_an_entry_that_is_not_in_the_release_has_no_dag(
    parse: Any, content: dict[str, Any]
) -> None:
    without = deepcopy(content)
    del without["entries"][ENTRY]

    assert ENTRY not in parse(without)["dags"]
    assert parse(without, asked=ENTRY)["dags"].keys() <= ALWAYS


def test_a_task_process_builds_only_the_dag_it_asks_for(
    parse: Any, content: dict[str, Any]
) -> None:
    built = set(parse(content, asked=ENTRY)["dags"])
    built_for_subject = set(parse(content, asked="subject-legal_entity")["dags"])

    assert built == {ENTRY, *ALWAYS}
    assert built_for_subject == {"subject-legal_entity", *ALWAYS}


@pytest.mark.requirement("SHR-16")
def test_a_subject_is_built_by_the_publication_of_its_sources(city: dict[str, Any]) -> None:
    schedule = city["dags"]["subject-legal_entity"]["schedule"]

    assert schedule["condition"] == "AssetAny"
    assert schedule["assets"] == [
        "yishu://unified/civil_affairs.social_organisation",
        "yishu://unified/market_regulation.enterprise_registration",
        "yishu://unified/taxation.taxpayer",
    ]


def test_the_library_is_released_when_every_subject_is_built_and_every_morning_at_the_latest(
    city: dict[str, Any],
) -> None:
    dags = city["dags"]
    builds = [dag["tasks"]["build"] for dag in dags.values() if "build" in dag["tasks"]]
    built = [uri for build in builds for uri in build["outlets"]]

    schedule = dags["library-release"]["schedule"]

    assert schedule["condition"] == "AssetAll"
    assert schedule["assets"] == sorted(built)
    assert (schedule["kind"], schedule["cron"]) == ("AssetOrTimeSchedule", "0 6 * * *")
    assert schedule["time_zone"] == "Asia/Shanghai"


def test_a_subject_that_waits_for_all_is_published_on_the_slowest_schedule_at_the_latest(
    parse: Any, content: dict[str, Any]
) -> None:
    waiting = deepcopy(content)
    waiting["subjects"]["legal_entity"]["late_department"] = "wait_for_all"
    waiting["entries"][ENTRY]["update_cycle"] = "monthly"
    waiting["entries"]["civil_affairs.social_organisation"]["update_cycle"] = "daily"

    schedule = parse(waiting, asked="subject-legal_entity")["dags"]["subject-legal_entity"][
        "schedule"
    ]

    assert schedule["condition"] == "AssetAll"
    assert (schedule["kind"], schedule["cron"]) == ("AssetOrTimeSchedule", "30 1 1 * *")


def test_a_dag_file_is_a_table_of_contents() -> None:
    files = sorted((ROOT / "dags").glob("*.py"))

    names = [
        "alarms", "deliver_shares", "entries", "expire_grants", "library_release",
        "maintenance", "subjects", "supervision",
    ]  # fmt: skip
    assert [file.stem for file in files] == names
    assert all(len(file.read_text("utf-8").splitlines()) <= 80 for file in files)


def test_only_an_entry_with_an_arrival_rule_waits_and_its_wait_holds_no_worker(
    parse: Any, content: dict[str, Any]
) -> None:
    waiting = deepcopy(content)
    waiting["entries"]["taxation.taxpayer"]["source"]["arrival"] = "done_marker"

    parsed = parse(waiting)

    waits = {name for name, dag in entry_dags(parsed).items() if "arrive" in dag["tasks"]}
    assert waits == {"taxation.taxpayer"}
    tasks = parsed["dags"]["taxation.taxpayer"]["tasks"]
    assert {name: task["after"] for name, task in tasks.items()} == {
        "arrive": [],
        "pull": ["arrive"],
        "validate": ["pull"],
        "publish": ["validate"],
    }
    assert (
        tasks["arrive"]["pool"] == waiting["entries"]["taxation.taxpayer"]["source"]["connection"]
    )
    assert tasks["arrive"]["retries"] >= 2
    assert tasks["arrive"]["timeout"]
    assert parsed["heavy"] == []


def test_supervision_runs_every_morning_and_every_hour_and_tells_when_it_is_late(
    city: dict[str, Any],
) -> None:
    daily, hourly = (city["dags"][f"supervision-{name}"] for name in ("daily", "hourly"))

    assert (daily["schedule"]["cron"], hourly["schedule"]["cron"]) == ("0 8 * * *", "10 * * * *")
    for dag in (daily, hourly):
        assert dag["schedule"]["time_zone"] == "Asia/Shanghai"
        assert dag["deadlines"] == [
            {"after": 3600.0, "tells": "yishu.orchestration.supervision.tell_late_sweep"}
        ]
        assert dag["tasks"]["deliver"]["after"] == ["sweep"]

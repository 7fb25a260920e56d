"""What a person reads about a DAG in Airflow's UI: Chinese and English, rendered from the catalog.

Nothing here is typed by hand about one entry, so the text can never disagree with the promise.
"""

from datetime import timedelta

from catalog.model import CatalogEntry, CatalogView, DataItem, Subject
from catalog.vocabulary import LateDepartment

_STAGES_ZH = "拉取 → 校验 → 发布"


def limit_zh(limit: timedelta | None) -> str:
    """A freshness limit in Chinese; None is no limit."""
    if limit is None:
        return "无"
    if limit.days:
        return f"{limit.days} 天"
    return f"{int(limit.total_seconds()) // 60} 分钟"


def limit_en(limit: timedelta | None) -> str:
    """A freshness limit in English; None is no limit."""
    if limit is None:
        return "none"
    if limit.days:
        return f"{limit.days} day{'s' if limit.days > 1 else ''}"
    return f"{int(limit.total_seconds()) // 60} minutes"


def entry_doc(entry: CatalogEntry, catalog: CatalogView) -> str:
    """Markdown about an entry's DAG: what, whose, how often, what is checked, how it is shared."""
    department = catalog.departments[entry.provider_org].name
    cycle = entry.update_cycle
    lines = [
        f"## {entry.name}",
        "",
        f"{entry.summary}",
        "",
        f"- 提供部门：{department}；数据类别：{entry.data_kind.label_zh}；"
        f"目录版本：{entry.version}（{entry.published_on:%Y-%m-%d} 发布）",
        f"- 更新周期：{cycle.label_zh}；时效上限：{limit_zh(cycle.freshness)}",
        f"- 来源系统：{entry.data_source}（{entry.source.kind.label_zh}，"
        f"连接 `{entry.source.connection}`）",
        f"- 共享属性：{entry.share.type.label_zh}；主键：{_codes(entry.key)}",
        f"- 步骤：{_STAGES_ZH}。重跑不会产生重复数据；"
        f"超过 {entry.quality.max_quarantined_share:.0%} 的行被隔离时不发布。",
        "",
        f"**`{entry.id}`** in English: pulls the {len(entry.items)} catalogued columns from "
        f"connection `{entry.source.connection}` ({entry.source.kind.value}), checks them, "
        "quarantines failing rows with their reasons, and publishes one atomic version of the "
        "unified table.",
        "",
        f"- Department `{entry.provider_org}`, kind `{entry.data_kind.value}`, entry version "
        f"{entry.version}, share type `{entry.share.type.value}`",
        f"- Update cycle `{cycle.value}`, schedule {_schedule(cycle.cron)}, freshness limit "
        f"{limit_en(cycle.freshness)}",
        "- Run it again at any time: a run is published once. If it fails, the log names the "
        "source, the column, what was expected and what to do; the library is unchanged.",
        "",
        "| 信息项 | field | type | 敏感级别 | 可空 |",
        "| --- | --- | --- | --- | --- |",
        *(_item_row(item) for item in entry.items),
    ]
    return "\n".join(lines)


def subject_doc(subject: Subject, sources: tuple[str, ...], catalog: CatalogView) -> str:
    """Markdown about a subject's DAG: its meaning, its sources, what a late department does."""
    late = subject.late_department
    when_en = {
        LateDepartment.PUBLISH_WITHOUT: "Built whenever one source arrives, without waiting.",
        LateDepartment.WAIT_FOR_ALL: "Built when all sources have arrived; on the schedule of the "
        "slowest at the latest, with what is there.",
    }
    lines = [
        f"## {subject.name}",
        "",
        subject.meaning,
        "",
        f"- 类别：{subject.family.label_zh}；主键：{_codes(subject.key)}；迟到处理：{late.label_zh}",
        "- 来源：" + "、".join(f"{catalog.entries[entry].name}（`{entry}`）" for entry in sources),
        "",
        f"**Subject `{subject.id}`** in English: joins its columns from {len(sources)} published "
        f"entries, one source for each element and scope. {when_en[late]}",
        "",
        "- Sources: " + ", ".join(f"`{entry}`" for entry in sources),
        "- Every row names its department, entry and run; rows that link to nothing are listed.",
    ]
    return "\n".join(lines)


MAINTENANCE_DOC = """\
## 日常维护

压缩小文件、清理过期版本、按目录规定的期限删除落地区与隔离区数据；计数与摘要永久保留。

**Maintenance** in English: compacts the tables of the library, vacuums versions past their
retention, and purges landing and quarantine past the retention of their entry. Counts and
digests are kept. Safe to run at any time, also while entries are published.
"""


def _schedule(cron: str | None) -> str:
    return f"`{cron}` Asia/Shanghai" if cron else "on demand only"


def _codes(names: tuple[str, ...]) -> str:
    return "、".join(f"`{name}`" for name in names)


def _item_row(item: DataItem) -> str:
    nullable = "是" if item.nullable else "否"
    return (
        f"| {item.name} | `{item.field}` | {item.type.value} "
        f"| {item.sensitivity.label_zh} | {nullable} |"
    )

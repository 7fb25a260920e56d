"""What a person reads about a DAG in Airflow's UI: Chinese and English, rendered from the catalog.

Nothing here is typed by hand about one entry, so the text can never disagree with the promise.
"""

from datetime import timedelta

from catalog.model import CatalogEntry, CatalogView, DataItem, Subject
from catalog.vocabulary import LateDepartment

_LATE_EN = {
    LateDepartment.PUBLISH_WITHOUT: "Built whenever one source arrives; it waits for nobody.",
    LateDepartment.WAIT_FOR_ALL: (
        "Built when all sources have arrived; at the latest on the schedule of the slowest, "
        "with what is there."
    ),
}


SINCE = (
    "重新读取历史的起点（时间、日期或批次号，含）；留空则接着上次的位置。"
    "Read again from this stamp or batch on; empty: from where the library stands."
)
UNTIL = (
    "本次拉取的终点（不含）；留空则读到最新。"
    "Stop before this stamp or batch; empty: read all there is."
)
"""What the parameters of a run by hand mean; only entries pulled by changes have them."""


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
    cycle = entry.update_cycle
    source = entry.source
    department = catalog.departments[entry.provider_org].name
    published = f"{entry.published_on:%Y-%m-%d}"
    items = "\n".join(_item_row(item) for item in entry.items)
    return f"""\
## {entry.name}

{entry.summary}

- 提供部门：{department}；数据类别：{entry.data_kind.label_zh}
- 目录版本：{entry.version}（{published} 发布）
- 更新周期：{cycle.label_zh}；时效上限：{limit_zh(cycle.freshness)}
- 来源系统：{entry.data_source}（{source.kind.label_zh}，连接 `{source.connection}`）
- 共享属性：{entry.share.type.label_zh}；主键：{_codes(entry.key, "、")}
- 步骤：拉取 → 校验 → 发布。重跑不会产生重复数据。
- 隔离行超过 {entry.quality.max_quarantined_share:.0%} 时不发布，已发布的数据不变。

**In English.** `{entry.id}` pulls the {len(entry.items)} catalogued columns from connection
`{source.connection}` ({source.kind.value}), checks them, sets failing rows aside with their
reasons, and publishes one atomic version of the unified table.

- Department `{entry.provider_org}`, kind `{entry.data_kind.value}`, version {entry.version},
  share type `{entry.share.type.value}`
- Update cycle `{cycle.value}`: schedule {_schedule(cycle.cron)}, freshness limit
  {limit_en(cycle.freshness)}
- Run it again at any time: a run is published once. When it fails, the log names the source, the
  column, what was expected and what to do; what was published stays as it is.

| 信息项 Item | field | type | 敏感级别 Sensitivity | 可空 Nullable |
| --- | --- | --- | --- | --- |
{items}
"""


def subject_doc(subject: Subject, sources: tuple[str, ...], catalog: CatalogView) -> str:
    """Markdown about a subject's DAG: its meaning, its sources, what a late department does."""
    late = subject.late_department
    named = "、".join(f"{catalog.entries[entry].name}（`{entry}`）" for entry in sources)
    return f"""\
## {subject.name}

{subject.meaning}

- 类别：{subject.family.label_zh}；主键：{_codes(subject.key, "、")}
- 来源：{named}
- 部门迟到时：{late.label_zh}

**In English.** Subject `{subject.id}` is joined from {len(sources)} published entries, one source
for each element and scope. {_LATE_EN[late]}

- Key: {_codes(subject.key, ", ")}
- Sources: {_codes(sources, ", ")}
- Every row names its department, entry and run; rows that link to nothing are listed.
"""


def _schedule(cron: str | None) -> str:
    return f"`{cron}` Asia/Shanghai" if cron else "on demand only"


def _codes(names: tuple[str, ...], between: str) -> str:
    return between.join(f"`{name}`" for name in names)


def _item_row(item: DataItem) -> str:
    cells = (
        item.name,
        f"`{item.field}`",
        item.type.value,
        f"{item.sensitivity.label_zh} {item.sensitivity.value}",
        "是 yes" if item.nullable else "否 no",
    )
    return f"| {' | '.join(cells)} |"

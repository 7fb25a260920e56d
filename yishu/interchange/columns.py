"""The columns of a table of entries, once: for templates, exports, imports and their notes.

The order is that of the national guide's thirteen elements (发改高技〔2017〕1272号): 信息项信息
stands at its eighth place, a row an item; what other texts and the pipeline need follows. A row
with an entry id begins an entry, rows without one are more items of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from catalog import vocabulary as v
from catalog.vocabulary import Labelled
from yishu.interchange.errors import CellFault

JOINT = "、"
YES, NO = "是", "否"


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        path: Key of an entry, or of an item when ``of_item``; parts joined by dots.
        heading: What stands in the first row.
        note: What belongs there, for the cell's note.
        choices: The closed set of its values; cells hold the Chinese label, or the value.
        shape: ``text``, ``list`` (joined by 、), ``number``, ``flag`` (是 or 否), ``parts`` (YAML).
        managed: Filled in by the process: written out, not read in.
    """

    path: str
    heading: str
    note: str
    choices: type[Labelled] | None = None
    shape: str = "text"
    of_item: bool = False
    managed: bool = False
    width: int = 16


def _item(path: str, heading: str, note: str, **more: Any) -> Column:
    return Column(path, heading, note, of_item=True, **more)


COLUMNS: tuple[Column, ...] = (
    Column(
        "id",
        "条目标识",
        "部门.条目，小写英文，例如 taxation.taxpayer；同一条目的其余数据项行可留空",
        width=30,
    ),
    Column("category_path", "信息资源分类", "类、项、目、细目，用、隔开", shape="list", width=40),
    Column("name", "信息资源名称", "目录名称", width=28),
    Column("resource_code", "信息资源代码", "分类码/顺序码，例如 307015020011000001/1", width=26),
    Column("provider_org", "信息资源提供方", "部门标识，例如 taxation"),
    Column("summary", "信息资源摘要", "不超过 256 个字", width=48),
    Column("format.format_class", "信息资源格式分类", "例如 数据库、电子文件、电子表格、服务接口"),
    Column("format.format_type", "信息资源格式类型", "例如 postgresql、csv、xlsx"),
    _item("name", "信息项名称", "中文名称；每个数据项一行", width=22),
    _item("field", "信息项字段", "小写英文字段名", width=20),
    _item("type", "数据类型", "从列表中选", choices=v.DataType),
    _item("length", "数据长度", "字符数，可空", shape="number"),
    _item("scale", "小数位数", "可空", shape="number"),
    _item("unit", "计量单位", "例如 元、年，可空"),
    _item("nullable", "可为空", "是或否；留空为是", shape="flag"),
    _item("format", "取值规则", "有专门校验规则的标识，可空", choices=v.ItemFormat),
    _item("code_list", "代码表", "代码表标识，可空"),
    _item("pattern", "取值格式", "正则表达式，可空"),
    _item("minimum", "最小值", "可空", shape="number"),
    _item("maximum", "最大值", "可空", shape="number"),
    _item("open_ended", "允许无截止日期", "是或否；留空为否", shape="flag"),
    _item("sensitivity", "敏感程度", "必填，不明确时不得视为不敏感", choices=v.Sensitivity),
    _item("mask", "脱敏方式", "个人信息必须脱敏", choices=v.Mask),
    _item("element", "数据元", "数据元标识，例如 legal_entity.uscc，可空", width=24),
    _item("column", "源字段", "部门系统中的字段名；留空与信息项字段相同"),
    _item("responsible_org", "信息项责任部门", "部门标识；留空为提供方"),
    _item("share_type", "信息项共享类型", "与目录不同时填写", choices=v.ShareType),
    Column("share.type", "共享类型", "从列表中选", choices=v.ShareType),
    Column("share.condition", "共享条件", "有条件共享时必填", width=30),
    Column("share.basis", "共享依据", "有条件共享、不予共享时填写法律依据", width=30),
    Column(
        "share.modes",
        "共享方式",
        "服务接口、批量交换、文件下载，用、隔开",
        v.ShareMode,
        "list",
        width=24,
    ),
    Column("open.type", "开放类型", "从列表中选", choices=v.OpenType),
    Column("open.condition", "开放条件", "有条件开放时必填", width=24),
    Column("update_cycle", "更新周期", "从列表中选", choices=v.UpdateCycle),
    Column("published_on", "发布日期", "由系统填写，导入时不读取", managed=True),
    Column("related_codes", "关联资源代码", "信息资源代码，用、隔开，可空", shape="list", width=24),
    Column("data_kind", "数据种类", "从列表中选", choices=v.DataKind),
    Column("data_source", "数据来源", "业务系统名称", width=24),
    Column("use_condition", "使用条件", "例如 仅限用于履行法定职责", width=30),
    Column("data_grade", "数据分类分级", "从列表中选", choices=v.DataGrade),
    Column("secrecy", "涉密属性", "只接受非涉密", choices=v.Secrecy),
    Column("service_items", "关联政务服务事项", "事项编码，用、隔开，可空", shape="list", width=24),
    Column("key", "主键", "信息项字段，用、隔开", shape="list"),
    Column(
        "source",
        "来源系统",
        "YAML，例如 {connection: taxation_drop, kind: csv}",
        shape="parts",
        width=40,
    ),
    Column("quality", "质量规则", "YAML，可空", shape="parts", width=24),
    Column("retention", "保存期限", "YAML，可空", shape="parts", width=24),
    Column("extensions", "扩展信息", "YAML，可空", shape="parts", width=24),
)

PLACES = {(column.of_item, column.path): at for at, column in enumerate(COLUMNS)}
HEADINGS = {column.heading: column for column in COLUMNS}


def place_of(path: Sequence[str | int]) -> tuple[int, int | None]:
    """Column (from 0) and item (from 0, None: the entry) where a path of an entry stands."""
    if path and path[0] == "items":
        item = path[1] if len(path) > 1 and isinstance(path[1], int) else 0
        key = str(path[2]) if len(path) > len(("items", 0)) else "name"
        return PLACES.get((True, key), PLACES[True, "name"]), item
    for length in range(len(path), 0, -1):
        key = ".".join(map(str, path[:length]))
        if (False, key) in PLACES:
            return PLACES[False, key], None
    below = [
        at
        for (of_item, key), at in PLACES.items()
        if path and not of_item and key.startswith(f"{path[0]}.")
    ]
    return (min(below) if below else 0), None


def fault(
    row: int, column: int, entry_id: str, *, code: str, found: str, expected: str, remedy: str
) -> CellFault:
    """A fault of a cell; row and column from 1, column 0: the row as a whole."""
    heading = COLUMNS[column - 1].heading if column else ""
    return CellFault(row, column, heading, entry_id, code, found, expected, remedy)

"""Which text demands which element of a catalog entry.

Three texts: the regulation (S004 Art.14, six elements), the decree (Decree 809 Art.13, nine) and
the national guide (发改高技〔2017〕1272号, thirteen). What Yishu itself needs to run is marked so.
"""

from dataclasses import dataclass

S004 = "S004 Art.14"
DECREE = "Decree 809 Art.13"


@dataclass(frozen=True)
class Origin:
    """The element that a key of an entry stands for, and the texts that demand it.

    ``texts`` is empty for what no text demands but the pipeline cannot do without.
    """

    element: str
    texts: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.element}, {'; '.join(self.texts) if self.texts else 'needed to run the pull'}"
        )


def _guide(number: int, name: str) -> str:
    return f"Guide 1272 no.{number} {name}"


ORIGINS: dict[str, Origin] = {
    "category_path": Origin("信息资源分类", (_guide(1, "信息资源分类"),)),
    "name": Origin("名称", (f"{S004} 名称", f"{DECREE} 数据目录名称", _guide(2, "信息资源名称"))),
    "resource_code": Origin("信息资源代码", (_guide(3, "信息资源代码"),)),
    "provider_org": Origin(
        "提供单位", (f"{DECREE} 提供单位", _guide(4, "提供方"), _guide(5, "提供方代码"))
    ),
    "data_source": Origin("数据来源", (f"{S004} 数据来源",)),
    "summary": Origin("内容", (f"{S004} 内容", _guide(6, "信息资源摘要"))),
    "format": Origin("数据格式", (f"{DECREE} 数据格式", _guide(7, "信息资源格式"))),
    "items": Origin("数据项", (f"{S004} 内容", f"{DECREE} 数据项", _guide(8, "信息项信息"))),
    "share": Origin("共享属性", (f"{S004} 共享属性", f"{DECREE} 共享属性", _guide(9, "共享属性"))),
    "share.type": Origin("共享类型", (f"{DECREE} 共享属性", _guide(9, "共享属性"))),
    "share.modes": Origin("共享方式", (f"{DECREE} 共享方式", _guide(9, "共享属性"))),
    "open": Origin("开放属性", (f"{S004} 开放属性", _guide(10, "开放属性"))),
    "open.type": Origin("开放类型", (f"{S004} 开放属性", _guide(10, "开放属性"))),
    "update_cycle": Origin(
        "更新周期", (f"{S004} 更新周期", f"{DECREE} 数据更新频率", _guide(11, "更新周期"))
    ),
    "published_on": Origin("发布日期", (_guide(12, "发布日期"),)),
    "use_condition": Origin("使用条件", (f"{DECREE} 使用条件",)),
    "data_grade": Origin("数据分类分级", (f"{DECREE} 数据分类分级",)),
    "secrecy": Origin("涉密属性", ("S004 Art.2", "Decree 809 Art.3", "Guide 1272 涉密属性")),
    "data_kind": Origin("数据种类", ("S004 Art.13",)),
    "confidentiality_review": Origin("保密审查", ("S003 二(九)", "Decree 809 Art.13")),
    "id": Origin("条目标识", ()),
    "version": Origin("版本", ()),
    "key": Origin("主键", ()),
    "source": Origin("来源系统", ()),
}
"""Every mandatory key of an entry."""

REGULATION_SIX: dict[str, tuple[str, ...]] = {
    "名称": ("name",),
    "内容": ("summary", "items"),
    "数据来源": ("data_source",),
    "共享属性": ("share",),
    "开放属性": ("open",),
    "更新周期": ("update_cycle",),
}
"""The six elements of S004 Art.14 and the keys that hold them."""

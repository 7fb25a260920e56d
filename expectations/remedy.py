"""What a clerk of the source department does about a failing check, in Chinese, one line a kind."""

from collections.abc import Mapping, Sequence

from catalog.vocabulary import QualityDimension

FIXES: Mapping[str, str] = {
    "present": "在源系统补填{names}",
    "readable": "按要求的类型重新填写{names}，去掉多余文字",
    "length": "缩短{names}，超长内容移到备注",
    "code_list": "把{names}改为代码表中的代码；确需新代码的，先申请更新目录",
    "format": "核对证照原件后更正{names}；位数、字母和校验码都要与原件一致",
    "organisation": "核对组织机构代码段，更正{names}",
    "pattern": "按目录规定的格式更正{names}",
    "range": "核实{names}的数值和计量单位后更正",
    "date_text": "把{names}改为真实日期；长期有效的填 9999-12-31",
    "money_text": "把{names}改为以元为单位的数值",
    "not_future": "核实{names}，日期不应在将来",
    "unique": "找出{names}相同的各行，保留正确的一行",
    "ordered": "核实{names}的先后后更正",
    "sum_within": "核实{names}，使合计与分项一致",
    "sex_agrees": "核实{names}，性别与证件号码应一致",
    "id_by_type": "核实{names}，号码应与证件类型相符",
    "valid_on": "改用该日期有效的代码更正{names}",
    "exists": "补报被引用的记录，或更正{names}",
    "unclassified": "立即停止报送带密级标志的内容，并报本部门保密机构处理",
    "clear_wording": "把{names}中的模糊表述改为明确要求",
    "guide": "按办事指南要素补全{names}",
    "timely": "按目录的更新周期按时报送",
    "volume": "核实本批数据是否完整，说明增减原因",
    "drift": "核实{names}的取值分布为何变化",
}
"""By the value of `CheckKind`."""

_BY_DIMENSION: Mapping[QualityDimension, str] = {
    QualityDimension.CONFORMITY: "按标准更正{names}",
    QualityDimension.COMPLETENESS: "补全{names}",
    QualityDimension.ACCURACY: "核实并更正{names}",
    QualityDimension.CONSISTENCY: "核实{names}与相关数据是否一致后更正",
    QualityDimension.TIMELINESS: "按时报送{names}",
    QualityDimension.ACCESSIBILITY: "保证源系统可访问",
}


def fix_zh(kind: str, dimension: QualityDimension, names: Sequence[str]) -> str:
    """The way out of a failing check.

    Args:
        kind: Kind of the check.
        dimension: Its dimension, which decides for a kind without a line of its own.
        names: Chinese names of the items that it reads.
    """
    return FIXES.get(kind, _BY_DIMENSION[dimension]).format(names="、".join(names))

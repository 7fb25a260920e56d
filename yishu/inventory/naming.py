"""Headings of departments -> field names: known names first, then known words, then a number.

Headings are Chinese, with brackets, spaces and units, or abbreviations in capitals. A field is an
ordinary identifier that a person can still change in the draft.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping

from catalog.model import CatalogView

MOST = 63
"""Characters of a field name (PostgreSQL's limit on names)."""

WORDS: Mapping[str, str] = {
    "统一社会信用代码": "uscc", "社会信用代码": "uscc", "公民身份号码": "resident_id_no",
    "居民身份证号码": "resident_id_no", "身份证号码": "resident_id_no",
    "身份证号": "resident_id_no", "身份证件号码": "id_document_no", "证件号码": "id_document_no",
    "证件类型": "id_document_type", "法定代表人": "legal_representative",
    "负责人": "person_in_charge", "经营者": "operator", "联系人": "contact", "联系电话": "phone",
    "手机号码": "mobile_phone", "手机号": "mobile_phone", "移动电话": "mobile_phone",
    "电话": "phone", "姓名": "name", "企业名称": "enterprise_name", "单位名称": "unit_name",
    "机构名称": "organisation_name", "名称": "name", "性别": "sex", "民族": "ethnicity",
    "出生日期": "birth_date", "户籍": "household", "居住": "residence", "地址": "address",
    "住址": "address", "住所": "address", "经营范围": "business_scope", "经营": "business",
    "注册资本": "registered_capital", "注册": "registered", "登记": "registered",
    "机关": "authority", "部门": "department", "单位": "unit", "企业": "enterprise",
    "机构": "organisation", "成立": "established", "许可证": "permit", "许可": "permit",
    "执照": "licence", "证照": "licence", "证书": "certificate", "发证": "issuing",
    "颁发": "issuing", "签发": "issuing", "有效期": "validity", "起始": "start", "开始": "start",
    "截止": "end", "终止": "end", "结束": "end", "至": "to", "自": "from", "注销": "cancelled",
    "变更": "changed", "更新": "updated", "创建": "created", "受理": "accepted",
    "办结": "completed", "申请人": "applicant", "申请": "application", "审批": "approval",
    "事项": "item", "编码": "code", "代码": "code", "编号": "number", "号码": "number",
    "证号": "certificate_no", "序号": "serial_no", "类型": "type", "类别": "category",
    "种类": "kind", "状态": "status", "级别": "grade", "等级": "grade", "结果": "result",
    "原因": "reason", "备注": "remark", "说明": "remark", "数量": "quantity", "金额": "amount",
    "税额": "tax_amount", "面积": "area", "年度": "year", "时间": "time", "日期": "date",
    "行政区划": "region", "区划": "region", "区县": "district", "行业": "industry",
    "项目": "project", "工程": "project", "车辆": "vehicle", "车牌号": "plate_no",
    "邮政编码": "postcode", "邮编": "postcode", "经度": "longitude", "纬度": "latitude",
    "人数": "headcount", "总": "total", "主键": "row_id",
}  # fmt: skip
_LONGEST = max(map(len, WORDS))

_BRACKETS = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]|【([^【】]*)】")
_UNITS = frozenset({
    "元", "万元", "亿元", "美元", "人", "人次", "户", "个", "件", "次",
    "套", "台", "辆", "天", "日", "月", "年", "小时", "分钟", "米",
    "公里", "千米", "平方米", "亩", "公顷", "吨", "千克", "公斤", "%", "个工作日",
})  # fmt: skip
_LATIN = re.compile(r"[a-z0-9]+")
_HAN = re.compile(r"[一-鿿]")


def unit_of(heading: str) -> str | None:
    """The unit that a heading gives in brackets, e.g. 元 in ``金额（元）``."""
    for found in _BRACKETS.finditer(_plain(heading)):
        inside = next(filter(None, found.groups()), "").removeprefix("单位:").strip()
        if inside in _UNITS:
            return inside
    return None


def bare(heading: str) -> str:
    """A heading without brackets, width and blanks: what two departments both mean."""
    return re.sub(r"[\s:*]+", "", _BRACKETS.sub("", _plain(heading)))


def known_names(catalog: CatalogView) -> dict[str, str]:
    """Field names that the city already uses, by the name of the item or data element."""
    names = {element.name: element.id.partition(".")[2] for element in catalog.elements.values()}
    for entry in catalog.entries.values():
        for item in entry.items:
            names.setdefault(item.name, item.field)
    return names


def fields(headings: Iterable[str], known: Mapping[str, str]) -> list[str]:
    """A field name for each heading, all different, in order."""
    taken: set[str] = set()
    result = []
    for number, heading in enumerate(headings, 1):
        stem = _field(heading, known) or f"column_{number:02}"
        name, again = stem, 2
        while name in taken:
            suffix = f"_{again}"
            name, again = stem[: MOST - len(suffix)] + suffix, again + 1
        taken.add(name)
        result.append(name)
    return result


def _plain(heading: str) -> str:
    return unicodedata.normalize("NFKC", heading)


def _field(heading: str, known: Mapping[str, str]) -> str | None:
    text = bare(heading)
    if text in known:
        return known[text]
    if not _HAN.search(text):
        # "fdDBRXm" and "QYMC" stay one word; "companyName" becomes two.
        spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])", "_", _BRACKETS.sub("", _plain(heading)))
        return _identifier(_LATIN.findall(spaced.lower()))
    return _identifier(_words(text))


def _words(text: str) -> list[str]:
    """The known words of a Chinese heading; nothing when half of it or more is unknown."""
    found, known, place = [], 0, 0
    while place < len(text):
        for size in range(min(_LONGEST, len(text) - place), 0, -1):
            word = WORDS.get(text[place : place + size])
            if word:
                found.append(word)
                known += size
                place += size
                break
        else:
            latin = _LATIN.match(text[place:].lower())
            if latin:
                found.append(latin.group())
                known += latin.end()
            place += latin.end() if latin else 1
    return found if known * 2 > len(text) else []


def _identifier(words: list[str]) -> str | None:
    name = "_".join(words)[:MOST].strip("_")
    if not name:
        return None
    return name if name[0].isalpha() else f"c_{name}"[:MOST]

"""Personal data found by their values: a heading alone neither proves nor excludes them.

Resident identity numbers by their check digit, mobile phones by their form, names by the share that
begins with a surname of the national list, addresses by their words. A few hits among many values
already make a column sensitive: a remark that quotes an identity number is one.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from catalog.identifiers import check
from catalog.vocabulary import ItemFormat, Mask, Sensitivity

SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏"
    "苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付傅方邹熊白孟秦邱侯江尹薛闫阎雷龙黎史陶贺毛段郝顾"
    "龚邵万覃武钱戴严莫孔向常汤康易乔牛温芦俞葛章庄聂倪包翟殷荣裴焦齐申耿关兰左季柳祝翁柏华舒纪"
    "宁成鲁童詹欧单靳祁盛刁颜冉涂尚艾卫蒲游岳穆项卞缪查闵巫佘褚娄岑尤施戚喻水窦云奚郎昌苗凤花酆"
    "鲍费廉滕毕邬安乐时皮伍元卜平和萧湛禹狄米贝明臧计伏谈茅庞屈阮蓝席麻强路危梅骆樊凌霍虞支柯昝"
    "管经房裘干解应宗宣贲郁杭洪诸吉钮嵇邢滑荀羊於惠甄曲家封芮羿储汲邴糜松井富乌巴弓牧隗山谷车宓"
    "蓬全郗班仰秋仲伊宫仇栾暴甘钭厉戎祖符景束幸司韶郜蓟薄印宿怀邰从鄂索咸籍赖卓蔺屠蒙池阴胥能苍"
    "双闻莘党贡劳逄姬扶堵宰郦雍郤璩桑桂濮寿通边扈燕冀郏浦农别晏柴瞿充慕连茹习宦鱼容古慎戈庾终暨"
    "居衡步都满弘匡国文寇广禄阙东殳沃利蔚越夔隆师巩厍晁勾敖融冷訾辛阚那简饶空毋沙乜养鞠须丰巢蒯"
    "相后荆红竺权逯盖益桓公仝尉代原楚苑甯"
)
"""Single-character surnames in use; the commonest first, then those of 百家姓."""

COMPOUND = ("欧阳", "上官", "司马", "诸葛", "司徒", "皇甫", "尉迟", "公孙", "慕容", "夏侯", "东方")

MOSTLY = 0.8
NAMES = 0.7
"""Share of names by surname: some have rare ones, and some values are no names at all."""

FEWEST_NAMES = 5
SOME = 0.01
"""Share of values from which a column counts as sensitive for what a few of them hold."""

_NAME = re.compile(r"[㐀-鿿𠀀-𯿿]{2,4}|[㐀-鿿]{1,10}·[㐀-鿿·]{1,15}")
_PLACES = "省市区县镇乡村街道路巷弄号室栋幢楼组"
_RESIDENT_ID = re.compile(r"(?<![0-9A-Za-z])\d{17}[\dXx](?![0-9A-Za-z])")
_PHONE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
_ADDRESS_WORDS = 3

_BY_NAME: tuple[tuple[str, Sensitivity, Mask], ...] = (
    ("身份证|公民身份|证件号码|sfz|gmsfhm|id_?card", Sensitivity.SENSITIVE_PERSONAL, Mask.FULL),
    ("姓名|xingming|^xm$", Sensitivity.PERSONAL, Mask.NAME),
    ("手机|电话|phone|mobile|lxdh|sjh", Sensitivity.PERSONAL, Mask.PHONE),
    ("住址|家庭地址|居住地|jtzz", Sensitivity.PERSONAL, Mask.ADDRESS),
    ("病|诊断|宗教|指纹|人脸|银行卡|账号", Sensitivity.SENSITIVE_PERSONAL, Mask.FULL),
)


@dataclass(frozen=True)
class Finding:
    """How sensitive a column is, and what shows it; ``evidence`` quotes no value."""

    sensitivity: Sensitivity
    mask: Mask
    evidence: str
    by_values: bool = True


def examine(heading: str, values: Sequence[str]) -> Finding:
    """What distinct values, and failing these the heading, say about persons.

    What looks harmless is ``internal`` at least: that it may be public, a person says.
    """
    shown = _by_values(values) if values else None
    if shown:
        return shown
    for pattern, sensitivity, how in _BY_NAME:
        if re.search(pattern, heading, re.IGNORECASE):
            return Finding(sensitivity, how, "its heading; no value shows it", by_values=False)
    return Finding(
        Sensitivity.INTERNAL, Mask.NONE, f"nothing personal seen in {len(values)} values"
    )


def _by_values(values: Sequence[str]) -> Finding | None:
    ids = _share(values, _holds_resident_id)
    whole = _share(values, lambda text: check(ItemFormat.RESIDENT_ID, text.strip().upper()))
    if whole >= MOSTLY:
        return _found(Sensitivity.SENSITIVE_PERSONAL, Mask.RESIDENT_ID, "resident ids", whole)
    if ids >= SOME:
        return _found(Sensitivity.SENSITIVE_PERSONAL, Mask.FULL, "resident ids in", ids)
    phones = _share(values, lambda text: bool(_PHONE.fullmatch(text.strip())))
    if phones >= MOSTLY:
        return _found(Sensitivity.PERSONAL, Mask.PHONE, "mobile phones", phones)
    within = _share(values, lambda text: bool(_PHONE.search(text)))
    if within >= SOME:
        return _found(Sensitivity.PERSONAL, Mask.FULL, "mobile phones in", within)
    names = _share(values, _is_name)
    if names >= NAMES and len(values) >= FEWEST_NAMES:
        return _found(Sensitivity.PERSONAL, Mask.NAME, "names by surname", names)
    return None


def is_address(values: Sequence[str]) -> bool:
    """Whether most values read like postal addresses."""
    return _share(values, lambda text: sum(word in text for word in _PLACES) >= _ADDRESS_WORDS) >= (
        MOSTLY
    )


def _found(sensitivity: Sensitivity, how: Mask, what: str, share: float) -> Finding:
    return Finding(sensitivity, how, f"{what} {share:.0%} of the values")


def _share(values: Sequence[str], test: Callable[[str], bool]) -> float:
    return sum(map(test, values)) / len(values) if values else 0.0


def _holds_resident_id(text: str) -> bool:
    return any(check(ItemFormat.RESIDENT_ID, found.upper()) for found in _RESIDENT_ID.findall(text))


def _is_name(text: str) -> bool:
    text = text.strip().replace(" ", "")
    if not _NAME.fullmatch(text) or text[-1] in _PLACES:
        return False
    return text[0] in SURNAMES or text.startswith(COMPOUND) or "·" in text

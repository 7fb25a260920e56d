"""Invented names of people, companies and places, put together from syllables."""

from functools import cache
from itertools import product

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from example.chance import Dice, Index

REGIONS = {
    "320205": "锡山区",
    "320206": "惠山区",
    "320211": "滨湖区",
    "320213": "梁溪区",
    "320214": "新吴区",
    "320281": "江阴市",
    "320282": "宜兴市",
}
"""County-level regions of the city (GB/T 2260)."""

FORMER_REGIONS = ("320202", "320203", "320204")
"""Merged into 320213 in 2016; identity numbers given out before keep them."""

_SURNAMES = "安柏车丁范顾韩季康赖孟倪欧潘齐任沙谭尉项严郑卓甄蔺邬"
_GIVEN = "岚澄屿禾霁朔昀桐翊宁溪弈棠砚洛珩衍榆皓舟"
_BRANDS = "澄屿朔昀翊砚珩衍榆霁岚弈棠禾洛皓曜璟琮瑄晗铎骁翎"
_TRADES = (
    "机电设备", "精密机械", "新材料", "信息技术", "网络科技", "物流", "食品", "餐饮管理",
    "建筑工程", "装饰设计", "商贸", "服饰", "化工", "环保科技", "生物科技", "文化传媒",
    "教育咨询", "企业管理", "农业发展", "汽车服务",
)  # fmt: skip
_FORMS = ("有限公司", "股份有限公司", "合伙企业", "有限责任公司")
_CAUSES = ("志愿服务", "书画", "养老服务", "助学", "环境保护", "体育", "科普", "非遗传承")
_BODIES = ("协会", "促进会", "服务中心", "基金会")
_ROADS = "澄屿朔昀翊砚珩衍榆霁"


@cache
def _pool(name: str) -> pa.Array:
    return pa.array(_texts(name), pa.large_string())


def _texts(name: str) -> list[str]:
    if name == "person":
        given = list(_GIVEN) + ["".join(two) for two in product(_GIVEN, repeat=2)]
        return ["".join(parts) for parts in product(_SURNAMES, given)]
    if name == "brand":
        brands = ["".join(parts) for parts in product(_BRANDS, repeat=3)]
        return [place + brand for place in ("无锡", "无锡市", "江苏") for brand in brands]
    if name == "trade":
        return [trade + form for form in _FORMS for trade in _TRADES]
    if name == "cause":
        return [cause + body for body in _BODIES for cause in _CAUSES]
    if name == "road":
        roads = [a + b + kind for a, b, kind in product(_ROADS, _ROADS, ("路", "街"))]
        return [f"江苏省无锡市{region}{road}" for region in REGIONS.values() for road in roads]
    return [f"{number}号" for number in range(1, 1000)]


def _joined(*parts: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(*parts, pa.scalar("", pa.large_string()))


def from_pool(dice: Dice, salt: str, index: Index, pool: str) -> pa.Array:
    """A text of one pool for each index."""
    texts = _pool(pool)
    return texts.take(pa.array(dice.below(salt, index, len(texts))))


def person_names(dice: Dice, salt: str, index: Index) -> pa.Array:
    """Names of people."""
    return from_pool(dice, salt, index, "person")


def company_names(dice: Dice, salt: str, index: Index) -> pa.Array:
    """Names of companies, e.g. 无锡澄屿朔机电设备有限公司."""
    brand = from_pool(dice, f"{salt}.brand", index, "brand")
    return _joined(brand, from_pool(dice, f"{salt}.trade", index, "trade"))


def society_names(dice: Dice, salt: str, index: Index) -> pa.Array:
    """Names of social organisations, e.g. 无锡市澄屿朔书画协会."""
    brand = from_pool(dice, f"{salt}.brand", index, "brand")
    return _joined(brand, from_pool(dice, f"{salt}.cause", index, "cause"))


def addresses(dice: Dice, salt: str, index: Index, region: Index) -> pa.Array:
    """Addresses inside the region, given as its position in ``REGIONS``."""
    roads = _pool("road")
    a_region = len(roads) // len(REGIONS)
    road = region * a_region + dice.below(f"{salt}.road", index, a_region)
    return _joined(roads.take(pa.array(road)), from_pool(dice, f"{salt}.no", index, "number"))


def chosen(texts: tuple[str, ...] | list[str], choice: Index) -> pa.Array:
    """The text at each position."""
    return pa.array(texts, pa.large_string()).take(pa.array(np.asarray(choice)))

"""What a consumer does once a channel is open: a few lines for each tool that reads it."""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from catalog.model import CatalogView
from yishu.sharing.objects import SharedObject
from yishu.sharing.profile import profile
from yishu.sharing.vocabulary import ShareFormat

_LAYERS = {"unified": "统一数据库", "subject": "主题库"}
_SPARK_DELTA = "# pyspark --packages io.delta:delta-sharing-spark_2.13:…"
TOKEN = "$TOKEN"  # noqa: S105 - stands for one
"""What the shell puts in: the lines take the token from the environment, never from their text."""


@dataclass(frozen=True)
class Snippet:
    """Lines for one tool."""

    tool: str
    text: str


def profile_text(base_url: str, token: str, grant: Row[Any]) -> str:
    """The profile file of a Delta Sharing client."""
    return json.dumps(profile(base_url, token, grant.valid_until), ensure_ascii=False, indent=2)


def snippets(
    grant: Row[Any], object_: SharedObject, catalog: CatalogView, base_url: str
) -> list[Snippet]:
    """How the data of a grant are read, in the way that it was granted."""
    base = base_url.rstrip("/")
    kind = ShareFormat(grant.format)
    if kind is ShareFormat.DELTA_SHARING:
        return _delta(grant, object_, catalog)
    if kind is ShareFormat.DATABASE:
        return [Snippet("SQL", f"select * from {object_.id.replace('.', '_')} limit 10;")]
    if kind in (ShareFormat.JSON, ShareFormat.VERIFICATION):
        return _calls(grant, object_, base, kind)
    return _files(grant, base, kind)


def _delta(grant: Row[Any], object_: SharedObject, catalog: CatalogView) -> list[Snippet]:
    first = grant.provider_orgs[0]
    share = catalog.departments[first].name if first in catalog.departments else first
    name = object_.name.replace(".", "_").replace(" ", "_").replace("/", "_")
    table = f"{grant.grant_id}.share#{share}.{_LAYERS[object_.table.partition('/')[0]]}.{name}"
    loaded = f'frame = delta_sharing.load_as_pandas("{table}")'
    python = f"import delta_sharing\n\n{loaded}"
    spark = f'frame = spark.read.format("deltaSharing").load("{table}")'
    counted = 'print(duckdb.sql("select count(*) from frame"))'
    return [
        Snippet("pandas", python),
        Snippet("Spark", f"{_SPARK_DELTA}\n{spark}"),
        Snippet("DuckDB", f"import delta_sharing\nimport duckdb\n\n{loaded}\n{counted}"),
        Snippet("Excel", f'{python}\nframe.to_excel("{grant.grant_id}.xlsx", index=False)'),
    ]


def _calls(grant: Row[Any], object_: SharedObject, base: str, kind: ShareFormat) -> list[Snippet]:
    key = dict.fromkeys(object_.key, "…")
    asked: dict[str, Any] = {"purpose": grant.purpose_code, "case_no": "…"}
    path = "query"
    if kind is ShareFormat.VERIFICATION:
        path = "verify"
        others = [one for one in grant.columns if one not in object_.key]
        asked |= {"key": key, "claims": dict.fromkeys(others[:1], "…")}
    else:
        asked |= {"where": key}
    body = json.dumps(asked, ensure_ascii=False)
    python = (
        f'answer = requests.post(\n    "{base}/v1/{path}",\n    json={asked!r},\n'
        """    headers={"Authorization": f"Bearer {os.environ['TOKEN']}"},\n).json()"""
    )
    found = [
        Snippet(
            "curl",
            f'curl -X POST {base}/v1/{path} -H "Authorization: Bearer {TOKEN}" \\\n'
            f"  -H 'Content-Type: application/json' -d '{body}'",
        )
    ]
    if kind is ShareFormat.VERIFICATION:
        return [*found, Snippet("Python", f"import os\n\nimport requests\n\n{python}")]
    imports = "import os\n\nimport pandas\nimport requests"
    frame = 'frame = pandas.DataFrame(answer["rows"])'
    return [*found, Snippet("pandas", f"{imports}\n\n{python}\n{frame}")]


def _power_query(file: str, code_page: int) -> str:
    """What Power Query reads a CSV file by; it takes whole paths alone."""
    read = f'Csv.Document(File.Contents("…\\{file}"), [Delimiter=",", Encoding={code_page}])'
    return f"= Table.PromoteHeaders({read})"


def _files(grant: Row[Any], base: str, kind: ShareFormat) -> list[Snippet]:
    ending = {ShareFormat.XLSX: "xlsx", ShareFormat.PARQUET: "parquet"}.get(kind, "csv")
    file = f"{grant.grant_id}.{ending}"
    gb = ', encoding="gb18030"' if kind is ShareFormat.CSV_GB18030 else ""
    readers = {"xlsx": "read_excel", "parquet": "read_parquet", "csv": "read_csv"}
    typed = ", dtype=str" if ending != "parquet" else ""
    found = [
        Snippet("curl", f'curl -H "Authorization: Bearer {TOKEN}" -o {file} {base}/v1/file'),
        Snippet(
            "pandas", f'import pandas\n\nframe = pandas.{readers[ending]}("{file}"{typed}{gb})'
        ),
    ]
    if ending == "parquet":
        found.append(Snippet("Spark", f'frame = spark.read.parquet("{file}")'))
    if ending != "xlsx" and not gb:
        found.append(Snippet("DuckDB", f"select * from '{file}' limit 10;"))
    if ending == "csv":
        found.append(Snippet("Excel", _power_query(file, 54936 if gb else 65001)))
    return found

"""The printed lines for pandas, DuckDB and Excel on a Delta Sharing channel."""

import contextlib
import io
import os
from pathlib import Path

import client

STAGE, ENVIRONMENT = "printed", "delta_sharing"


def read(request):
    """The digest of what pandas gets; DuckDB and Excel must get as many rows."""
    from canonical import digest
    from openpyxl import load_workbook
    from read_delta_sharing import rows

    os.chdir(request["folder"])
    lines = request["lines"]["delta"]
    found = digest(rows(run(lines["pandas"])[0]["frame"]), request["types"])
    printed = run(lines["DuckDB"])[1]
    if str(found["rows"]) not in printed:
        raise SystemExit(f"DuckDB printed {printed}")
    run(lines["Excel"])
    (book,) = Path().glob("*.xlsx")
    if load_workbook(book).active.max_row != found["rows"] + 1:
        raise SystemExit("Excel has another number of rows")
    return found


def run(text):
    """The names that lines leave behind, and what they print."""
    names, printed = {}, io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(text, names)  # noqa: S102 - the lines of our own page
    return names, printed.getvalue()


if __name__ == "__main__":
    client.answer(read)

"""pandas: the Parquet files of a version, with Arrow types so that nothing is rounded."""

import client

STAGE, ENVIRONMENT = "library", "tables"


def rows(one):
    """Rows of one version, as mappings of Python values."""
    import pandas as pd

    parts = [pd.read_parquet(file, dtype_backend="pyarrow") for file in one["files"]]
    whole = pd.concat(parts)
    return (
        {name: None if value is pd.NA else value for name, value in row.items()}
        for row in whole.to_dict("records")
    )


if __name__ == "__main__":
    client.digests(rows)

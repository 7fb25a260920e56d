"""DuckDB: the Parquet files of a version; its Delta extension would have to be downloaded."""

import client

STAGE, ENVIRONMENT = "library", "tables"


def rows(one):
    """Rows of one version, as mappings of Python values."""
    import duckdb

    connection = duckdb.connect(":memory:")
    connection.execute("SET TimeZone = 'UTC'")
    return connection.read_parquet(one["files"]).to_arrow_table().to_pylist()


if __name__ == "__main__":
    client.digests(rows)

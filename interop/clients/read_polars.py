"""Polars: the Delta table at a version, through its own Delta reader."""

import client

STAGE, ENVIRONMENT = "library", "tables"


def rows(one):
    """Rows of one version, as mappings of Python values."""
    import polars as pl

    return pl.read_delta(one["path"], version=one["version"]).iter_rows(named=True)


if __name__ == "__main__":
    client.digests(rows)

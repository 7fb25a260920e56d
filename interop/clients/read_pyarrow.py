"""pyarrow: the Parquet files of a version."""

import client

STAGE, ENVIRONMENT = "library", "tables"


def rows(one):
    """Rows of one version, as mappings of Python values."""
    import pyarrow.dataset as ds

    return ds.dataset(one["files"]).to_table().to_pylist()


if __name__ == "__main__":
    client.digests(rows)

"""deltalake: the Delta table at a version."""

import client

STAGE, ENVIRONMENT = "library", "tables"


def rows(one):
    """Rows of one version, as mappings of Python values."""
    from deltalake import DeltaTable

    return DeltaTable(one["path"], version=one["version"]).to_pyarrow_table().to_pylist()


if __name__ == "__main__":
    client.digests(rows)

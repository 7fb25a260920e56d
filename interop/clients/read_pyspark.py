"""PySpark: the Parquet files of a version.

Its Delta reader is a Java archive that no Python package brings; it was not run.
"""

import client

STAGE, ENVIRONMENT, PROGRAMS = "library", "tables", ("java",)


def rows(one):
    """Rows of one version, as mappings of Python values."""
    return session().read.parquet(*one["files"]).toArrow().to_pylist()


def session():
    """A Spark on one core."""
    from pyspark.sql import SparkSession

    return (
        SparkSession.builder.master("local[1]")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.execution.arrow.pyspark.enabled", "true")
        .getOrCreate()
    )


if __name__ == "__main__":
    client.digests(rows)

"""The printed lines for curl and Spark on a channel that gives a file.

Spark's reader of Delta Sharing is a Java archive that no Python package brings; it was not run.
"""

import os
import subprocess

import client

STAGE, ENVIRONMENT, PROGRAMS = "printed", "tables", ("java", "curl")


def read(request):
    """The digest of what Spark gets of the file that curl fetched."""
    from canonical import digest
    from read_pyspark import session

    os.chdir(request["folder"])
    lines = request["lines"]["file"]
    world = {**os.environ, "TOKEN": request["token"], "no_proxy": "127.0.0.1"}
    subprocess.run(["bash", "-ec", lines["curl"]], check=True, env=world, capture_output=True)
    names = {"spark": session()}
    exec(lines["Spark"], names)  # noqa: S102 - the lines of our own page
    return digest(names["frame"].toArrow().to_pylist(), request["types"])


if __name__ == "__main__":
    client.answer(read)

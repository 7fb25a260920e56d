"""Catalog entries: one DAG for each entry of the current catalog release.

Each DAG pulls, validates and publishes its entry. Schedule, owner, tags and text are renderings of
the entry: to change one, change the catalog and publish a release. No entry in the release, no
DAG: data that are not cataloged are not collected.
"""

from yishu.orchestration import factory, release

for dag in factory.entry_dags(release.current()):
    globals()[dag.dag_id] = dag

"""Subject library: one DAG for each subject table, run by the publication of its sources.

What a late department does to a subject is said in the subject's definition.
"""

from yishu.orchestration import factory, release

for dag in factory.subject_dags(release.current()):
    globals()[dag.dag_id] = dag

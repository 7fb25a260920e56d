"""When things run: Airflow DAGs from the catalog release, and the Airflow processes themselves.

This package and ``dags/`` alone import Airflow. What a run *does* is in ``yishu.pipeline``.

    release      the current release, as DAG files and tasks see it
    naming       DAG ids, asset URIs, pools, tags: one definition of each
    describe     Chinese and English text of a DAG, rendered from the catalog
    factory      the DAGs
    tasks        what a task process calls: the pipeline, with Airflow's connections handed in
    pools        one pool a department system
    metrics      numbers for the bureau's monitoring
    announce     what Airflow must know of a newly published release
    processes    child processes with pid file and log
    environment  the environment variables of Airflow's processes
    services     start, stop, status of Airflow
    rest         the few calls of Airflow's REST API that watching needs
    watch        waiting until a release is published
    demo         the whole city once, by the real scheduler
    terminal     how the demo looks while it runs
"""

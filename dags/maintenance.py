"""# 日常维护 · Maintenance

Compaction and vacuum of the library, retention of landing and quarantine, every night.
"""

from yishu.orchestration import factory

maintenance = factory.maintenance_dag()

"""Alarms: every hour, who has to know is told which data are overdue.

**超期提醒**：每小时检查一次各目录数据是否按更新周期到达；超期的，向大数据管理局工程师和来源部门各提醒一次，
说明处理办法；进程被杀而无人接续的任务记为失败；向监控系统报告各目录数据的时延；封存留痕。

Tells the bureau's engineer and the source department once of data that are older than their update
cycle allows, puts on record that runs failed whose process was killed for good, and tells the
monitoring how old each entry's data are. Seals the journal and keeps its last seal outside the
database. A pull that fails for good is told of when it fails.
"""

from yishu.orchestration import factory

alarms = factory.alarms_dag(__doc__)

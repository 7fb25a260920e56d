"""Maintenance of the library and of landing, every night.

**日常维护**：压缩小文件，清理过期版本，按目录规定的期限删除落地区与隔离区的数据；计数与摘要永久保留；
比对库与台账，未经统一调度写入的版本记入台账；并按当日的数源认定重写目录发布文件。

Compacts the tables of the library, vacuums versions past their retention, purges landing and
quarantine past the retention of their entry. Counts and digests are kept. Versions that no
recorded run published are put on record. The release is written as the source register has it
today. Safe to run at any time, also while entries are published.
"""

from yishu.orchestration import factory

maintenance = factory.maintenance_dag(__doc__)

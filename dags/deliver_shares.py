"""Deliveries: what was granted and is due goes to its consumer, when data are published and hourly.

**共享交付**：数据发布后，按授权向使用部门的文件夹、SFTP 服务器或数据库推送批准的数据项和行；
未能送达的每小时重试，同一批次不会重复；校验不合格的数据暂缓交付。

Pushes approved columns and rows of open grants into folders, SFTP servers and databases, each with
a manifest and a receipt. A batch that could not be delivered is sent again under its number. Data
that failed their last check are held.
"""

from yishu.orchestration import release, sharing

deliver_shares = sharing.deliver_dag(release.current(), __doc__)

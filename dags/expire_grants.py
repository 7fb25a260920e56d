"""The end of grants: every night after midnight in Beijing.

**授权到期**：关闭到期授权，提前三十天提醒续期，提醒登记数据处置，清理不再使用的数据投影；
为使用日志加盖封印，清理超过三年的月份，标记异常使用。

Ends grants whose term is over, reminds of renewals and of disposals that are due, deletes what no
open grant reads, seals the use log, forgets months past three years, and flags unusual use. Safe
to run at any time.
"""

from yishu.orchestration import sharing

expire_grants = sharing.expire_dag(__doc__)

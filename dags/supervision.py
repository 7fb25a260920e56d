"""Supervision of every promise: cards, orders, reminders, notices.

**时限监督**：巡检全部计时事项，到期前发黄牌并提醒，逾期发红牌并督办，逐级上报；核对各目录的更新周期；投递通知。
停机期间漏掉的日期按顺序补做，重复运行不会重复发牌或提醒。

Sweeps all clocks, issues cards, orders supervision, reminds along the line of duty, watches update
cycles, and delivers notices. Days that were missed are made up for in order; running it again
makes nothing twice.
"""

from yishu.orchestration import factory

for dag in factory.supervision_dags(__doc__):
    globals()[dag.dag_id] = dag

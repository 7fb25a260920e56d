"""Library release: what all subjects have become is seen at the same moment.

**主题库发布**：全部主题库都更新后（最迟每天早晨六点），把各主题库的最新版本作为一个整体发布，
读者看到的办件、结果、评价属于同一时刻；主题库之间的关联不合要求时不发布，读者仍看到上一次发布。

Releases the newest version of every subject once all of them have been built, and every morning at
the latest. Who reads by release sees cases and their results of one moment. Nothing is built here,
and nothing is released while too many links between subjects lead nowhere.
"""

from yishu.orchestration import factory, release

library_release = factory.release_dag(release.current(), __doc__)

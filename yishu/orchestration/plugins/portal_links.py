"""Airflow's plugin that leads to the portal: from the navigation, and from a DAG to what it serves.

Airflow loads every file of this folder by itself; here alone the environment is read at import.
The portal refuses to be framed, so both are links and no view has a ``url_route``.
"""

from airflow.plugins_manager import AirflowPlugin

from yishu.orchestration.links import views
from yishu.settings import Settings


class PortalLinks(AirflowPlugin):
    """Two external views, where this installation has a portal."""

    name = "yishu_portal"
    external_views = views(Settings().portal_url)

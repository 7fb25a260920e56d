"""Links from Airflow's pages to the portal, as Airflow's plugins describe external views."""

PORTAL, ENTRY = "一数门户 Yishu", "目录条目 Catalog entry"


def views(portal_url: str | None) -> list[dict[str, str]]:
    """A link in the navigation, and on each DAG one to the entry or subject that it serves.

    Args:
        portal_url: Where people reach the portal; None: there are no links.
    """
    if portal_url is None:
        return []
    address = portal_url.rstrip("/")
    return [
        {"name": PORTAL, "href": address, "destination": "nav"},
        # Airflow puts the DAG's id in.
        {"name": ENTRY, "href": f"{address}/catalog/dags/{{DAG_ID}}", "destination": "dag"},
    ]

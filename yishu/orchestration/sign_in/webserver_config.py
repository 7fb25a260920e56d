"""Airflow's sign-in by the city's OpenID provider; read by Airflow's FAB auth manager.

``airflow_environment`` names this file to Airflow, so choosing the auth manager and setting the
variables below is all there is to do (``docs/how-to/sign-in.md``). It holds no secret.

``YISHU_OPENID_ISSUER``: the provider's address, the same as the portal's.
``AIRFLOW_OPENID_CLIENT_ID``, ``AIRFLOW_OPENID_CLIENT_SECRET``: what the provider gave Airflow.
``AIRFLOW_OPENID_ROLES``: JSON, groups of the provider to lists of Airflow's roles.
``AIRFLOW_OPENID_SCOPE``: what is asked of the provider; some tell groups only when asked for them.
"""

import json
import os
from typing import Any

from airflow.providers.fab.auth_manager.security_manager.override import (
    FabAirflowSecurityManagerOverride,
)
from flask_appbuilder.const import AUTH_OAUTH

AUTH_TYPE = AUTH_OAUTH
AUTH_USER_REGISTRATION = True
# Everybody in the city has an account at the provider: without a group nobody may do anything.
AUTH_USER_REGISTRATION_ROLE = "Public"
AUTH_ROLES_SYNC_AT_LOGIN = True
AUTH_ROLES_MAPPING = json.loads(os.environ.get("AIRFLOW_OPENID_ROLES", "{}"))
OAUTH_PROVIDERS = [
    {
        "name": "city",
        "token_key": "access_token",
        "remote_app": {
            "client_id": os.environ["AIRFLOW_OPENID_CLIENT_ID"],
            "client_secret": os.environ["AIRFLOW_OPENID_CLIENT_SECRET"],
            "server_metadata_url": os.environ["YISHU_OPENID_ISSUER"].rstrip("/")
            + "/.well-known/openid-configuration",
            "client_kwargs": {
                "scope": os.environ.get("AIRFLOW_OPENID_SCOPE", "openid profile email")
            },
        },
    }
]


class City(FabAirflowSecurityManagerOverride):  # type: ignore[misc]
    """Flask-AppBuilder knows some providers by name; of any other it has to be told who came."""

    def get_oauth_user_info(self, provider: str, resp: dict[str, Any]) -> dict[str, Any]:
        """Name, mail and groups of whoever came, as the provider tells them."""
        told = self.oauth_remotes[provider].userinfo(token=resp)
        return {
            "username": told["sub"],
            "first_name": told.get("given_name", told.get("name", "")),
            "last_name": told.get("family_name", ""),
            "email": told.get("email", f"{told['sub']}@{provider}"),
            "role_keys": told.get("groups", []),
        }


SECURITY_MANAGER_CLASS = City

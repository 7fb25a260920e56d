"""The server of the channels: query, verification, licences, files, Delta Sharing.

``create_app(house)`` is one ASGI application; the portal mounts it, or it runs alone
(``yishu share serve``).
"""

from yishu.sharing.server.app import create_app

__all__ = ["create_app"]

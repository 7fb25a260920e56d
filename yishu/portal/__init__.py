"""The portal: pages for people and a REST API for programs; `create_app` in `yishu.portal.app`."""

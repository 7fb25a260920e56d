"""What the next page says once, left signed in the browser between a change and that page."""

from itsdangerous import BadSignature, URLSafeTimedSerializer

_SECONDS = 60


class Notes:
    """Seals and reads notes."""

    def __init__(self, key: str) -> None:
        self._serializer = URLSafeTimedSerializer(key, salt="note")

    def seal(self, text: str) -> str:
        """A note as a cookie's value."""
        return str(self._serializer.dumps(text))

    def read(self, sealed: str) -> str | None:
        """The note; None when it is not ours or a minute old."""
        try:
            return str(self._serializer.loads(sealed, max_age=_SECONDS))
        except BadSignature:
            return None

"""What PostgreSQL's errors mean, in words that hold no value and no credential."""

from yishu.sources.errors import (
    CERTIFICATE_REFUSED,
    DATABASE_DOWN,
    NO_DATABASE,
    NO_TLS,
    READ_REFUSED,
    SIGN_IN_REFUSED,
    SLOW,
    TABLE_MISSING,
    WRITE_REFUSED,
    Meaning,
    SourceChanged,
    SourceColumnMissing,
    SourceError,
    SourceMisdescribed,
    SourceUnreachable,
)

BAD_URL = Meaning(
    SourceMisdescribed, "a URL that libpq cannot read", "correct the connection's URL"
)

BY_SQLSTATE = {
    "25006": WRITE_REFUSED,
    "3F000": TABLE_MISSING,
    "42501": READ_REFUSED,
    "42704": Meaning(SourceChanged, "the shared snapshot has ended", "pull again"),
    "42703": Meaning(SourceColumnMissing, "a column went while it was read", "pull again"),
    "42P01": TABLE_MISSING,
    "42883": Meaning(
        SourceMisdescribed, "a key that has no order", "remove `ranges` from the entry's source"
    ),
    "55P03": Meaning(
        SourceUnreachable,
        "somebody keeps the table locked",
        "the pull can be tried again; ask the department if it stays so",
    ),
    "57014": SLOW,
}
"""By PostgreSQL error code; https://www.postgresql.org/docs/18/errcodes-appendix.html."""

BY_WORDS = {
    "statement timeout": SLOW,
    "语句超时": SLOW,
    "read-only transaction": WRITE_REFUSED,
    "permission denied": READ_REFUSED,
    "password": SIGN_IN_REFUSED,
    "pg_hba.conf": SIGN_IN_REFUSED,
    'role "': SIGN_IN_REFUSED,
    'database "': NO_DATABASE,
    "root certificate file": Meaning(
        SourceMisdescribed,
        "no file with the certificate authority's certificate",
        "put the file where the connection's sslrootcert says",
    ),
    "server certificate": CERTIFICATE_REFUSED,
    "certificate verify failed": CERTIFICATE_REFUSED,
    # An authority that only bears the name of the trusted one.
    "signature failure": CERTIFICATE_REFUSED,
    "does not support ssl": NO_TLS,
    "invalid uri": BAD_URL,
    "percent-encoded": BAD_URL,
    "connection option": BAD_URL,
}
"""While signing in and while streaming, the driver passes on the server's words and no code."""


def explained(obj: str, error: Exception) -> SourceError:
    """What a driver's error means, in words that hold no value and no credential.

    What is not known counts as unreachable: trying again does no harm, since a pull only reads.
    """
    code = getattr(error, "sqlstate", None) or ""
    words = str(error).lower()
    by_words = next((means for word, means in BY_WORDS.items() if word in words), DATABASE_DOWN)
    return BY_SQLSTATE.get(code, by_words).about(obj, code)

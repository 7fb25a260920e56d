"""Every setting of an installation, in one typed class.

Nothing is read when the module is imported: whoever starts a process builds one ``Settings()`` and
hands it down. Each field is the environment variable ``YISHU_<FIELD>``. Places below ``var_dir``
are properties and not settings, so that one variable moves an installation as a whole.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


def project_root() -> Path:
    """The checkout that holds this package; the working directory when installed from a wheel."""
    checkout = Path(__file__).resolve().parents[1]
    return checkout if (checkout / "pyproject.toml").is_file() else Path.cwd()


class Settings(BaseSettings):
    """What an operator may set; everything has a default that works on one machine.

    Attributes:
        var_dir: Where everything that is made at run time lives; nothing else is ever written.
        catalog_dir: The folder of the catalog's rule files.
        database_url: PostgreSQL server of the ledger as ``postgresql://user:password@host/db``;
            None means the embedded server below ``var_dir``.
        airflow_database_url: PostgreSQL server of Airflow's own database, in the same form; None
            means a database of its own on the embedded server.
        postgres_port: Loopback port of the embedded server; None picks a free one and keeps it.
        reader_password: Password of the read-only role on department databases of the embedded
            server; None generates one and keeps it under ``secrets_dir``.
        connections_file: Connections to department systems in the JSON form of Airflow's
            ``LocalFilesystemBackend``; None means ``connections.json`` under ``secrets_dir``.
        seals_dir: Where the last seal of the journal is kept, a file a day; None means
            ``var_dir/seals``. Best on another machine: it shows when the journal's tail was cut.
        lineage_url: Base URL of an OpenLineage collector that gets every event besides the file;
            None sends nothing anywhere.
        lineage_api_key: Bearer key for that collector.
        openid_issuer: Address of the city's OpenID provider; None leaves local accounts alone.
        openid_client_id: As what the provider knows this portal.
        openid_client_secret: The portal's secret there.
        sharing_url: Where consumers reach the channels that `yishu share serve` answers.
        rule_profile: Profile of catalog/profiles/ in force, or ``strictest`` for the strictest of
            all.
        data_authority: Department id of the data authority.
        data_operator: Department id of the command centre that opens channels.
        value_digest: Digest of the HMAC that makes joinable tokens of values: ``sha256`` or ``sm3``
            (GB/T 32905), which commercial cryptography asks for.
        portal: Address of a portal that commands ask instead of this installation's own database.
        token: The token with which they ask it.
        portal_url: Where people reach this installation's portal, for the links in Airflow; None:
            no links.
        mail_url: Mail server as ``smtp://user:password@host:25`` or ``smtps://``; None sends no
            mail.
        mail_from: Sender of mails.
    """

    model_config = SettingsConfigDict(env_prefix="YISHU_", frozen=True, extra="forbid")

    var_dir: Path = Field(default_factory=lambda: project_root() / "var")
    catalog_dir: Path = Field(default_factory=lambda: project_root() / "catalog")
    database_url: SecretStr | None = None
    airflow_database_url: SecretStr | None = None
    postgres_port: int | None = Field(default=None, ge=1024, le=65535)
    reader_password: SecretStr | None = None
    connections_file: Path | None = None
    seals_dir: Path | None = None
    lineage_url: str | None = None
    lineage_api_key: SecretStr | None = None
    openid_issuer: str | None = None
    openid_client_id: str = "yishu"
    openid_client_secret: SecretStr = SecretStr("")
    sharing_url: str = "http://127.0.0.1:8091"
    rule_profile: str = "wuxi_2022"
    data_authority: str = "big_data_bureau"
    data_operator: str = "command_centre"
    value_digest: Literal["sha256", "sm3"] = "sha256"
    portal: str | None = None
    token: SecretStr | None = None
    portal_url: str | None = None
    mail_url: SecretStr | None = None
    mail_from: str = "yishu@localhost"

    @property
    def secrets_dir(self) -> Path:
        """Generated keys and passwords; owner-only."""
        return self.var_dir / "secrets"

    @property
    def connections_path(self) -> Path:
        """The connections file in force."""
        return self.connections_file or self.secrets_dir / "connections.json"

    @property
    def postgres_dir(self) -> Path:
        """The embedded PostgreSQL server."""
        return self.var_dir / "postgres"

    @property
    def releases_dir(self) -> Path:
        """Catalog releases and the pointer to the current one."""
        return self.var_dir / "releases"

    @property
    def landing_dir(self) -> Path:
        """What pulls brought, by department, entry and run."""
        return self.var_dir / "landing"

    @property
    def library_dir(self) -> Path:
        """The unified database and the subject library."""
        return self.var_dir / "library"

    @property
    def seals_path(self) -> Path:
        """The kept seals of the journal."""
        return self.seals_dir or self.var_dir / "seals"

    @property
    def backups_dir(self) -> Path:
        """Backups of ledger, releases and tables, and the record of the last drill."""
        return self.var_dir / "backups"

    @property
    def lineage_file(self) -> Path:
        """The lineage events, one JSON object a line."""
        return self.var_dir / "lineage" / "events.jsonl"

    @property
    def airflow_home(self) -> Path:
        """Airflow's state and logs."""
        return self.var_dir / "airflow"

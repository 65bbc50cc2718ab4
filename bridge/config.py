"""The settings: built-in defaults, over them ``config.toml`` in the data directory, over it the environment.

``[google] api_url`` is ``CALDAV_BRIDGE_GOOGLE__API_URL`` in the environment. Read once at start, frozen, and handed down as
arguments: nothing below ``bridge.services`` imports this module.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from platformdirs import user_data_path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from bridge.errors import UsageError
from bridge.outside import Allowed


def _http_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an http(s) URL")
    return value.rstrip("/")


HttpUrl = Annotated[str, AfterValidator(_http_url)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Server(_Section):
    """Where people reach us."""

    host: str = "127.0.0.1"
    port: int = Field(5232, ge=0, le=65535)
    public_url: HttpUrl | None = None
    """The address behind a reverse proxy. Unset: http://host:port."""
    web_processes: int = Field(2, ge=1, le=64)
    web_threads: int = Field(2, ge=1, le=128)
    """Requests that one of them answers at the same time."""


class Caldav(_Section):
    """What people may keep here."""

    attachment_bytes: int = Field(10_000_000, ge=0)
    """The largest attachment that is kept; 0: none is, and devices offer none."""
    attachments_per_object: int = Field(100, ge=1)
    quota_bytes: int = Field(0, ge=0)
    """The most that one person's calendars and attachments may take up; 0: no limit."""


class SchedulingSettings(_Section):
    """Meetings between people of this server (RFC 6638)."""

    enabled: bool = True
    """Whether the server tells guests of meetings; off: devices do it themselves, by mail."""


class Mail(_Section):
    """How guests who have no calendar here are written to (RFC 6047), and where their answers come back to."""

    sender: str = ""
    """The address that invitations come from. Unset: nobody elsewhere is written to."""
    smtp_host: str = "localhost"
    smtp_port: int = Field(587, ge=1, le=65535)
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    imap_host: str = ""
    """Where answers to ``sender+…`` arrive. Unset: they go to the organizer's own address."""
    imap_port: int = Field(993, ge=1, le=65535)
    imap_security: Literal["tls", "none"] = "tls"
    imap_user: str = ""
    imap_password: SecretStr = SecretStr("")
    imap_folder: str = "INBOX"


class Google(_Section):
    """The Google Calendar API (G-01, G-07) and the OAuth client made for it in Google's console."""

    api_url: HttpUrl = "https://www.googleapis.com"
    """With or without ``/calendar/v3``; batches follow it."""
    auth_url: HttpUrl = "https://accounts.google.com/o/oauth2/v2/auth"
    token_url: HttpUrl = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address, not a secret
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    requests_per_minute: int = Field(570, ge=0)
    """Of one account, in one process; 0: as fast as it goes. Google allows 600 a person (G-99)."""
    writes_per_minute: int = Field(300, ge=0)
    """To one calendar; 0: as fast as it goes. Google limits them separately and does not say how (G-99)."""
    tasks: bool = True
    """Whether consent asks for Google Tasks as well, and its lists are shown."""


class Microsoft(_Section):
    """Microsoft Graph (M-01, M-02) and the app registration made for it in Entra."""

    graph_url: HttpUrl = "https://graph.microsoft.com/v1.0"
    """With or without ``/v1.0``."""
    authority: HttpUrl = "https://login.microsoftonline.com/common"
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    requests_per_minute: int = Field(950, ge=0)
    """Of one account, in one process; 0: as fast as it goes. Microsoft allows 10,000 in ten minutes (M-77)."""
    window_past_days: int = Field(180, ge=30, le=900)
    """How far back changes are noticed at once (M-19); everything else is found by the next complete listing."""
    window_future_days: int = Field(900, ge=90, le=900)
    tasks: bool = True
    """Whether consent asks for Microsoft To Do as well, and its lists are shown."""


class Ics(_Section):
    """Subscriptions to feeds, whose addresses people choose."""

    allow_private: bool = False
    """Whether a feed may lie in a private network or on this machine."""


class Sync(_Section):
    """How often, and how the people's calendars are protected."""

    interval_seconds: int = Field(300, ge=10)
    """The safety poll of a new pair (R30)."""
    tick_seconds: float = Field(0.5, ge=0.05, le=60)
    """How often a worker looks for due pairs."""
    concurrency: int = Field(4, ge=1, le=64)
    """Pairs that one worker syncs at the same time."""
    lease_seconds: int = Field(60, ge=10)
    """After this long without a sign of life another worker takes a pair over."""
    history_days: int = Field(365, ge=1)
    tombstone_days: int = Field(180, ge=30)
    audit_hours: int = Field(24, ge=0)
    """How often both sides of a pair are compared whole (R42), in a quiet hour of the night; 0: never."""


class Security(_Section):
    max_failures: int = Field(10, ge=1)
    """Failed logins per account or address before it has to wait."""
    block_seconds: int = Field(300, ge=1)
    trusted_proxies: tuple[str, ...] = ()
    """Addresses or networks whose X-Forwarded-For is believed."""
    directory: bool = True
    """Whether people who are signed in find each other's names and addresses, to invite one another."""
    metrics_token: SecretStr = SecretStr("")
    """What /metrics asks for as a bearer token. Unset: it answers this machine only, and nobody behind a proxy."""


class Notify(_Section):
    """Who is told when something needs a person. The addresses are Apprise's, and secret: they hold passwords."""

    urls: tuple[SecretStr, ...] = ()
    """The admin's: all messages go there."""
    person_url: SecretStr = SecretStr("")
    """Everybody's own: ``{email}`` stands for the person's address. Unset: only the admin is told."""
    stale_minutes: int = Field(60, ge=60)
    """A pair without success for so long, and for three of its intervals, is stale (R28)."""
    paused_minutes: int = Field(30, ge=1)
    """An account that the service has closed for so long is told of (R33)."""


def _trusted(named: tuple[str, ...]) -> tuple[str, ...]:
    Allowed.of(named)
    return named


def _contact(value: str) -> str:
    if value and not value.startswith(("mailto:", "https://")):
        raise ValueError("must be a mailto: or https:// URL")
    return value


class Push(_Section):
    """Telling devices that a calendar has changed (WebDAV-Push)."""

    enabled: bool = True
    contact: Annotated[str, AfterValidator(_contact)] = ""
    """Whom a push service may ask about our messages: a mailto: or https:// URL. Unset: ``server.public_url`` if it is https."""
    allow: Annotated[tuple[str, ...], AfterValidator(_trusted)] = ()
    """Hosts and networks where push services may be though they are private, and over plain http too."""
    interval_seconds: float = Field(5, ge=0, le=3600)
    """The first change is told at once, those that follow not more often than this."""
    days: int = Field(7, ge=3, le=90)
    """The longest that a registration is good for; devices renew theirs."""


class Onboarding(_Section):
    """Adding a device: its setup link, and what signs the profile for Apple's. Files in PEM, read at start."""

    link_hours: int = Field(24, ge=1, le=720)
    """How long a setup link is good for."""
    certificate: Path | None = None
    """May hold the chain too. Unset: profiles are not signed, and devices warn."""
    key: Path | None = None
    chain: Path | None = None
    root: Path | None = None
    """The certificate of a private authority, to travel in the profile."""


class Sandbox(_Section):
    """Where ``caldav-bridge sandbox`` (and ``demo``) puts the simulated services."""

    host: str = "127.0.0.1"
    port: int = Field(5233, ge=0, le=65535)

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


class Log(_Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["console", "json"] = "console"


class Settings(BaseSettings):
    """Everything an admin may set; ``docs/reference/settings.md`` lists it."""

    model_config = SettingsConfigDict(
        env_prefix="CALDAV_BRIDGE_",
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
        nested_model_default_partial_update=True,
    )

    data: Path = Field(default_factory=lambda: user_data_path("caldav-bridge"))
    database_url: str | None = None
    """Unset: SQLite in the data directory."""
    key: SecretStr | None = None
    """Fernet keys, newest first, comma separated, to seal tokens with. Unset: made and kept in the data directory."""
    server: Server = Server()
    caldav: Caldav = Caldav()
    scheduling: SchedulingSettings = SchedulingSettings()
    mail: Mail = Mail()
    google: Google = Google()
    microsoft: Microsoft = Microsoft()
    ics: Ics = Ics()
    sync: Sync = Sync()
    security: Security = Security()
    notify: Notify = Notify()
    push: Push = Push()
    onboarding: Onboarding = Onboarding()
    sandbox: Sandbox = Sandbox()
    log: Log = Log()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the hook's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @property
    def resolved_database_url(self) -> str:
        return self.database_url or f"sqlite:///{self.data / 'bridge.db'}"


def load(data: Path | None = None) -> Settings:
    """Read the settings for this data directory (default: the XDG data folder). Raises UsageError in one plain line."""
    folder = data or Path(os.environ.get("CALDAV_BRIDGE_DATA") or user_data_path("caldav-bridge"))

    class _Settings(Settings):
        model_config = SettingsConfigDict(toml_file=folder / "config.toml")

    try:
        return _Settings(data=folder)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise UsageError(f"settings: there is no setting {where!r}") from None
        raise UsageError(f"settings: {where}: {first['msg']}") from None
    except ValueError as error:  # TOML that does not parse
        raise UsageError(f"settings: {folder / 'config.toml'}: {error}") from None

"""Calendars on any CalDAV server (RFC 4791): iCloud, Nextcloud, Fastmail, a Radicale, a Xandikos."""

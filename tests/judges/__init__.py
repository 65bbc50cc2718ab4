"""Outside judges of the CalDAV server: caldav-server-tester and litmus, run against ``serve`` as it is installed."""

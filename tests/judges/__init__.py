"""Outside judges of the CalDAV server: caldav-server-tester, litmus, and the caldav library's own tests, run against ``serve``."""

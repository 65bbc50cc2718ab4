"""The process that syncs."""

"""Simulated Google Calendar and Microsoft Graph over real HTTP, for the demo and as the judge in the tests.

Written from the vendors' facts (GOOGLE.md, GRAPH.md) and never from the bridge, of which it imports nothing. Strict where
the real service is strict: what a service would refuse is refused here.
"""

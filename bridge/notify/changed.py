"""What a device is told of a change: which collection, and what of it. No content, not even a name (WebDAV-Push, "Push Message").

The draft is bitfireAT's; DAVx5 reads the topic and syncs that collection.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET

NAMESPACE = "https://bitfire.at/webdav-push"

ET.register_namespace("P", NAMESPACE)


def push_message(topic: str, *, content: bool, properties: bool, sync_token: str | None = None) -> bytes:
    """The document. ``sync_token`` is the state after the change: who knows it already need not ask."""
    root = ET.Element(f"{{{NAMESPACE}}}push-message")
    ET.SubElement(root, f"{{{NAMESPACE}}}topic").text = topic
    if content:
        update = ET.SubElement(root, f"{{{NAMESPACE}}}content-update")
        if sync_token is not None:
            ET.SubElement(update, "{DAV:}sync-token").text = sync_token
    if properties:
        ET.SubElement(root, f"{{{NAMESPACE}}}property-update")
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document

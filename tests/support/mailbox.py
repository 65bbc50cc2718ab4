"""Takes messages as Apprise's ``json://`` plugin posts them, over real HTTP."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Mailbox:
    """``url(name)`` is an address; ``got`` what came, as (name, title, text). ``refusing`` names those that answer 500."""

    def __init__(self):
        box = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                name = self.path.strip("/")
                if name in box.refusing:
                    self.send_error(500)
                    return
                box.got.append((name, body["title"], body["message"]))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *args):
                pass

        self.got = []
        self.refusing = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def url(self, name):
        return f"json://127.0.0.1:{self._server.server_port}/{name}"

    def close(self):
        self._server.shutdown()
        self._server.server_close()

# SPDX-License-Identifier: GPL-3.0-or-later
"""A web server that knows ranges, sends files as the kernel does, and breaks off every transfer of a package that begins at its start.

    breaking_server.py FOLDER     prints its URL
"""

from __future__ import annotations

import http.server
import os
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    """Sends what is below the folder."""

    def do_GET(self):
        """One file, or the rest of one."""
        try:
            with open(os.path.join(sys.argv[1], self.path.lstrip("/")), "rb") as file:
                self.send(file)
        except FileNotFoundError:
            self.send_error(404)

    def send(self, file):
        """Half of a package that is asked for as a whole."""
        size = os.fstat(file.fileno()).st_size
        start = int(self.headers.get("Range", "bytes=0-")[len("bytes="):].split("-")[0])
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", "bytes %d-%d/%d" % (start, size - 1, size))
        self.send_header("Content-Length", str(size - start))
        self.send_header("ETag", '"%d"' % size)
        self.end_headers()
        self.wfile.flush()
        end = size // 2 if "/All/" in self.path and not start else size
        while start < end:
            start += os.sendfile(self.connection.fileno(), file.fileno(), start, end - start)

    def log_message(self, *_words):
        """Nothing."""


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print("http://127.0.0.1:%d" % server.server_port, flush=True)
server.serve_forever()

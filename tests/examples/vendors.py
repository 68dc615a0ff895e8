# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vendors of the guide: vendors.py FOLDER serves FOLDER/HOST/PATH by https on the address of all of them."""

import functools
import http.server
import os
import ssl
import sys


class Vendor(http.server.SimpleHTTPRequestHandler):
    """Each name has a folder of its own."""

    def translate_path(self, path):
        return os.path.join(self.directory, self.headers["Host"].split(":")[0], path.split("?")[0].lstrip("/"))


def main(folder):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/web.crt", f"{folder}/web.key")
    server = http.server.ThreadingHTTPServer(("192.0.2.1", 443), functools.partial(Vendor, directory=folder))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


main(sys.argv[1])

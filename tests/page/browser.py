# SPDX-License-Identifier: GPL-3.0-or-later
"""A real browser that is driven by its own protocol, over two pipes: keys are typed, pages are looked at."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from patience import patience  # noqa: E402

OPTIONS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-pipe"]


class Browser:
    """One page of a browser of its own, which ends with the block."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="apiary-browser.")
        hears, self.out = os.pipe()
        self.back, says = os.pipe()

        # The browser reads what it is told from 3, and answers on 4.
        shell = ["sh", "-c", 'exec chromium "$@" 3<&%d 4>&%d' % (hears, says), "chromium"]
        with open(os.path.join(self.folder, "log"), "wb") as log:
            self.process = subprocess.Popen(
                [*shell, *OPTIONS, "--user-data-dir=" + os.path.join(self.folder, "profile"), "about:blank"],
                pass_fds=(hears, says), stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, "HOME": self.folder})
        os.close(hears)
        os.close(says)
        self.heard, self.rest, self.count, self.events, self.session = None, b"", 0, [], None
        # A browser that says nothing more is ended, which ends the reading.
        self.watch = threading.Timer(patience(300), self.process.kill)
        self.watch.start()
        page = next(target for target in self.call("Target.getTargets")["targetInfos"] if target["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=page["targetId"], flatten=True)["sessionId"]
        self.call("Page.enable")

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.watch.cancel()
        self.process.terminate()
        self.process.wait()
        os.close(self.out)
        os.close(self.back)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _message(self):
        while b"\0" not in self.rest:
            more = os.read(self.back, 1 << 20)
            if not more:
                with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as log:
                    raise AssertionError("the browser went away: " + log.read()[-2000:])
            self.rest += more
        message, _end, self.rest = self.rest.partition(b"\0")
        return json.loads(message)

    def call(self, method, **params):
        """What the browser answers."""
        self.count += 1
        message = {"id": self.count, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._message()
            if answer.get("id") == self.count:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            self.events.append(answer.get("method"))

    def show(self, path, width, height=1000, dark=False):
        """Opens a file or a URL in a window of this size, as a phone does where it is narrow."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.events.clear()
        self.call("Page.navigate", url=path if "://" in path else "file://" + os.path.abspath(path))
        while "Page.loadEventFired" not in self.events:
            self.events.append(self._message().get("method"))

    def tell(self, expression):
        """What an expression comes to in the page, once it is there."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def key(self, char):
        """Presses a key and lets it go; a letter, or a name such as Backspace."""
        named = {"Backspace": 8}
        key = {"key": char, "windowsVirtualKeyCode": named.get(char, ord(char[0].upper()))}
        text = {} if char in named else {"text": char}
        self.call("Input.dispatchKeyEvent", type="keyDown", **key, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **key)

    def shoot(self, path, height):
        """Keeps what is seen, from the top, at most so many pixels of it, as WebP or PNG."""
        whole = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": whole["width"], "height": min(whole["height"], height), "scale": 1}
        kind = {"format": "webp", "quality": 70} if path.endswith(".webp") else {"format": "png"}
        picture = self.call("Page.captureScreenshot", **kind, clip=clip, captureBeyondViewport=True)
        with open(path, "wb") as file:
            file.write(base64.b64decode(picture["data"]))

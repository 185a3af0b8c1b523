"""Still pictures of plotly figures, painted by a headless browser that loads plotly.js once."""

import base64
import shutil
from typing import Any

from playwright.sync_api import sync_playwright

from widgets.ui.plotview import plotly_js

WIDTH = 860
# Stored in notebooks, so small: the browser's own WebP encoder at a quality at which text stays sharp.
QUALITY = 0.5
PAINT = """async ([data, layout, size, quality]) => {
  const picture = new Image();
  picture.src = await Plotly.toImage({ data, layout }, { format: "png", scale: 1, ...size });
  await picture.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [picture.width, picture.height];
  canvas.getContext("2d").drawImage(picture, 0, 0);
  return canvas.toDataURL("image/webp", quality);
}"""
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
# No sandbox: the page is our own figure, and containers run as root.
CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def chromium() -> str | None:
    """Path of a Chromium on this machine."""
    return next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


class Painter:
    """A context manager that paints figures; raises RuntimeError where there is no Chromium."""

    def __enter__(self) -> "Painter":
        executable = chromium()
        if executable is None:
            raise RuntimeError(f"no Chromium found (looked for {', '.join(CHROMIUM_NAMES)})")
        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(executable_path=executable, args=CHROMIUM_OPTIONS)
        self._page = self._browser.new_page()
        self._page.add_script_tag(path=plotly_js())
        return self

    def __exit__(self, *_error: object) -> None:
        self._browser.close()
        self._playwright.stop()

    def paint(self, figure: dict[str, Any]) -> bytes:
        """A figure on white, as WebP."""
        layout = figure.get("layout", {})
        paper = {"paper_bgcolor": "#ffffff", "plot_bgcolor": "#ffffff"}
        size = {"width": WIDTH, "height": layout.get("height", 430)}
        address = self._page.evaluate(PAINT, [figure.get("data", []), layout | paper, size, QUALITY])
        return base64.b64decode(address.split(",", 1)[1])

"""Tests of L{netplay.web.pages}: the files of the console, and nothing but them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import IResource
from zope.interface.verify import verifyObject

from netplay.web.pages import CONTENT_TYPES, console_children, folder_children
from tests.web.test_site import WebTestCase

STATIC = Path(__file__).resolve().parents[2] / "netplay" / "web" / "static"


class ConsoleTests(WebTestCase):
    """What the web port serves."""

    def test_the_console_and_the_client(self) -> None:
        for path, file, content_type in (
            ("/", "index.html", "text/html; charset=utf-8"),
            ("/netplay.js", "netplay.js", "text/javascript; charset=utf-8"),
            ("/console/console.css", "console/console.css", "text/css; charset=utf-8"),
            ("/console/icon.svg", "console/icon.svg", "image/svg+xml"),
        ):
            status, headers, body = self.get(path)
            self.assertEqual((status, headers["content-type"]), (200, content_type), path)
            self.assertEqual(body, (STATIC / file).read_bytes(), path)

    def test_every_file_is_served(self) -> None:
        for file in STATIC.rglob("*.*"):
            path = file.relative_to(STATIC).as_posix().removesuffix("index.html")
            self.assertEqual(self.get(f"/{path}")[0], 200, path)

    def test_a_page_may_run_only_what_is_served_here(self) -> None:
        _, headers, _ = self.get("/")
        policy = headers["content-security-policy"].split("; ")
        self.assertEqual(policy[0], "default-src 'self'")
        self.assertIn("frame-ancestors 'none'", policy)
        self.assertNotIn("unsafe", headers["content-security-policy"])
        self.assertEqual(headers["referrer-policy"], "no-referrer")
        self.assertEqual(headers["x-content-type-options"], "nosniff")

    def test_pages_from_elsewhere_may_import_the_client(self) -> None:
        _, headers, _ = self.get("/netplay.js", Origin="https://elsewhere.example")
        self.assertEqual(headers["access-control-allow-origin"], "*")
        self.assertEqual(headers["cross-origin-resource-policy"], "cross-origin")

    def test_who_has_it_is_told_that_it_is_the_same(self) -> None:
        _, first, _ = self.get("/netplay.js")
        self.assertEqual(first["cache-control"], "no-cache")
        status, headers, body = self.get("/netplay.js", If_None_Match=first["etag"])
        self.assertEqual((status, body), (304, b""))
        self.assertEqual(headers["etag"], first["etag"])
        self.assertNotIn("content-length", headers)
        self.assertIn("content-security-policy", headers)
        self.assertEqual(self.get("/netplay.js", If_None_Match='"another"')[0], 200)

    def test_head_has_no_body(self) -> None:
        status, headers, body = self.ask(b"HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertEqual((status, body), (200, b""))
        self.assertEqual(int(headers["content-length"]), (STATIC / "index.html").stat().st_size)

    def test_other_methods(self) -> None:
        status, headers, _ = self.ask(b"DELETE /netplay.js HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertEqual((status, headers["allow"]), (405, "GET, HEAD"))

    def test_nothing_else_is_there(self) -> None:
        for path in (
            "/console",
            "/console/",
            "/console/nothing.js",
            "/console/../../pages.py",
            "/console/..%2f..%2fpages.py",
            "/console/%2e%2e/%2e%2e/pages.py",
            "/console/console.css/more",
            "/netplay.js/more",
            "//etc/passwd",
        ):
            status, headers, _ = self.get(path)
            self.assertEqual((status, headers["content-type"]), (404, "application/problem+json"), path)


class FolderTests(SynchronousTestCase):
    """A folder in memory."""

    def folder(self, **files: bytes) -> Path:
        folder = Path(self.mktemp())
        folder.mkdir()
        for name, body in files.items():
            (folder / name.replace("_", ".")).write_bytes(body)
        return folder

    def test_only_what_a_browser_is_to_have_and_what_is_there_now(self) -> None:
        folder = self.folder(index_html=b"<p>", a_js=b"1", notes_txt=b"no", a_pyc=b"no")
        children = folder_children(folder)
        (folder / "later.js").write_bytes(b"2")
        self.assertEqual(sorted(children), [b"", b"a.js"])

    def test_another_content_has_another_tag(self) -> None:
        tags: list[Any] = [folder_children(self.folder(a_js=body))[b"a.js"] for body in (b"1", b"2", b"1")]
        self.assertNotEqual(tags[0].tag, tags[1].tag)
        self.assertEqual(tags[0].tag, tags[2].tag)

    def test_they_are_resources(self) -> None:
        for child in console_children().values():
            verifyObject(IResource, child)

    def test_the_pages_hold_no_script_and_no_style_of_their_own(self) -> None:
        for file in STATIC.rglob("*.*"):
            self.assertIn(file.suffix, CONTENT_TYPES)
            text = file.read_text()
            for unsafe in ("innerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "<style"):
                self.assertNotIn(unsafe, text, file.name)

"""What `pitstop show` writes of a run, seen by others: the page by Chromium, the JUnit by junitparser.

The runs are those of the crate's tests, which write them into PITSTOP_PAGES. Screenshots and prints are kept beside them.
"""

import html
import json
import os
import re
import subprocess
import tempfile
import unittest
from html.parser import HTMLParser
from pathlib import Path

from junitparser import Error, Failure, JUnitXml
from pypdf import PdfReader

PAGES = Path(os.environ["PITSTOP_PAGES"])
BROWSER = os.environ.get("PITSTOP_BROWSER")
SMALL = ["three", "overnight", "interrupted", "hostile"]
FLEETS = {"fleet-40": 40, "fleet-1000": 1000}
DARK = "--blink-settings=preferredColorScheme=0"
LIGHT = "--blink-settings=preferredColorScheme=1"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
]

# A window can't be narrower than 500 pixels; a frame can.
FRAME = """<!DOCTYPE html><body style="margin:0"><iframe id="frame" src="{page}.html" style="border:0;width:{width}px;height:{height}px"></iframe>
<pre id="measured"></pre><script>
frame.onload = () => {{
  if (!location.hash) return;
  const page = frame.contentDocument, root = page.documentElement, measured = [];
  const measure = (width, open) => {{
    frame.style.width = width + "px";
    const rows = [...page.querySelectorAll(".time tbody tr")].map(row => row.getBoundingClientRect().height);
    measured.push({{ width, open, scroll: root.scrollWidth, rows: [...new Set(rows.filter(high => high > 0))] }});
  }};
  for (const width of [320, 400, 768, 1280]) measure(width, false);
  const folded = page.querySelectorAll("details:not([open])");
  // What is in the folds of many instances is in those of few.
  if (folded.length < 100) {{
    for (const details of folded) details.open = true;
    for (const width of [320, 400, 1280]) measure(width, true);
  }}
  const paper = frame.contentWindow.getComputedStyle(page.body).backgroundColor;
  document.getElementById("measured").textContent = JSON.stringify({{ measured, paper }});
}};
</script>"""


def chromium(*arguments):
    """Runs the browser as if for the first time; gives what it prints."""
    with tempfile.TemporaryDirectory() as profile:
        command = [BROWSER, *FLAGS, f"--user-data-dir={profile}", *arguments]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return ended.stdout


def frame(page, width, height):
    """The page in a frame of its own."""
    file = PAGES / f"frame-{page}-{width}.html"
    file.write_text(FRAME.format(page=page, width=width, height=height))
    return file.as_uri()


def picture(name, where, scheme=LIGHT, width=1280, height=1600):
    file = PAGES / f"{name}.png"
    files = "--allow-file-access-from-files"
    chromium(scheme, files, f"--window-size={width},{height}", f"--screenshot={file}", where)
    return file


class Text(HTMLParser):
    """The tags of a document, and the text that a person would see."""

    def __init__(self, document):
        super().__init__()
        self.tags, self.words, self.unseen = [], [], 0
        self.feed(document)
        self.text = re.sub(r"\s+", " ", " ".join(self.words))

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.unseen += tag == "style"

    def handle_endtag(self, tag):
        self.unseen -= tag == "style"

    def handle_data(self, data):
        if not self.unseen:
            self.words.append(data)


class Page(unittest.TestCase):
    """In a real browser."""

    def test_text(self):
        expected = {
            "three": ["1 in need of a person, 1 failed, 1 done of 3 instances", "网站服务器-2", "tccli cvm StartInstances"],
            "overnight": ["3 done of 3 instances", "unwatched 8h 59m"],
            "interrupted": ["pitstop resume", "brought back, not finished"],
            "fleet-1000": ["1 – 50 of 987 done"],
        }
        for page, words in expected.items():
            with self.subTest(page):
                seen = Text(chromium("--dump-dom", (PAGES / f"{page}.html").as_uri()))
                for word in words:
                    self.assertIn(word, seen.text)

    def test_names_are_no_markup(self):
        seen = Text(chromium("--dump-dom", (PAGES / "hostile.html").as_uri()))
        names = {tag for tag, _ in seen.tags}
        self.assertFalse(names & {"script", "img", "iframe", "link"}, names)
        self.assertFalse([name for _, attributes in seen.tags for name in attributes if name.startswith("on")])
        self.assertIn("<script>alert(1)</script>", seen.text)
        self.assertIn("]]></style><script>alert(4)</script>", seen.text)

    def measure(self, page, scheme):
        where = frame(page, 400, 900) + "#measure"
        dumped = chromium(scheme, "--allow-file-access-from-files", "--virtual-time-budget=20000", "--dump-dom", where)
        return json.loads(html.unescape(re.search(r'<pre id="measured">(.*?)</pre>', dumped, re.S)[1]))

    def test_nothing_runs_out_of_the_window(self):
        for page in [*SMALL, *FLEETS]:
            found = self.measure(page, LIGHT)
            for one in found["measured"]:
                with self.subTest(page, **one):
                    self.assertLessEqual(one["scroll"], one["width"])
                    self.assertLessEqual(len(one["rows"]), 1, "all rows are of one height")
            self.assertEqual(found["paper"], "rgb(255, 255, 255)")

    def test_dark(self):
        self.assertEqual(self.measure("three", DARK)["paper"], "rgb(13, 17, 23)")

    def test_pictures(self):
        wanted = []
        for page in ["three", "overnight", "interrupted", "fleet-40", "fleet-1000", "hostile"]:
            where = (PAGES / f"{page}.html").as_uri()
            wanted.append(picture(f"{page}-light", where))
            wanted.append(picture(f"{page}-400", frame(page, 400, 1600), width=500))
        for page in ["three", "fleet-40"]:
            wanted.append(picture(f"{page}-dark", (PAGES / f"{page}.html").as_uri(), scheme=DARK))
        for file in wanted:
            self.assertGreater(file.stat().st_size, 20_000, file)
        print(f"\n{len(wanted)} pictures of pages are in {PAGES}")

    def test_print(self):
        for page, most in {"three": 6, "fleet-40": 12, "fleet-1000": 100}.items():
            with self.subTest(page):
                file = PAGES / f"{page}.pdf"
                where = (PAGES / f"{page}.html").as_uri()
                # A dark screen makes no dark paper.
                chromium(DARK, "--no-pdf-header-footer", f"--print-to-pdf={file}", where)
                pages = PdfReader(file).pages
                self.assertLessEqual(len(pages), most)
                text = "".join(page.extract_text() for page in pages)
                self.assertIn("failed", text)
                if page == "three":
                    self.assertIn("resetting password", text, "what is folded is printed")


class Junit(unittest.TestCase):
    """As CI systems read it."""

    def test_three(self):
        report = JUnitXml.fromfile(str(PAGES / "three.xml"))
        (suite,) = list(report)
        self.assertEqual((suite.name, suite.tests, suite.failures, suite.errors), ("resize-web", 3, 1, 1))
        self.assertEqual(suite.time, 34.0)
        self.assertEqual(suite.timestamp, "2025-11-23T22:13:20.000+00:00")
        facts = {own.name: own.value for own in suite.properties()}
        self.assertEqual(facts["region"], "ap-guangzhou")
        done, failed, stranded = list(suite)
        self.assertEqual((done.name, done.classname), ("web-1 (ins-0web0001)", "resize-web.ap-guangzhou"))
        self.assertEqual((done.time, done.result), (24.0, []))
        self.assertIn("resize done, took 6.0s", done.system_out)
        (failure,) = failed.result
        self.assertIsInstance(failure, Failure)
        self.assertIn("ResourcesSoldOut", failure.message)
        (error,) = stranded.result
        self.assertIsInstance(error, Error)
        self.assertIn("NEEDS A PERSON", error.message)
        self.assertIn("tccli cvm StartInstances", error.text)

    def test_counts(self):
        for page, count in FLEETS.items():
            with self.subTest(page):
                report = JUnitXml.fromfile(str(PAGES / f"{page}.xml"))
                cases = [case for suite in report for case in suite]
                self.assertEqual(len(cases), count)
                self.assertEqual(report.failures, sum(isinstance(own, Failure) for c in cases for own in c.result))
                self.assertEqual(report.errors, sum(isinstance(own, Error) for c in cases for own in c.result))

    def test_what_was_not_finished_is_skipped(self):
        (suite,) = list(JUnitXml.fromfile(str(PAGES / "interrupted.xml")))
        self.assertEqual([case.is_skipped for case in suite], [True, True])
        self.assertEqual(suite.skipped, 2)

    def test_names_are_no_markup(self):
        (suite,) = list(JUnitXml.fromfile(str(PAGES / "hostile.xml")))
        (case,) = list(suite)
        self.assertIn("<script>alert(1)</script>", case.name)


def load_tests(loader, suite, pattern):
    """Without a browser, which `tests/run` has told of, only what needs none."""
    if BROWSER:
        return suite
    return loader.loadTestsFromTestCase(Junit)

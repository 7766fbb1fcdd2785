"""A word that a notebook links to the glossary is found there with one click, in a real JupyterLab."""

import shutil
from pathlib import Path

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


def test_a_link_opens_the_glossary_at_its_word(page, lab, notebooks):
    shutil.copy(NOTEBOOKS / "glossary.md", notebooks)
    shutil.copy(NOTEBOOKS / "04_encoder.ipynb", notebooks / "a_reader_of_04.ipynb")
    lab.open(page, "a_reader_of_04.ipynb")
    page.get_by_role("link", name="residual connection").first.click()
    # shown as a page, not as its source, and scrolled so that the word stands at the top
    page.wait_for_function(
        """() => {
          const words = [...document.querySelectorAll(".jp-MarkdownViewer h2")];
          const word = words.find((one) => one.textContent.startsWith("residual connection"));
          return word && Math.abs(word.getBoundingClientRect().top - 100) < 60;
        }""",
        timeout=180_000,
    )
    assert not page.complaints
    assert not page.outside

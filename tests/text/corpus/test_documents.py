"""Reading text: the same documents however it is stored, and rubbish counted, not kept."""

import gzip
import json
import lzma
import sys
import tracemalloc
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from electra_lab.text.corpus import documents, rows
from electra_lab.text.corpus.documents import Place, TextFiles, gather
from electra_lab.text.corpus.rows import HubText, text_of_row

TEXT = "One fish.\nTwo fish.\n\n\n  Red fish.  \r\n\nBlue fish — naïve.\n"
DOCUMENTS = [["One fish.", "Two fish."], ["Red fish."], ["Blue fish — naïve."]]


def read(path, **settings):
    """The documents that have paragraphs, and everything that was counted."""
    found, skipped = [], Counter()
    for document in TextFiles(path, **settings).documents():
        skipped += document.skipped
        if document.paragraphs:
            found.append(document.paragraphs)
    return found, dict(skipped)


def zstd(data: bytes) -> bytes:
    return pytest.importorskip("zstandard").compress(data)


@pytest.mark.parametrize(
    ("ending", "compress"),
    [("", bytes), (".xz", lzma.compress), (".gz", gzip.compress), (".zst", zstd)],
)
def test_an_empty_line_ends_a_document_however_the_file_is_compressed(tmp_path, ending, compress):
    file = tmp_path / f"fish.txt{ending}"
    file.write_bytes(compress(TEXT.encode()))
    assert read(file) == (DOCUMENTS, {})
    assert read(tmp_path) == (DOCUMENTS, {})
    again = TextFiles(file)
    assert sum(d.bytes_read for d in again.documents()) == again.total_bytes == file.stat().st_size


def test_a_folder_is_read_in_the_order_of_its_paths_with_the_folders_in_it(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "first.txt").write_text("two")
    (tmp_path / "a.txt").write_text("one")
    (tmp_path / "c.text").write_text("three\n\nfour")
    (tmp_path / ".hidden.txt").write_text("no")
    assert read(tmp_path)[0] == [["one"], ["two"], ["three"], ["four"]]


def test_other_files_of_a_folder_are_counted_and_a_file_by_itself_may_have_any_name(tmp_path):
    (tmp_path / "a.txt").write_text("one")
    (tmp_path / "LICENCE.md").write_text("two")
    assert read(tmp_path) == ([["one"]], {documents.OTHER_FILES: 1})
    assert read(tmp_path / "LICENCE.md") == ([["two"]], {})


def test_every_line_can_be_a_document(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("one\ntwo\n\nthree\n")
    expected = [["one"], ["two"], ["three"]], {documents.EMPTY_DOCUMENTS: 1}
    assert read(file, line_is_document=True) == expected


def test_a_row_of_jsonl_is_a_document_and_its_empty_lines_do_not_end_it(tmp_path):
    file = tmp_path / "a.jsonl.gz"
    lines = [json.dumps({"id": 1, "text": "one\n\ntwo"}), "", '"a text"', "{broken", "17"]
    lines += [json.dumps({"text": ""}), json.dumps({"text": None}), json.dumps({"text": "four"})]
    file.write_bytes(gzip.compress("\n".join(lines).encode()))
    expected = {rows.NOT_JSON_LINES: 2, documents.EMPTY_DOCUMENTS: 2}
    assert read(file) == ([["one", "two"], ["a text"], ["four"]], expected)


def test_a_row_too_long_for_memory_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(rows, "MOST_BYTES_OF_A_ROW", 100)
    file = tmp_path / "a.jsonl"
    file.write_text("\n".join(json.dumps({"text": text}) for text in ("one", "x" * 950, "two")))
    assert read(file) == ([["one"], ["two"]], {rows.LONG_ROWS: 1})


def test_the_column_is_named_or_found():
    assert text_of_row({"title": "a", "text": "b"}, None, "x") == "b"
    assert text_of_row({"body": "b", "likes": 3}, None, "x") == "b"
    assert text_of_row({"title": "a", "text": "b"}, "title", "x") == "a"
    with pytest.raises(ValueError, match="its columns are title, body. Name the one"):
        text_of_row({"title": "a", "body": "b"}, None, "x")
    with pytest.raises(ValueError, match="a row without the column 'content'"):
        text_of_row({"text": "b"}, "content", "x")
    with pytest.raises(ValueError, match="'likes' holds int.*with text are body; name one"):
        text_of_row({"body": "b", "likes": 3}, "likes", "x")


@given(st.lists(st.text(alphabet="ab \n", max_size=12), max_size=12), st.integers(0, 12))
def test_reading_goes_on_from_any_place(texts, where):
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        for number, text in enumerate(["always", *texts]):
            (Path(folder) / f"{number:03}.txt").write_text(text)
        corpus = TextFiles(folder)
        whole = list(corpus.documents())
        where = min(where, len(whole) - 1)
        rest = list(corpus.documents(whole[where].place))
    as_values = [(d.paragraphs, d.place, d.skipped, d.bytes_read) for d in whole[where + 1 :]]
    assert [(d.paragraphs, d.place, d.skipped, d.bytes_read) for d in rest] == as_values


# bad input


def test_binary_files_and_lines_that_are_not_utf_8_are_skipped_and_counted(tmp_path):
    (tmp_path / "picture.txt").write_bytes(
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 50
    )
    (tmp_path / "utf16.txt").write_text("wide", encoding="utf-16")
    latin = b"good\n" + "fa\u00e7ade\n".encode("latin-1") + b"also good\nnul\0here\n"
    (tmp_path / "words.txt").write_bytes(b"x" * 9000 + b"\n" + latin)
    expected = {documents.NOT_TEXT_FILES: 2, documents.NOT_TEXT_LINES: 2}
    assert read(tmp_path) == ([["x" * 9000, "good", "also good"]], expected)


def test_a_line_of_100_megabytes_is_cut_at_spaces_in_little_memory(tmp_path):
    file = tmp_path / "long.txt"
    word = "wörd "
    with file.open("w", encoding="utf-8") as stream:
        for _ in range(100):
            stream.write(word * (2**20 // len(word.encode())))
        stream.write("\nnext\n")
    assert file.stat().st_size > 100_000_000
    words, last = 0, ""
    skipped: Counter[str] = Counter()
    tracemalloc.start()
    for document in TextFiles(file).documents():
        skipped += document.skipped
        for paragraph in document.paragraphs:
            words += paragraph.count("wörd")
            assert paragraph.replace("wörd", "").strip() in ("", "next")
            last = paragraph
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert words == 100 * (2**20 // len(word.encode()))
    assert last == "next"
    assert skipped[documents.CUT_LINES] == 1
    assert skipped[documents.CUT_DOCUMENTS] > 10
    assert peak < 40_000_000


@given(st.text(alphabet="aé漢😀 ", max_size=300), st.integers(8, 40))
def test_cutting_a_line_loses_no_character(text, most):
    import io

    skipped: Counter[str] = Counter()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(documents, "MOST_BYTES_OF_A_LINE", most)
        lines = list(documents.decoded_lines(io.BytesIO(text.encode()), skipped))
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert documents.NOT_TEXT_LINES not in skipped


def test_a_document_without_end_is_cut(monkeypatch):
    monkeypatch.setattr(documents, "MOST_CHARACTERS_OF_A_DOCUMENT", 10)
    skipped: Counter[str] = Counter()
    lines = ["aaaa", "bbbb", "cccc", "dd", "", "e"]
    assert list(gather(iter(lines), skipped)) == [["aaaa", "bbbb"], ["cccc", "dd"], ["e"]]
    assert skipped == {documents.CUT_DOCUMENTS: 1}


def test_empty_files_are_counted_and_a_folder_without_text_is_refused(tmp_path):
    (tmp_path / "empty.txt").touch()
    assert read(tmp_path) == ([], {documents.EMPTY_DOCUMENTS: 1})
    (tmp_path / "none").mkdir()
    with pytest.raises(FileNotFoundError, match="no text files .it is empty"):
        TextFiles(tmp_path / "none")
    (tmp_path / "none" / "table.csv").write_text("a,b")
    with pytest.raises(FileNotFoundError, match=r"it has table\.csv.*\.txt, \.text, \.jsonl"):
        TextFiles(tmp_path / "none")
    with pytest.raises(FileNotFoundError, match="no file or folder .*nowhere"):
        TextFiles(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("ending", "compress"), [(".xz", lzma.compress), (".gz", gzip.compress), (".zst", zstd)]
)
def test_a_compressed_file_that_breaks_off_is_named(tmp_path, ending, compress):
    import random

    chance = random.Random(0)
    text = "\n".join(str(chance.random()) for _ in range(50_000))
    (tmp_path / f"a.txt{ending}").write_bytes(compress(text.encode())[:-2000])
    with pytest.raises(ValueError, match=r"a\.txt.* is damaged"):
        read(tmp_path)


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="Python reads it itself")
def test_without_zstandard_the_error_says_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "a.zst").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(ModuleNotFoundError, match="pip install zstandard"):
        read(tmp_path)


# the hub's data sets


class Stream:
    """As much of a streamed data set as is used."""

    def __init__(self, rows):
        self.rows = rows

    def skip(self, count):
        return Stream(self.rows[count:])

    def __iter__(self):
        return iter(self.rows)


@pytest.fixture
def hub(monkeypatch):
    """A stand-in for the library ``datasets``, which notes what it is asked for."""
    import types

    asked = []
    rows = [{"text": "one\ntwo"}, {"text": ""}, {"text": "x" * 9 + "\n" + "y" * 9}, {"text": "end"}]

    def load_dataset(*names, **settings):
        asked.append((names, settings))
        if names[0] == "no/body":
            raise ConnectionError("no route")
        return Stream(rows)

    monkeypatch.setitem(sys.modules, "datasets", types.SimpleNamespace(load_dataset=load_dataset))
    return asked


def test_a_hub_data_set_is_streamed_and_goes_on_from_any_place(hub, monkeypatch):
    monkeypatch.setattr(documents, "MOST_CHARACTERS_OF_A_DOCUMENT", 10)
    corpus = HubText("some/text", config="en", split="validation")
    assert hub == [(("some/text", "en"), {"split": "validation", "streaming": True})]
    whole = list(corpus.documents())
    assert [d.paragraphs for d in whole] == [["one", "two"], [], ["x" * 9], ["y" * 9], ["end"]]
    assert whole[1].skipped == {documents.EMPTY_DOCUMENTS: 1}
    for number, document in enumerate(whole):
        rest = list(corpus.documents(document.place))
        assert [d.paragraphs for d in rest] == [d.paragraphs for d in whole[number + 1 :]]
    assert list(corpus.beginnings(4)) == ["one", "two"]


def test_a_hub_that_has_no_such_data_set_is_told_from_a_missing_library(hub, monkeypatch):
    with pytest.raises(OSError, match="'no/body' is no path here, and the hub gave no.*no route"):
        HubText("no/body")
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(ModuleNotFoundError, match="pip install datasets"):
        HubText("some/text")


def test_the_real_library_reads_the_same(tmp_path):
    pytest.importorskip("datasets")
    rows = [{"text": f"row {number}\n\nend", "n": number} for number in range(5)]
    (tmp_path / "train.jsonl").write_text("\n".join(map(json.dumps, rows)))
    corpus = HubText(str(tmp_path))
    assert [d.paragraphs for d in corpus.documents()] == [[f"row {n}", "end"] for n in range(5)]
    assert [d.paragraphs[0] for d in corpus.documents(Place(3, 0))] == ["row 3", "row 4"]

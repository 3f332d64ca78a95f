import os

from tracedclient.cli.reading.inputs import Input, Unreadable, inputs


def names(found):
    return [one.name for one in found]


def test_globs_and_directories_are_expanded_in_order(tmp_path, monkeypatch):
    """A glob and a directory give their files, sorted, each once however often it is named."""
    for name in ("b.log", "a.log", "old/c.log"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    os.link(tmp_path / "a.log", tmp_path / "same")
    monkeypatch.chdir(tmp_path)
    assert names(inputs(["*.log", ".", "a.log", "**/c.log"])) == ["a.log", "b.log", "./old/c.log"]


def test_a_name_with_brackets_is_a_name_first(tmp_path, monkeypatch):
    """A file that is called like a pattern is that file."""
    (tmp_path / "a[1].log").write_text("")
    monkeypatch.chdir(tmp_path)
    assert names(inputs(["a[1].log"])) == ["a[1].log"]


def test_what_is_not_there_is_told(tmp_path):
    """A missing file and a glob without a match are told, among those that are there."""
    (tmp_path / "a").write_text("")
    found = list(inputs([f"{tmp_path}/none", f"{tmp_path}/*.gz", f"{tmp_path}/a", "a\0b"]))
    assert [type(one) for one in found] == [Unreadable, Unreadable, Input, Unreadable]
    assert [one.why for one in found[:2]] == ["No such file or directory", "no file matches"]


def test_a_pipe_is_read_where_it_is_named_and_not_where_it_lies_about(tmp_path):
    """A FIFO in a directory is passed over: nobody may ever write to it."""
    os.mkfifo(tmp_path / "pipe")
    assert list(inputs([str(tmp_path)])) == []
    assert list(inputs([str(tmp_path / "pipe")])) == [Input(str(tmp_path / "pipe"), seekable=False)]


def test_stdin_is_a_dash():
    """A dash is the standard input, once."""
    assert list(inputs(["-", "-"])) == [Input("-", seekable=False)]

"""A step's inputs: its own, and never changed by it."""

from __future__ import annotations

import os

import pytest
from engine_stages import shell

from flow.engine.cache import Cache
from flow.engine.hashing import digest_file
from flow.model.graph import Graph
from flow.model.step import OutputRef
from flow.model.view import Tree, View


@pytest.fixture
def tree(tmp_path):
    """Return a tree of two files, of which a bench might be made."""
    folder = tmp_path / "source"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_text("first")
    (folder / "sub" / "b.txt").write_text("other")
    return Tree(files=tuple((name, _view(folder / name)) for name in ("a.txt", "sub/b.txt")))


def _view(path):
    digest, size = digest_file(path)
    return View(name=path.name, digest=digest, size=size, path=str(path))


WRITE = "chmod u+w in/tree/a.txt; printf wrong > in/tree/a.txt"


def test_writing_to_an_input_in_place_is_refused_and_harms_nothing(bench, tree):
    graph = Graph([shell("writes", WRITE, inputs={"tree": tree}, reads=["a.txt"])])
    outcome = bench.run(graph)["writes"]
    assert outcome.status == "failed"
    assert outcome.error["what"] == "a.txt was written to while the step ran"
    assert "write into the current directory" in outcome.error["remedy"]
    reader = Graph([shell("reads", "cat tree/a.txt > out", inputs={"tree": tree}, outputs=["out"])])
    view = bench.run(reader)["reads"].outputs["out"]
    assert Cache(bench.cache_root).locate(view).read_text() == "first"
    assert (bench.root / "source" / "a.txt").read_text() == "first"


def test_a_step_may_do_what_it_likes_to_its_own_copy(bench, tree):
    script = "rm tree/sub/b.txt; mv tree/a.txt tree/c.txt; echo new > tree/a.txt; ls tree > out"
    steps = [
        shell("spoils", script, inputs={"tree": tree}, outputs=["out"]),
        shell("reads", "cat tree/a.txt tree/sub/b.txt > out; ls tree | wc -l >> out",
              inputs={"tree": tree}, outputs=["out"], after=["spoils"]),
    ]  # fmt: skip
    outcomes = bench.run(Graph(steps))
    assert outcomes["spoils"].status == "done"
    assert Cache(bench.cache_root).locate(outcomes["reads"].outputs["out"]).read_text().split() == [
        "firstother2"
    ]


def test_a_blob_changed_behind_the_back_of_a_running_flow_is_noticed(bench, tree):
    cache = Cache(bench.cache_root)
    view = tree.files[0][1]
    blob = cache.ingest(view)
    blob.chmod(0o644)
    blob.write_text("wrong")
    os.utime(blob, ns=(0, 0))
    assert cache.ingest(view).read_text() == "first"


def test_what_another_step_made_cannot_be_changed_either(bench):
    steps = [
        shell("makes", "echo good > out", outputs=["out"]),
        shell("writes", "chmod u+w in/m/out; echo evil > in/m/out", inputs={"m": OutputRef("makes", "out")}),
    ]
    outcomes = bench.run(Graph(steps))
    assert outcomes["writes"].error["what"] == "m was written to while the step ran"
    again = bench.run(Graph(steps[:1]))
    assert Cache(bench.cache_root).locate(again["makes"].outputs["out"]).read_text() == "good\n"


def test_a_file_that_cannot_be_linked_is_copied(tmp_path, tree, monkeypatch):
    def refuse(source, target):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    Cache(tmp_path / "cache").place_tree(tree, tmp_path / "placed")
    assert (tmp_path / "placed" / "sub" / "b.txt").read_text() == "other"

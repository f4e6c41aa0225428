"""Uploaded files: kept by their content."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from plivo_sim.account.interfaces import FileStore
from plivo_sim.account.store.files import DiskFiles, MemoryFiles, sha256_of
from plivo_sim.domain.errors import FileDamaged, StorageFailed


@pytest.fixture(params=["memory", "disk"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> FileStore:
    """Each way of keeping files."""
    return MemoryFiles() if request.param == "memory" else DiskFiles(tmp_path / "files")


@pytest.mark.parametrize("content", [b"", b"%PDF-1.4", bytes(range(256)) * 4096])
def test_a_content_comes_back_under_its_hash(files: FileStore, content: bytes) -> None:
    """Byte for byte."""
    name = files.keep(content)
    assert (name, files.read(name)) == (sha256_of(content), content)


def test_keeping_again_is_the_same(files: FileStore) -> None:
    """One content, one name."""
    assert files.keep(b"a") == files.keep(b"a")


def test_an_unknown_hash_is_none(files: FileStore) -> None:
    """Also before anything was kept."""
    assert files.read(sha256_of(b"never")) is None


def test_forgetting_keeps_what_is_named(files: FileStore) -> None:
    """And drops the rest."""
    kept, gone = files.keep(b"kept"), files.keep(b"gone")
    files.forget_all_but({kept})
    assert (files.read(kept), files.read(gone)) == (b"kept", None)


def test_forgetting_before_anything_was_kept(files: FileStore) -> None:
    """There is nothing to do."""
    files.forget_all_but(())
    assert files.read(sha256_of(b"")) is None


def test_forgotten_files_can_be_kept_again(files: FileStore) -> None:
    """A reset is not the end."""
    name = files.keep(b"a")
    files.forget_all_but(())
    files.keep(b"a")
    assert files.read(name) == b"a"


def test_disk_files_survive_a_restart(tmp_path: Path) -> None:
    """Another store over the same folder has them."""
    name = DiskFiles(tmp_path / "files").keep(b"a")
    assert DiskFiles(tmp_path / "files").read(name) == b"a"


def test_a_half_written_file_is_never_read_as_whole(tmp_path: Path) -> None:
    """What a crash left aside does not stand in the way, and goes with the next sweep."""
    (tmp_path / f"{sha256_of(b'whole')}.123-456").write_bytes(b"wh")
    files = DiskFiles(tmp_path)
    name = files.keep(b"whole")
    files.forget_all_but({name})
    assert (files.read(name), os.listdir(tmp_path)) == (b"whole", [name])


def test_a_folder_that_cannot_be_written_is_a_storage_failure(tmp_path: Path) -> None:
    """Told with the path; here a file is where the folder should be."""
    (tmp_path / "files").write_text("in the way")
    with pytest.raises(StorageFailed, match="cannot write"):
        DiskFiles(tmp_path / "files").keep(b"a")


# --- what is no hash, and what is no file ------------------------------------------------------

NO_HASHES = ["../secret", "/etc/passwd", "x", "", f"{'A' * 64}", f"{'a' * 64}\n", f"{'a' * 64}/x"]


@pytest.mark.parametrize("name", NO_HASHES)
def test_a_name_that_is_no_hash_is_refused(files: FileStore, tmp_path: Path, name: str) -> None:
    """Neither read nor removed nor written, wherever it leads to."""
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    with pytest.raises(ValueError, match="SHA-256"):
        files.read(name)
    with pytest.raises(ValueError, match="SHA-256"):
        files.forget(name)
    if name:
        with pytest.raises(ValueError, match="SHA-256"):
            files.keep(b"other", name)
    assert secret.read_bytes() == b"secret"


def test_a_sweep_leaves_what_is_not_ours(tmp_path: Path) -> None:
    """A folder that somebody put into its place is not emptied."""
    (tmp_path / "thesis.txt").write_text("mine")
    DiskFiles(tmp_path).forget_all_but(())
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def change(place: Path) -> None:
    """Other bytes, as many."""
    place.write_bytes(b"A")


def cut(place: Path) -> None:
    """Nothing is left of it."""
    place.write_bytes(b"")


def grow(place: Path) -> None:
    """Beyond every limit, though the disk holds little of it."""
    os.truncate(place, 1 << 40)


def link(place: Path) -> None:
    """To a file of the same content."""
    place.rename(place.with_name("elsewhere"))
    place.symlink_to("elsewhere")


def put_fifo(place: Path) -> None:
    """Which nobody writes to."""
    place.unlink()
    os.mkfifo(place)


def put_folder(place: Path) -> None:
    """Under the file's name."""
    place.unlink()
    place.mkdir()


def link_folder(place: Path) -> None:
    """The folder of files is elsewhere, with the same files."""
    place.parent.rename(place.parent.with_name("elsewhere"))
    place.parent.symlink_to("elsewhere")


def link_account(place: Path) -> None:
    """The account's folder is."""
    link_folder(place.parent)


IRREGULAR = "it is a link, a FIFO or a device, not a file"
SPOILT = {
    change: "is damaged: its content is not what was uploaded",
    cut: "is damaged: its content is not what was uploaded",
    grow: "is damaged: its content is not what was uploaded",
    link: IRREGULAR,
    put_fifo: IRREGULAR,
    put_folder: IRREGULAR,
    link_folder: "Not a directory",
    link_account: "Not a directory",
}


@pytest.mark.parametrize(("spoil", "sentence"), SPOILT.items(), ids=[f.__name__ for f in SPOILT])
def test_what_was_changed_is_not_served(
    tmp_path: Path, spoil: Callable[[Path], None], sentence: str
) -> None:
    """It is refused with its path: no link is followed, no FIFO waited for, nothing huge read."""
    files = DiskFiles(tmp_path / "MA" / "files")
    place = tmp_path / "MA" / "files" / files.keep(b"a")
    spoil(place)
    with pytest.raises(FileDamaged, match=f"{place}.*{sentence}"):
        files.read(place.name)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="descriptors are not listed here")
def test_what_is_not_served_is_closed(tmp_path: Path) -> None:
    """Each look would cost a descriptor."""
    files = DiskFiles(tmp_path)
    place = tmp_path / files.keep(b"a")
    put_fifo(place)
    before = set(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with pytest.raises(FileDamaged):
            files.read(place.name)
    assert len(set(os.listdir("/proc/self/fd")) - before) < 3


@pytest.mark.parametrize("spoil", [change, cut, grow, link, put_fifo])
def test_a_damaged_file_is_whole_once_it_is_kept_again(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    """The same proof, uploaded once more."""
    files = DiskFiles(tmp_path)
    place = tmp_path / files.keep(b"a")
    spoil(place)
    files.keep(b"a")
    assert (files.read(place.name), place.is_symlink()) == (b"a", False)


@pytest.mark.parametrize("spoil", [link_folder, link_account])
@pytest.mark.parametrize("how", ["keep", "forget", "forget_all_but"])
def test_nothing_is_changed_where_a_link_leads(
    tmp_path: Path, spoil: Callable[[Path], None], how: str
) -> None:
    """Another server's files may lie there."""
    files = DiskFiles(tmp_path / "MA" / "files")
    name = files.keep(b"a")
    spoil(tmp_path / "MA" / "files" / name)
    before = sorted(tmp_path.rglob("*"))
    if how == "keep":
        with pytest.raises(StorageFailed, match="Not a directory"):
            files.keep(b"b")
    else:
        assert not (files.forget(name) if how == "forget" else files.forget_all_but(()))
    assert sorted(tmp_path.rglob("*")) == before


def test_an_empty_folder_that_stays_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One that still holds something is not, and it is tried again."""

    def refuse(path: Path) -> None:
        raise OSError(13, "Permission denied", str(path))

    files = DiskFiles(tmp_path / "MA" / "files")
    first, last = (files.keep(content) for content in (b"a", b"b"))
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rmdir", refuse)
        assert files.forget(first)
        assert caplog.messages == []
        assert files.forget(last)
    folder = tmp_path / "MA" / "files"
    assert caplog.messages == [f"cannot remove {folder}: Permission denied; it is tried again"]
    files.forget_all_but(())
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("how", ["forget", "forget_all_but"])
def test_the_folder_goes_with_its_last_file(tmp_path: Path, how: str) -> None:
    """And the account's with it, if nothing else is there."""
    files = DiskFiles(tmp_path / "MA" / "files")
    names = [files.keep(content) for content in (b"a", b"b")]
    (tmp_path / "MA" / "journal.jsonl").touch()
    for n, name in enumerate(names, 1):
        files.forget(name) if how == "forget" else files.forget_all_but(names[n:])
    assert os.listdir(tmp_path / "MA") == ["journal.jsonl"]
    (tmp_path / "MA" / "journal.jsonl").unlink()
    files.forget_all_but(())
    assert os.listdir(tmp_path) == []
    files.keep(b"a")


def test_what_was_prepared_is_kept_without_writing_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest is a new name for it."""
    files, content = DiskFiles(tmp_path), b"prepared"
    end = files.prepare(content, sha256_of(content))
    monkeypatch.delattr(DiskFiles, "_write")
    name = files.keep(content)
    end()
    assert (files.read(name), os.listdir(tmp_path)) == (content, [name])


def test_what_was_prepared_for_nothing_goes(files: FileStore, tmp_path: Path) -> None:
    """Its request was refused."""
    kept = files.keep(b"kept")
    files.prepare(b"refused", sha256_of(b"refused"))()
    assert files.read(sha256_of(b"refused")) is None
    assert [each.name for each in tmp_path.rglob("*") if each.is_file()] in ([], [kept])


def test_what_was_prepared_and_swept_away_is_written_again(tmp_path: Path) -> None:
    """By a reset meanwhile, say."""
    files, content = DiskFiles(tmp_path / "files"), b"prepared"
    files.keep(b"before")
    end = files.prepare(content, sha256_of(content))
    files.forget_all_but(())
    name = files.keep(content)
    end()
    assert (files.read(name), os.listdir(tmp_path / "files")) == (content, [name])


def test_a_refused_first_file_makes_no_folder(tmp_path: Path) -> None:
    """An account that keeps nothing has none."""
    DiskFiles(tmp_path / "files").prepare(b"a", sha256_of(b"a"))()
    assert os.listdir(tmp_path) == []


def test_a_reset_while_a_file_is_prepared_leaves_no_folder(tmp_path: Path) -> None:
    """What is prepared makes none anew, for its request may be refused."""
    resets: list[Callable[[], object]] = []

    def meanwhile() -> None:
        while resets:
            resets.pop()()

    files = DiskFiles(tmp_path / "MA" / "files", check=meanwhile)
    files.keep(b"before")
    resets.append(lambda: files.forget_all_but(()))
    files.prepare(b"refused", sha256_of(b"refused"))()
    assert os.listdir(tmp_path) == []


def test_the_folder_goes_with_what_was_prepared_last(tmp_path: Path) -> None:
    """The last file went before it; the account's folder may be in use, and stays."""
    files = DiskFiles(tmp_path / "MA" / "files")
    name = files.keep(b"kept")
    end = files.prepare(b"refused", sha256_of(b"refused"))
    files.forget(name)
    end()
    assert list(tmp_path.rglob("*")) == [tmp_path / "MA"]


def test_what_is_prepared_counts_once(tmp_path: Path) -> None:
    """When it is kept: not before, and not twice after."""
    DiskFiles(tmp_path).keep(b"before")
    files, content = DiskFiles(tmp_path), b"prepared"
    ends = [files.prepare(each, sha256_of(each)) for each in (content, b"refused")]
    assert files.size_with({}) == len(b"before")
    files.keep(content)
    for end in ends:
        end()
    assert files.size_with({}) == sum(len(each.read_bytes()) for each in tmp_path.iterdir())

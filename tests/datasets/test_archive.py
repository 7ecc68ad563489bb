"""An archive that somebody else made is read only when every member is safe."""

import io
import stat
import warnings
import zipfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from uploads import shop

from mmrec_core.datasets.archive import extract, opened, scan, unsafe
from mmrec_core.datasets.install import install
from mmrec_core.domain import InputError
from mmrec_core.settings import settings


def packed(path: Path, members: dict[str, bytes], level: int = zipfile.ZIP_STORED) -> Path:
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", level) as archive:
        warnings.simplefilter("ignore")
        for name, content in members.items():
            member = zipfile.ZipInfo("x")
            member.filename = name
            member.compress_type = level
            archive.writestr(member, content)
    return path


def everything(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    "name",
    [
        "../evil.csv", "a/../../evil.csv", "/etc/passwd", "C:/evil", "c:evil", "a\\..\\evil",
        "a//b", "./a", "a/./b", "a\nb", "..", "x" * 300, "images/..",
    ],
)  # fmt: skip
def test_hostile_names(tmp_path: Path, mmrec_data: Path, name: str) -> None:
    upload = packed(tmp_path / "up.zip", {"interactions.csv": b"user_id,item_id\n", name: b"x"})
    before = everything(tmp_path)
    with pytest.raises(InputError, match=r"up\.zip: member .* is refused"):
        install(upload)
    assert everything(tmp_path) == before


parts = st.one_of(
    st.sampled_from(["..", ".", "", "a", "images", "C:", "\\", "~", "con"]), st.text(max_size=6)
)


@given(st.lists(parts, min_size=1, max_size=5).map("/".join))
@example("a/../b")
@example("..\\..\\x")
def test_no_name_leaves_the_folder(name: str) -> None:
    if unsafe(name) == "":
        root = Path("/srv/upload")
        target = Path(*root.parts, *name.split("/"))
        assert ".." not in target.parts
        assert target.is_relative_to(root) and target != root
        assert "\\" not in name and "\x00" not in name


@given(st.binary(max_size=200), st.integers(0, 400), st.integers(0, 255))
def test_damaged_archives_give_a_sentence(content: bytes, position: int, byte: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = packed(Path(folder) / "up.zip", {"a/b.csv": content}, zipfile.ZIP_DEFLATED)
        raw = bytearray(path.read_bytes())
        raw[position % len(raw)] = byte
        path.write_bytes(bytes(raw))
        target = Path(folder) / "out"
        target.mkdir()
        try:
            extract(path, target)
        except InputError as error:
            assert "up.zip" in str(error)
        assert all(p.is_relative_to(target) for p in target.rglob("*"))


def test_links_are_refused(tmp_path: Path, mmrec_data: Path) -> None:
    path = tmp_path / "up.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("interactions.csv")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(InputError, match="it is a link"):
        install(path)


def test_links_in_folders_are_not_followed(tmp_path: Path) -> None:
    up = shop(tmp_path / "up")
    (tmp_path / "secret.csv").write_text("x")
    (up / "items.csv").unlink()
    (up / "items.csv").symlink_to(tmp_path / "secret.csv")
    (up / "images" / "more").symlink_to(tmp_path)
    files = scan(up, "up")
    assert files.links == ("images/more", "items.csv")
    assert "items.csv" not in files.paths
    assert not any("secret" in name for name in files.paths)


def test_bombs(tmp_path: Path, mmrec_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = packed(tmp_path / "up.zip", {"a.csv": bytes(20_000_000)}, zipfile.ZIP_DEFLATED)
    with pytest.raises(InputError, match="times its size"):
        install(bomb)
    limits = settings().limits
    monkeypatch.setitem(limits.__dict__, "archive_bytes", 1000)
    with pytest.raises(InputError, match=r"unpacks to .* GiB"):
        install(bomb)
    monkeypatch.setitem(limits.__dict__, "archive_members", 2)
    many = packed(tmp_path / "many.zip", {str(i): b"" for i in range(3)})
    with pytest.raises(InputError, match="holds 3 files"):
        install(many)


def test_doubled_and_colliding_members(tmp_path: Path, mmrec_data: Path) -> None:
    path = tmp_path / "up.zip"
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("a.csv", "1")
        archive.writestr("a.csv", "2")
    with pytest.raises(InputError, match="twice"):
        install(path)
    path = packed(tmp_path / "up.zip", {"a": b"1", "a/b": b"2"})
    with pytest.raises(InputError, match="'a' is a file as well"):
        install(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"nothing"])
def test_not_an_archive(tmp_path: Path, mmrec_data: Path, content: bytes) -> None:
    path = tmp_path / "up.zip"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"up\.zip is not a zip archive"):
        install(path)
    with pytest.raises(InputError, match="no file or folder"):
        install(tmp_path / "nowhere")


def test_encrypted_member(tmp_path: Path, mmrec_data: Path) -> None:
    path = packed(tmp_path / "up.zip", {"a.csv": b"x"})
    raw = bytearray(path.read_bytes())
    central = raw.index(b"PK\x01\x02")
    raw[6] |= 1
    raw[central + 8] |= 1
    path.write_bytes(bytes(raw))
    with pytest.raises(InputError, match="encrypted"):
        install(path)


def test_archive_gives_what_the_folder_gives(tmp_path: Path, mmrec_data: Path) -> None:
    up = shop(tmp_path / "up")
    path = tmp_path / "zipped.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("__MACOSX/._interactions.csv", "junk")
        for file in sorted(up.rglob("*")):
            archive.write(file, f"My shop/{file.relative_to(up).as_posix()}")
    with opened(path) as files:
        assert "interactions.csv" in files.paths
        unpacked = files.paths["interactions.csv"]
    assert not unpacked.exists()
    by_folder = install(up, name="one")
    by_zip = install(path, name="two")
    assert by_folder.key == by_zip.key
    assert by_folder.report.as_json() == by_zip.report.as_json()
    raw = io.BytesIO(path.read_bytes())
    again = tmp_path / "other.zip"
    again.write_bytes(raw.getvalue())
    assert install(again, name="two").key == by_zip.key

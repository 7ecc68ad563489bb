"""Hostile and broken uploads: a sentence, or a sound dataset; nothing else, and nothing left.

The corpus is in ``tests/hostile``; what must be true of every case is in its ``Oracle``.
"""

import resource
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hostile import (
    INSTALLS,
    LIMITS,
    Case,
    Oracle,
    archives,
    complaint,
    features,
    in_folder,
    in_list,
    judge,
    mutations,
    pictures,
    put,
    tables,
)
from hostile.sound import SOUND, sound
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmrec_core.datasets.importers import IMPORTERS, lines
from mmrec_core.settings import settings as settings_of
from mmrec_core.store import store

CASES: list[Case] = [
    case for group in (archives, features, pictures, tables) for case in group.cases()
] + [case for format_ in SOUND for case in mutations.cases(format_)]
"""All of them; each is an upload of its own."""

MOST_MIB = 1_500
"""Memory that reading any of them may take beyond what Python and its libraries have."""


@pytest.fixture
def oracle(mmrec_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Oracle:
    assert mmrec_data == tmp_path / "data"
    _settle(monkeypatch, tmp_path)
    monkeypatch.setattr(lines, "LONGEST_LINE", 2**18)
    return Oracle(tmp_path)


def _settle(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("MMREC_DATA", str(folder / "data"))
    monkeypatch.setenv("MMREC_LIMITS", LIMITS)
    settings_of.cache_clear()
    store.cache_clear()


@pytest.fixture
def bounded() -> Iterator[None]:
    """Memory is bounded: what claims to be large may not make the program so."""
    if sys.platform != "linux":
        yield
        return
    # Private memory; a file that is only mapped is none.
    pages = int(Path("/proc/self/statm").read_text().split()[5])
    before = resource.getrlimit(resource.RLIMIT_DATA)
    most = pages * resource.getpagesize() + MOST_MIB * 2**20
    resource.setrlimit(resource.RLIMIT_DATA, (most, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_DATA, before)


def test_every_format_has_a_sound_upload() -> None:
    assert set(SOUND) == set(IMPORTERS.names())
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names) >= 200


@pytest.mark.parametrize(
    "format_,variant", [(format_, variant) for format_ in SOUND for variant in sound(format_)]
)
def test_a_sound_upload_is_installed(oracle: Oracle, format_: str, variant: str) -> None:
    case = Case(variant, in_folder(sound(format_)[variant]), INSTALLS, format=format_)
    judge(case, oracle, case.build(oracle.folder))


@pytest.mark.usefixtures("bounded")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_broken_upload(oracle: Oracle, case: Case) -> None:
    judge(case, oracle, case.build(oracle.folder))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Traceback (most recent call last).",
        "It cannot be read (KeyError: 'x').",
        "no capital.",
        "No end",
        "A file /srv/upload/x is odd.",
        "A bell \a.",
    ],
)
def test_what_is_no_sentence(text: str) -> None:
    assert complaint(text, {"up"}, Path("/srv/upload"))


def _upload() -> st.SearchStrategy[dict[str, bytes]]:
    """A sound upload with bytes written over, cut out or put in, in one to three places."""
    held = [
        {name: raw.encode() if isinstance(raw, str) else raw for name, raw in content.items()}
        for format_ in SOUND
        for content in sound(format_).values()
    ]

    @st.composite
    def broken(draw: st.DrawFn) -> dict[str, bytes]:
        files = dict(draw(st.sampled_from(held)))
        for _ in range(draw(st.integers(1, 3))):
            name = draw(st.sampled_from(sorted(files)))
            raw = files[name]
            at = draw(st.integers(0, len(raw)))
            length = draw(st.sampled_from([0, 1, 2, 8, 64]))
            put_in = draw(st.one_of(st.binary(max_size=12), st.text(max_size=8).map(_encoded)))
            files[name] = raw[:at] + put_in + raw[at + length :]
        return files

    return broken()


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@pytest.mark.usefixtures("mmrec_data")
@pytest.mark.parametrize("as_list", [False, True])
def test_bytes_written_over(
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    as_list: bool,
) -> None:
    @settings(max_examples=60, suppress_health_check=list(HealthCheck))
    @given(_upload())
    def check(files: dict[str, bytes]) -> None:
        folder = tmp_path_factory.mktemp("bytes")
        _settle(monkeypatch, folder)
        oracle = Oracle(folder)
        path = in_list(dict(files))(folder) if as_list else put(folder, dict(files))
        for _ in oracle.read(path):
            pass

    check()

"""Models of a hub: found on this machine, or fetched where that is allowed; never from a pickle.

A model is named by its hub id or by a local folder in the same format. Weights are read from
safetensors alone, and no code that comes with a model is run.
"""

import re
from functools import lru_cache
from hashlib import file_digest
from pathlib import Path

from mmrec_core.domain import InputError, sha256_json
from mmrec_core.settings import settings

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
BUNDLED = "small-lvlm"
"""Name of the model that comes with the program, in place of a hub id."""
SECONDS = 4.0
"""How long the hub has to answer at all."""

_WANTED = ("*.json", "*.safetensors", "*.txt", "*.model", "*.jinja")
_KEPT = {".json", ".safetensors", ".txt", ".model", ".jinja"}


class ModelNotHereError(InputError):
    """A model is not on this machine."""


def find_model(model: str) -> Path | None:
    """The folder of a model that is on this machine, or None.

    Args:
        model: A local folder, a hub id whose snapshot lies in the hub's cache, or BUNDLED.
    """
    if not model.strip():
        return None
    folder = Path(model).expanduser() if model != BUNDLED else settings().models / BUNDLED
    if (folder / "config.json").is_file() or (folder / "modules.json").is_file():
        return folder.resolve()
    if not HUB_ID.fullmatch(model):
        return None
    from huggingface_hub import try_to_load_from_cache

    for file in ("config.json", "modules.json"):
        found = try_to_load_from_cache(model, file)
        if isinstance(found, str):
            snapshot = Path(found).parent
            # A download that was cut off has a config and no weights.
            if any(snapshot.rglob("*.safetensors")):
                return snapshot
    return None


def why_missing(model: str) -> str:
    """Why a model is not on this machine, and how to get it; no full stop."""
    if not model.strip():
        return "no model is named; set the option model to a local folder or a hub id"
    if model == BUNDLED:
        return f"the bundled model is gone from {settings().models}; fetch the program again"
    folder = Path(model).expanduser()
    if folder.is_dir():
        return f"the folder {model} holds no config.json, so it is no model"
    if not HUB_ID.fullmatch(model):
        return f"there is no folder {model}"
    if settings().offline:
        return (
            f"{model} is not on this machine, and no model hub is asked; give a local folder with "
            "the option model, or set MMREC_ONLINE=1 where there is internet"
        )
    return f"{model} is not on this machine yet; it is fetched from the hub when it is used"


def local_model(model: str) -> Path:
    """The folder of a model, fetched from the hub where that is allowed and needed.

    Raises:
        InputError: It is not here and cannot be fetched; the sentence says why.
    """
    found = find_model(model)
    if found is not None:
        return found
    if settings().offline or not HUB_ID.fullmatch(model) or Path(model).expanduser().is_dir():
        raise InputError(f"The model cannot be loaded: {why_missing(model)}.")
    return _fetched(model)


def _fetched(model: str) -> Path:
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

    try:
        # Asked first and once: the download itself would try again and again.
        HfApi().model_info(model, timeout=SECONDS)
        return Path(snapshot_download(model, allow_patterns=list(_WANTED), etag_timeout=SECONDS))
    except RepositoryNotFoundError:
        raise InputError(
            f"The hub has no model {model!r} that can be read without login."
        ) from None
    except (HfHubHTTPError, OSError) as error:
        raise InputError(
            f"The model hub did not answer ({type(error).__name__}), and {model} is not on this "
            "machine; give a local folder with the option model."
        ) from None
    except Exception as error:
        # The hub's client raises kinds of its HTTP library, which is not ours to name.
        if not type(error).__module__.startswith(("http", "requests")):
            raise
        raise InputError(
            f"The model hub cannot be reached ({type(error).__name__}), and {model} is not on this "
            "machine; give a local folder with the option model."
        ) from None


def weights_fingerprint(folder: Path) -> str:
    """sha256 of what a model is made of: a snapshot's commit, else the content of its files."""
    if folder.parent.name == "snapshots":
        return sha256_json({"commit": folder.name, "model": folder.parent.parent.name})
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix in _KEPT)
    return sha256_json([[p.relative_to(folder).as_posix(), _sha256(p)] for p in files])


def _sha256(path: Path) -> str:
    stat = path.stat()
    return _sha256_of(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=512)
def _sha256_of(path: Path, size: int, modified: int) -> str:
    """Of the file as it was then: weights hold gigabytes, and pages ask often."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()

"""The two extractors that run offline, with their real weights."""

import importlib.util

import numpy as np
import pytest
from PIL import Image

from mmrec_core.extractors import EXTRACTORS, embed, make_extractor
from mmrec_core.extractors.images import read_picture

needs_minilm = pytest.mark.skipif(
    not EXTRACTORS.get("minilm")().availability().ok, reason="weights of MiniLM not installed"
)
needs_efficientnet = pytest.mark.skipif(
    not EXTRACTORS.get("efficientnet-lite0")().availability().ok,
    reason="weights of EfficientNet-Lite0 not installed",
)

TEXTS = [
    "A soft cotton blanket for newborn babies",
    "",
    "Cozy knitted cover to keep infants warm",
    "Stainless steel hammer with a rubber grip",
    "   \n",
    "w " * 600,
    "emoji \U0001f9f8, 日本語 and Ünïcode",
]


@pytest.fixture(scope="module")
def minilm():
    return make_extractor("minilm")


@pytest.fixture(scope="module")
def efficientnet():
    return make_extractor("efficientnet-lite0")


@needs_minilm
def test_minilm_reads_meaning_and_masks_empty_text(make_dataset, minilm):
    dataset = make_dataset(texts=TEXTS)
    made = minilm.encode(dataset, "cpu")
    assert made.matrix.shape == (7, 384) and made.matrix.dtype == np.float32
    assert made.missing.tolist() == [False, True, False, False, True, False, False]
    np.testing.assert_allclose(np.linalg.norm(made.matrix[made.observed], axis=1), 1, atol=1e-5)
    cosine = made.matrix @ made.matrix.T
    assert cosine[0, 2] > 0.4 > cosine[0, 3] + 0.2
    alone = minilm.encode(dataset, "cpu", batch_size=1)
    np.testing.assert_allclose(alone.matrix, made.matrix, atol=2e-6)


@needs_minilm
def test_minilm_equals_masked_mean_pooling_by_hand(make_dataset, minilm):
    """Against the transformer's own states, pooled here."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    from mmrec_core.extractors.minilm import _weights

    texts = [TEXTS[0], TEXTS[3], "short"]
    made = minilm.encode(make_dataset(texts=texts), "cpu")
    tokenizer = AutoTokenizer.from_pretrained(_weights(), local_files_only=True)
    model = AutoModel.from_pretrained(_weights(), local_files_only=True).eval()
    tokens = tokenizer(texts, padding=True, return_tensors="pt")
    with torch.inference_mode():
        states = model(**tokens).last_hidden_state
    weight = tokens["attention_mask"][..., None].float()
    pooled = (states * weight).sum(1) / weight.sum(1)
    expected = torch.nn.functional.normalize(pooled, dim=1).numpy()
    np.testing.assert_allclose(made.matrix, expected, atol=2e-6)


@needs_minilm
def test_minilm_cuts_long_text_and_reads_titles_when_asked(make_dataset, minilm):
    dataset = make_dataset(texts=["w " * 300, "w " * 600, "other"])
    made = minilm.encode(dataset, "cpu")
    np.testing.assert_allclose(made.matrix[0], made.matrix[1], atol=2e-6)
    titles = make_extractor("minilm", {"column": "title"})
    assert titles.label == "minilm(column=title)"
    assert titles.inputs_fingerprint(dataset) != minilm.inputs_fingerprint(dataset)
    assert titles.order(make_dataset(texts=["", ""])).tolist() == [0, 1]


@needs_efficientnet
def test_efficientnet_masks_and_lists_bad_pictures(picture_dataset, efficientnet):
    made = efficientnet.encode(picture_dataset, "cpu")
    assert made.matrix.shape == (8, 1280)
    assert made.missing.tolist() == [False, False, True, False, True, False, True, False]
    assert set(made.failures) == {"i4", "i6"}
    assert made.failures["i6"] == "empty.jpg: not a picture that can be read"
    assert made.failures["i4"].startswith("bad.jpg: ")
    alone = efficientnet.encode(picture_dataset, "cpu", batch_size=1)
    np.testing.assert_allclose(alone.matrix, made.matrix, atol=2e-4)
    rows = made.matrix[made.observed]
    assert (rows >= 0).all() and (rows <= 6).all() and rows.std(axis=0).max() > 0.05


@needs_efficientnet
def test_efficientnet_pooled_features_give_the_networks_own_answer(picture_dataset, efficientnet):
    """Its classifier on our vectors equals the whole network on the same pixels."""
    import torch

    made = efficientnet.encode(picture_dataset, "cpu")
    pixels = read_picture(picture_dataset.folder / "0.jpg")
    tensor = torch.from_numpy((pixels.astype(np.float32) - 127) / 128).permute(2, 0, 1)[None]
    network = efficientnet._model
    assert not network.training
    with torch.inference_mode():
        expected = network(tensor).numpy()
        logits = network._fc(torch.from_numpy(made.matrix[:1].copy())).numpy()
    np.testing.assert_allclose(logits, expected, atol=1e-3)


@needs_efficientnet
def test_pictures_are_keyed_by_content_and_not_by_path(make_dataset, picture_dataset, efficientnet):
    before = efficientnet.inputs_fingerprint(picture_dataset)
    picture_dataset.items["image"] = [
        "" if not p else f"x/{p}" for p in picture_dataset.items["image"]
    ]
    assert efficientnet.inputs_fingerprint(picture_dataset) == before
    picture_dataset.items.loc[0, "image_sha256"] = "other"
    assert efficientnet.inputs_fingerprint(picture_dataset) != before


@needs_efficientnet
def test_efficientnet_through_the_store(picture_dataset, mmrec_data):
    made, artefact = embed(picture_dataset, "efficientnet-lite0")
    assert artefact.facts["n_failures"] == 2 and artefact.facts["n_missing"] == 3
    again, _ = embed(picture_dataset, "efficientnet-lite0")
    assert again.fingerprint == made.fingerprint and again.failures == made.failures


def test_padding_keeps_the_whole_picture_on_neutral_grey(tmp_path):
    Image.new("RGB", (400, 200), (250, 10, 10)).save(tmp_path / "wide.png")
    padded = read_picture(tmp_path / "wide.png", "pad")
    assert padded.shape == (224, 224, 3) and padded.dtype == np.uint8
    assert (padded[:56] == 127).all() and (padded[-56:] == 127).all()
    assert (padded[56:168] == [250, 10, 10]).all()
    for resize in ("crop", "stretch"):
        assert (read_picture(tmp_path / "wide.png", resize) == [250, 10, 10]).all()


def test_crop_takes_the_middle(tmp_path):
    pixels = np.zeros((100, 300, 3), dtype=np.uint8)
    pixels[:, 100:200] = 255
    Image.fromarray(pixels).save(tmp_path / "p.png")
    assert (read_picture(tmp_path / "p.png", "crop") == 255).all()


def test_transparency_orientation_palette_and_16_bit(tmp_path):
    Image.new("RGBA", (50, 50), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    assert (read_picture(tmp_path / "clear.png") == 255).all()
    grey = np.full((50, 50), 128 * 256, dtype=np.uint16)
    Image.fromarray(grey).save(tmp_path / "deep.png")
    assert (read_picture(tmp_path / "deep.png") == 128).all()
    pixels = np.zeros((40, 40, 3), dtype=np.uint8)
    pixels[:20] = 255
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    Image.fromarray(pixels).save(tmp_path / "turned.png", exif=exif)
    turned = read_picture(tmp_path / "turned.png")
    assert turned[:100].max() < 30 and turned[-100:].min() > 220
    Image.fromarray(pixels).convert("P").save(tmp_path / "palette.gif")
    assert read_picture(tmp_path / "palette.gif")[:100].min() > 220


def test_a_picture_too_large_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    import dataclasses

    from mmrec_core.extractors import images as module
    from mmrec_core.settings import settings

    Image.new("RGB", (40, 40)).save(tmp_path / "p.png")
    small = dataclasses.replace(
        settings(), limits=dataclasses.replace(settings().limits, image_pixels=1000)
    )
    monkeypatch.setattr(module, "settings", lambda: small)
    with pytest.raises(OSError, match="40 x 40 pixels; the limit is 1000"):
        read_picture(tmp_path / "p.png")


def test_availability_says_how_to_get_the_weights(monkeypatch):
    found = importlib.util.find_spec

    def hidden(name, *rest):
        return None if name.startswith(("gt_all", "efficientnet")) else found(name, *rest)

    monkeypatch.setattr(importlib.util, "find_spec", hidden)
    for name in ("minilm", "efficientnet-lite0"):
        ok, reason = EXTRACTORS.get(name)().availability()
        assert not ok and "pip install" in reason

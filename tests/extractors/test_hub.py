"""Hub models through tiny random checkpoints in the real file format."""

import json
import shutil
import time

import numpy as np
import pytest
import torch
from extractors.conftest import draw_picture
from PIL import Image

from mmrec_core.domain import InputError
from mmrec_core.extractors import EXTRACTORS, embed, find_embeddings, make_extractor
from mmrec_core.extractors.hub import find_model, local_model, weights_fingerprint
from mmrec_core.settings import settings

SIDE = 32
VISION = {
    "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2,
    "image_size": SIDE, "patch_size": 8,
}  # fmt: skip
WORDS = {
    "vocab_size": 40, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2,
    "num_attention_heads": 2, "max_position_embeddings": 24,
}  # fmt: skip


def tokenizer(folder, start="[CLS]", end="[SEP]"):
    """A word-level tokenizer of the file format that every Auto class reads."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    words = [
        "[PAD]",
        "[UNK]",
        start,
        end,
        *["a", "soft", "red", "blue", "cup", "for", "the", "of", "wood", "metal", "word"],
    ]
    made = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single=f"{start} $A {end}", special_tokens=[(start, 2), (end, 3)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=made, unk_token="[UNK]", pad_token="[PAD]", cls_token=start,
        sep_token=end, eos_token=end, model_max_length=24,
    ).save_pretrained(folder)  # fmt: skip


def image_processor(folder, kind):
    values = {"image_processor_type": kind, "do_resize": True, "do_normalize": True}
    values |= {"size": {"height": SIDE, "width": SIDE}, "image_mean": [0.5] * 3}
    values |= {"image_std": [0.5] * 3, "do_rescale": True, "rescale_factor": 1 / 255}
    if kind == "CLIPImageProcessor":
        values |= {"crop_size": {"height": SIDE, "width": SIDE}, "do_center_crop": True}
        values |= {"size": {"shortest_edge": SIDE}}
    (folder / "preprocessor_config.json").write_text(json.dumps(values))


def checkpoint(name, folder):
    import transformers as t

    torch.manual_seed(0)
    folder.mkdir(parents=True)
    if name == "resnet":
        config = t.ResNetConfig(embedding_size=8, hidden_sizes=[8, 12], depths=[1, 1])
        t.ResNetModel(config).save_pretrained(folder)
        (folder / "preprocessor_config.json").write_text(
            json.dumps({"image_processor_type": "ConvNextImageProcessor", "crop_pct": 0.875,
                        "size": {"shortest_edge": SIDE}})
        )  # fmt: skip
    elif name == "vit":
        t.ViTModel(t.ViTConfig(**VISION)).save_pretrained(folder)
        image_processor(folder, "ViTImageProcessor")
    elif name == "dinov2":
        config = {**VISION, "mlp_ratio": 2}
        t.Dinov2Model(t.Dinov2Config(**config)).save_pretrained(folder)
        image_processor(folder, "BitImageProcessor")
    elif name == "clip":
        words = {**WORDS, "bos_token_id": 2, "eos_token_id": 3, "pad_token_id": 0}
        config = t.CLIPConfig(text_config=words, vision_config=VISION, projection_dim=10)
        t.CLIPModel(config).save_pretrained(folder)
        image_processor(folder, "CLIPImageProcessor")
        tokenizer(folder)
    elif name == "siglip":
        words = {**WORDS, "projection_size": 16, "pad_token_id": 0}
        t.SiglipModel(t.SiglipConfig(text_config=words, vision_config=VISION)).save_pretrained(
            folder
        )
        image_processor(folder, "SiglipImageProcessor")
        tokenizer(folder)
    elif name == "bert":
        t.BertModel(t.BertConfig(**WORDS)).save_pretrained(folder)
        tokenizer(folder)
    elif name == "mpnet":
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.sentence_transformer.modules import (
            Normalize,
            Pooling,
            Transformer,
        )

        inner = folder / "inner"
        t.MPNetModel(t.MPNetConfig(**WORDS, pad_token_id=0)).save_pretrained(inner)
        tokenizer(inner, "<s>", "</s>")
        words = Transformer(str(inner), max_seq_length=16)
        SentenceTransformer(modules=[words, Pooling(16), Normalize()]).save(str(folder))
        shutil.rmtree(inner)
    return folder


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    made = {}

    def get(name):
        if name not in made:
            made[name] = checkpoint(name, root / name)
        return str(made[name])

    return get


@pytest.mark.parametrize(
    ("checkpoint_name", "extractor", "width"),
    [
        ("resnet", "resnet50", 12), ("vit", "vit", 16), ("dinov2", "dinov2", 16),
        ("clip", "clip-image", 10), ("siglip", "siglip-image", 16), ("vit", "hub-image", 16),
    ],
)  # fmt: skip
def test_image_models(models, picture_dataset, checkpoint_name, extractor, width):
    chosen = make_extractor(extractor, {"model": models(checkpoint_name)})
    assert chosen.availability().ok
    made = chosen.encode(picture_dataset, "cpu")
    assert made.matrix.shape == (8, width) and made.matrix.dtype == np.float32
    assert made.missing.tolist() == [False, False, True, False, True, False, True, False]
    assert made.failures["i6"] == "empty.jpg: not a picture that can be read"
    alone = chosen.encode(picture_dataset, "cpu", batch_size=1)
    np.testing.assert_allclose(alone.matrix, made.matrix, atol=1e-5)
    rows = made.matrix[made.observed]
    assert np.ptp(rows, axis=0).max() > 1e-4


def test_pooling_is_what_it_says(models, picture_dataset):
    """Against the models' own outputs on the same pixels."""
    from transformers import AutoImageProcessor, AutoModel, CLIPModel, ResNetModel

    with Image.open(picture_dataset.folder / "0.jpg") as image:
        picture = image.convert("RGB")

    def pixels(name):
        return AutoImageProcessor.from_pretrained(models(name))(picture, return_tensors="pt")

    def first(extractor, name, **options):
        chosen = make_extractor(extractor, {"model": models(name), **options})
        return chosen.encode(picture_dataset, "cpu").matrix[0]

    with torch.inference_mode():
        vit = AutoModel.from_pretrained(models("vit")).eval()(**pixels("vit")).last_hidden_state[0]
        resnet = ResNetModel.from_pretrained(models("resnet")).eval()(**pixels("resnet"))
        clip = CLIPModel.from_pretrained(models("clip")).eval()
        towers = clip.visual_projection(clip.vision_model(**pixels("clip")).pooler_output)
    np.testing.assert_allclose(first("vit", "vit"), vit[0].numpy(), atol=1e-5)
    np.testing.assert_allclose(
        first("vit", "vit", pooling="average"), vit.mean(0).numpy(), atol=1e-5
    )
    pooled = resnet.pooler_output.flatten().numpy()
    np.testing.assert_allclose(first("resnet50", "resnet"), pooled, atol=1e-5)
    np.testing.assert_allclose(first("clip-image", "clip"), towers[0].numpy(), atol=1e-5)
    with pytest.raises(InputError, match="one tower"):
        first("vit", "vit", pooling="embeds")


TEXTS = ["a soft red cup", "", "the wood of the metal cup for a", "blue", "a " * 90]


@pytest.mark.parametrize(
    ("checkpoint_name", "extractor", "width"),
    [
        ("mpnet", "sbert-mpnet", 16), ("clip", "clip-text", 10), ("siglip", "siglip-text", 16),
        ("bert", "hub-text", 16),
    ],
)  # fmt: skip
def test_text_models(models, make_dataset, checkpoint_name, extractor, width):
    dataset = make_dataset(texts=TEXTS)
    chosen = make_extractor(extractor, {"model": models(checkpoint_name)})
    made = chosen.encode(dataset, "cpu")
    assert made.matrix.shape == (5, width)
    assert made.missing.tolist() == [False, True, False, False, False]
    alone = chosen.encode(dataset, "cpu", batch_size=1)
    np.testing.assert_allclose(alone.matrix, made.matrix, atol=1e-5)
    assert np.abs(made.matrix[0] - made.matrix[3]).max() > 1e-4
    if checkpoint_name == "mpnet":
        np.testing.assert_allclose(np.linalg.norm(made.matrix[0]), 1, atol=1e-5)


def test_a_models_weights_are_part_of_the_key(models, make_dataset, tmp_path, mmrec_data):
    dataset = make_dataset(texts=TEXTS)
    copy = tmp_path / "moved"
    shutil.copytree(models("bert"), copy)
    made, artefact = embed(dataset, "hub-text", {"model": models("bert")})
    # The same weights in another folder are the same model ...
    assert find_embeddings(dataset, "hub-text", {"model": str(copy)}) is not None
    from transformers import BertModel

    other = BertModel.from_pretrained(copy)
    with torch.no_grad():
        other.embeddings.word_embeddings.weight.add_(1.0)
    other.save_pretrained(copy)
    # ... and other weights in the same folder are another.
    assert find_embeddings(dataset, "hub-text", {"model": str(copy)}) is None
    assert weights_fingerprint(copy) != weights_fingerprint(find_model(models("bert")))
    assert artefact.facts["width"] == made.width == 16


def test_pickled_weights_are_never_read(models, make_dataset, tmp_path):
    folder = tmp_path / "pickled"
    shutil.copytree(models("bert"), folder)
    weights = folder / "model.safetensors"
    from safetensors.torch import load_file

    torch.save(load_file(weights), folder / "pytorch_model.bin")
    weights.unlink()
    with pytest.raises(InputError, match="cannot be loaded"):
        make_extractor("hub-text", {"model": str(folder)}).encode(make_dataset(texts=TEXTS), "cpu")


@pytest.mark.parametrize("name", ["resnet50", "vit", "dinov2", "clip-image", "siglip-image",
                                  "sbert-mpnet", "clip-text", "siglip-text"])  # fmt: skip
def test_a_model_that_is_not_here_is_said_in_one_sentence_at_once(name, make_dataset, mmrec_data):
    dataset = make_dataset(texts=TEXTS)
    started = time.monotonic()
    ok, reason = EXTRACTORS.get(name)().availability()
    assert not ok and "is not on this machine" in reason and "MMREC_ONLINE=1" in reason
    assert find_embeddings(dataset, name) is None
    with pytest.raises(InputError) as caught:
        embed(dataset, name)
    assert reason in str(caught.value) and "\n" not in str(caught.value)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("", "no model is named"), ("/nowhere/at all", "there is no folder"),
        ("../no/such/place", "there is no folder"), ("a/b/c", "there is no folder"),
    ],
)  # fmt: skip
def test_what_is_no_model_is_said(model, said, make_dataset):
    ok, reason = make_extractor("hub-text", {"model": model}).availability()
    assert not ok and said in reason
    with pytest.raises(InputError, match=said):
        local_model(model)


def test_a_folder_without_a_model_is_said(tmp_path):
    with pytest.raises(InputError, match=r"holds no config\.json"):
        local_model(str(tmp_path))


def test_a_hub_that_does_not_answer_is_a_sentence(monkeypatch):
    import dataclasses

    import huggingface_hub

    from mmrec_core.extractors import hub

    online = dataclasses.replace(settings(), offline=False)
    monkeypatch.setattr(hub, "settings", lambda: online)

    def unreachable(self, model, timeout):
        raise ConnectionError("Name or service not known")

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", unreachable)
    with pytest.raises(InputError, match="did not answer"):
        local_model("nobody/nothing-at-all")


def test_the_two_towers_of_a_model_share_a_space_and_search_it(
    models, make_dataset, tmp_path, mmrec_data
):
    """Words find a place among pictures and a picture among words, as the other tower puts them."""
    from mmrec_core.spaces import as_aligned, find_vectors, list_spaces
    from mmrec_core.spaces.query import query_vector, searched_by

    folder = models("clip")
    (tmp_path / "two").mkdir()
    for at, colour in enumerate([(250, 20, 20), (20, 20, 250), (20, 200, 20)]):
        draw_picture(tmp_path / "two" / f"{at}.png", colour, (40, 40))
    texts = ["a red cup", "soft blue wood", "metal"]
    shop = make_dataset("two", texts=texts, images=[f"{at}.png" for at in range(3)])
    made = {
        side: embed(shop, f"hub-{side}", {"model": str(folder)})[0] for side in ("image", "text")
    }
    names = {s.modality: s.name for s in list_spaces(shop) if s.modality in made}
    own = {m: as_aligned(shop, name, find_vectors(shop, name)) for m, name in names.items()}
    assert own["image"].shares == own["text"].shares != ""
    assert searched_by(shop, names["image"]) == searched_by(shop, names["text"])
    row, words = 1, texts[1]
    np.testing.assert_allclose(
        query_vector(shop, names["image"], words)[0], made["text"].matrix[row], atol=1e-5
    )
    picture = shop.image_path(shop.items["image"].iloc[row])
    np.testing.assert_allclose(
        query_vector(shop, names["text"], picture=picture)[0], made["image"].matrix[row], atol=1e-5
    )
    assert make_extractor("hub-image", {"model": str(models("vit"))}).shared_with() == ""


def test_a_prefix_stands_before_every_text_and_is_no_text_itself(models, make_dataset, mmrec_data):
    folder = models("clip")
    dataset = make_dataset(texts=TEXTS)
    said = make_dataset("said", texts=[f"a soft {t}" if t.strip() else t for t in TEXTS])
    made = embed(dataset, "clip-text", {"model": folder, "prefix": "  a soft "})[0]
    plain = embed(said, "clip-text", {"model": folder})[0]
    np.testing.assert_array_equal(made.matrix, plain.matrix)
    assert made.missing.tolist() == [False, True, False, False, False]
    # The space between is always one, so one matrix serves both spellings; another is another.
    assert find_embeddings(dataset, "clip-text", {"model": folder, "prefix": "a soft"}) is not None
    assert find_embeddings(dataset, "clip-text", {"model": folder}) is None


def test_embeddings_without_a_prefix_keep_their_key(models, make_dataset):
    chosen = make_extractor("hub-text", {"model": models("bert")})
    assert chosen.spec(make_dataset(texts=TEXTS))["config"] == {"column": "text", "pooling": "auto"}
    assert chosen.config.model_dump(mode="json").keys() == {"column", "model", "pooling"}
    named = make_extractor("hub-text", {"model": models("bert"), "prefix": "a"})
    assert named.spec(make_dataset(texts=TEXTS))["config"]["prefix"] == "a"


def test_clip_score_of_a_catalogue_is_that_of_the_model(models, make_dataset, tmp_path, mmrec_data):
    """Against the checkpoint's own features of pictures and prefixed texts, and NumPy."""
    from transformers import AutoImageProcessor, AutoTokenizer, CLIPModel

    from mmrec_core.alignment import clip_score
    from mmrec_core.alignment.clip_score import PREFIX
    from mmrec_core.alignment.service import AlignConfig, align
    from mmrec_core.spaces import as_aligned, find_vectors, list_spaces

    folder, n = models("clip"), 12
    (tmp_path / "shop").mkdir()
    rng = np.random.default_rng(0)
    colours = rng.integers(0, 255, size=(n, 3))
    for at, colour in enumerate(colours):
        draw_picture(tmp_path / "shop" / f"{at}.png", tuple(map(int, colour)), (40, 40))
    words = ["red", "blue", "soft", "cup", "wood", "metal"]
    texts = [f"the {words[at % 6]} {words[(at * 5 + 1) % 6]}" for at in range(n)]
    texts[3] = ""
    images = [f"{at}.png" for at in range(n)]
    images[5] = ""
    shop = make_dataset("shop", texts=texts, images=images)
    embed(shop, "clip-image", {"model": folder})
    for prefix in ("", PREFIX):
        embed(shop, "clip-text", {"model": folder, "prefix": prefix})
    known = {s.name: s.modality for s in list_spaces(shop)}
    spaces = {name: as_aligned(shop, name, find_vectors(shop, name)) for name in known}
    assert sorted(own.prefix for own in spaces.values()) == ["", "", PREFIX]
    made = align(spaces, None, AlignConfig(measures=("mutual_knn",), permutations=19))
    (row,) = made.matrix[made.matrix["measure"] == "clip_score"].to_dict("records")
    assert row["n"] == 10 and made.without_prefix != ()

    clip = CLIPModel.from_pretrained(folder).eval()
    processor = AutoImageProcessor.from_pretrained(folder)
    tokens = AutoTokenizer.from_pretrained(folder)
    scores = []
    for at in set(range(n)) - {3, 5}:
        with Image.open(shop.folder / images[at]) as image, torch.inference_mode():
            pixels = processor(image.convert("RGB"), return_tensors="pt")
            seen = clip.visual_projection(clip.vision_model(**pixels).pooler_output)[0].numpy()
            read = tokens(f"A photo depicts {texts[at]}", return_tensors="pt")
            said = clip.text_projection(
                clip.text_model(
                    input_ids=read["input_ids"], attention_mask=read["attention_mask"]
                ).pooler_output
            )[0].numpy()
        cosine = float(seen @ said / np.linalg.norm(seen) / np.linalg.norm(said))
        scores.append(2.5 * max(cosine, 0.0))
    assert row["raw"] == pytest.approx(np.mean(scores), abs=1e-5)
    assert max(scores) > 0 and np.ptp(scores) > 1e-4
    pair = [spaces[row[end]].vectors.matrix for end in ("space_a", "space_b")]
    kept = [at for at in range(n) if at not in (3, 5)]
    assert clip_score(*(matrix[kept] for matrix in pair)) == pytest.approx(row["raw"], abs=1e-6)

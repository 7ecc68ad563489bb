"""The bundled small model: fresh pictures, questions, resumable training, and the model itself."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from PIL import Image

from mmrec_core.__main__ import main
from mmrec_core.datasets.catalogue import load_dataset
from mmrec_core.datasets.demo import load_truth
from mmrec_core.datasets.demo.canvas import ellipse, rounded, smooth
from mmrec_core.datasets.demo.outlines import Invented
from mmrec_core.descriptions.parser import parse_answer
from mmrec_core.extractors.service import make_extractor
from mmrec_core.extractors.vision_language import VisionLanguage
from mmrec_core.settings import settings
from mmrec_core.small_lvlm import training
from mmrec_core.small_lvlm.conversations import REFUSAL, UNKNOWN, converse
from mmrec_core.small_lvlm.pictures import draw_shards, drawn, load_shards
from mmrec_core.small_lvlm.recipe import SLOTS, VALUES, Recipe

TINY = {
    "pictures": 100, "shard": 50, "tower_epochs": 0.2, "tower_batch": 4, "language_steps": 4,
    "language_batch": 2, "vocabulary": 400,
}  # fmt: skip
SHOWN = {slot: values[1] for slot, values in VALUES.items()}


def test_an_invented_outline_is_none_of_the_shop_s():
    own = [
        smooth([(-0.6, 0.56), (0.6, 0.55)], 48), smooth([(-0.58, 0.64), (0.62, 0.42)], 48),
        smooth([(-0.58, 0.5), (0.0, 0.66), (0.6, 0.48)], 48), smooth([(-0.5, 0.4), (0.5, 0.3)], 48),
    ]  # fmt: skip
    flat = [ellipse(0, 0, 0.8, 0.8), rounded(-0.7, -0.7, 0.7, 0.7, 0.2)] * 2
    rng = np.random.default_rng(0)
    for _ in range(200):
        invented = Invented.draw(4, rng)
        assert invented.first != invented.second
        assert min(abs(invented.share), abs(invented.share - 1)) >= 0.2
        profile = invented.profile(own)
        assert profile.shape == (48, 2) and (np.diff(profile[:, 0]) > 0).all()
        assert profile[:, 1].min() > 0.05
        shape = invented.shape(flat)
        assert shape.shape == (96, 2) and np.linalg.norm(shape, axis=1).min() > 0.1
    again = [Invented.draw(4, np.random.default_rng(5)) for _ in range(2)]
    assert again[0] == again[1]


def test_a_half_way_outline_lies_half_way():
    invented = Invented(0, 1, 0.5, (0.0, 0.0, 0.0, 0.0))
    circles = [ellipse(0, 0, 0.4, 0.4), ellipse(0, 0, 0.8, 0.8)]
    radius = np.linalg.norm(invented.shape(circles), axis=1)
    np.testing.assert_allclose(radius, 0.6, atol=2e-3)
    assert invented.sizes([(1.0, -2.0), (3.0, 0.0)]) == (2.0, -1.0)


def test_shards_are_drawn_once_and_the_same_again(tmp_path):
    recipe = Recipe(pictures=100, shard=50)
    assert list(draw_shards(recipe, tmp_path, 1)) == [0, 1, 2]
    assert list(draw_shards(recipe, tmp_path, 1)) == [2]
    pictures, values = load_shards(recipe, tmp_path)
    assert pictures.shape == (100, 96, 96, 3) and values.shape == (100, 5)
    np.testing.assert_array_equal(pictures[50:], drawn(recipe, 1)[0])
    assert not np.array_equal(pictures[:50], pictures[50:])
    assert [values[:, at].max() + 1 for at in range(5)] == [len(own) for own in VALUES.values()]


def test_every_question_has_an_answer_that_is_true():
    rng = np.random.default_rng(0)
    kinds = set()
    for _ in range(600):
        turn = converse(SHOWN, rng)
        if turn.answer == REFUSAL or turn.answer.startswith("A "):
            kinds.add(turn.answer[:3])
            continue
        asked = [part.split("]")[0] for part in turn.answer.split("[")[1:]]
        said = parse_answer(turn.answer, asked)
        assert said.status == "strict" and list(said.values) == asked
        assert set(said.values.values()) <= {*SHOWN.values(), UNKNOWN}
        assert all(f"[{slot}]" in turn.prompt for slot in asked)
        kinds.add(len(asked))
    assert {"I s", "A p", 5} <= kinds or {"I s", "A s", 5} <= kinds
    nothing = [converse(None, rng).answer for _ in range(200)]
    assert sum(UNKNOWN in answer for answer in nothing) > 120


def test_a_training_that_was_stopped_ends_in_the_same_model(tmp_path, monkeypatch):
    recipe = Recipe(**TINY)
    monkeypatch.setattr(training, "KEEP_EVERY", 2)
    said = []
    whole, _, seconds = training.train(recipe, tmp_path / "a", 1, said.append)
    assert set(seconds) == {"drawing", "tower", "language"}
    assert said[-1].startswith("language: step 4 of 4")

    class Stopped(Exception):
        pass

    def stop(sentence):
        if "language: step 2" in sentence:
            raise Stopped

    with pytest.raises(Stopped):
        training.train(recipe, tmp_path / "b", 1, stop)
    again, _, _ = training.train(recipe, tmp_path / "b", 1, said.append)
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], value, msg=name)
    # What was trained is what answers: the words are tied to the embeddings.
    assert again.lm_head.weight is again.get_input_embeddings().weight or torch.equal(
        again.lm_head.weight, again.get_input_embeddings().weight
    )


def test_one_command_makes_model_and_card(tmp_path, mmrec_data, capsys, monkeypatch):
    def same(self, dataset, rows, *given):
        return ["[Type] {Mug}"] * len(rows), {}

    monkeypatch.setattr(VisionLanguage, "answer_rows", same)
    chosen = [f"{name}={value}" for name, value in TINY.items()]
    assert main(["train-lvlm", "--out", str(tmp_path / "m"), "--json", "--set", *chosen]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["items"] == 1200 and set(found["accuracy"]) == set(SLOTS)
    card = (tmp_path / "m" / "README.md").read_text("utf-8")
    assert "100 pictures of 96 × 96" in card and "| Material |" in card and "guesswork" in card
    model = make_extractor("vision-language", {"model": str(tmp_path / "m"), "prompt": "demo"})
    assert model.availability().ok
    assert main(["train-lvlm", "--out", str(tmp_path / "m"), "--set", "side=x"]) == 2
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thing").write_text("mine")
    assert main(["train-lvlm", "--out", str(tmp_path / "other")]) == 2


@pytest.fixture(scope="module")
def bundled():
    return make_extractor("small-lvlm")


def test_the_bundled_model_loads_with_the_auto_classes_and_is_small():
    import transformers as t

    folder = settings().models / "small-lvlm"
    assert sum(path.stat().st_size for path in folder.iterdir()) < 12e6
    model = t.AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32)
    processor = t.AutoProcessor.from_pretrained(folder)
    assert t.AutoImageProcessor.from_pretrained(folder).size == {"height": 96, "width": 96}
    assert len(t.AutoTokenizer.from_pretrained(folder)) <= 1000
    asked = processor.apply_chat_template(
        [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What is it?"}]}]
    )
    picture = Image.new("RGB", (120, 80), (200, 30, 30))
    batch = processor(text=[asked], images=[[picture]], return_tensors="pt")
    assert model.generate(**batch, max_new_tokens=3).shape[0] == 1


def test_the_bundled_model_knows_the_shop(bundled):
    dataset = load_dataset("demo-both")
    rows = np.random.default_rng(0).permutation(dataset.n_items)[:64]
    answers, failures = bundled.answer_rows(dataset, rows, "cpu", 32, lambda done, note: None)
    assert failures == {}
    parsed = [parse_answer(answer, tuple(SLOTS)) for answer in answers]
    assert all(own.status == "strict" for own in parsed)
    truth = load_truth("both").attributes.set_index("item_id").loc[dataset.item_ids[rows]]
    for slot, name in SLOTS.items():
        right = [own.values[slot].lower() == v for own, v in zip(parsed, truth[name], strict=True)]
        assert np.mean(right) >= 0.95, slot


def test_it_says_unknown_of_noise_and_of_slots_that_no_picture_fills(bundled):
    rng = np.random.default_rng(1)
    noise = Image.fromarray(rng.integers(0, 256, (96, 96, 3), dtype=np.uint8))
    told = bundled.tell([(noise, bundled.prompt.render())])
    values = parse_answer(told.answers[0], tuple(SLOTS)).values
    assert list(values.values()).count(UNKNOWN) >= 4
    dataset = load_dataset("demo-both")
    path = dataset.image_path(dataset.items["image"].iloc[0])
    told = bundled.tell(
        [(Image.open(path).convert("RGB"), "Tag this product. Format: [Brand] {value}")]
    )
    assert parse_answer(told.answers[0], ("Brand",)).values == {"Brand": UNKNOWN}


def test_on_other_catalogues_it_says_that_it_guesses(bundled):
    demo = load_dataset("demo-words")
    assert bundled.caution(demo) == ""
    other = dataclasses.replace(demo, info=dataclasses.replace(demo.info, truth=False))
    assert "guesswork" in bundled.caution(other)

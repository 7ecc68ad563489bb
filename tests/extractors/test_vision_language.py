"""Vision-language models through tiny checkpoints of six families."""

import contextlib
import dataclasses
import shutil
import types

import numpy as np
import pytest
import torch
from extractors.tiny_vlms import FAMILIES, checkpoint, with_own_code
from PIL import Image

from mmrec_core.domain import InputError
from mmrec_core.extractors import embed, find_embeddings, make_extractor, vision_language
from mmrec_core.extractors.prompts import known_prompt

POSITIONS = ("prompt_end", "image_mean", "all_mean", "answer_eos")


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    root = tmp_path_factory.mktemp("vlms")
    made = {}

    def get(family):
        if family not in made:
            made[family] = checkpoint(family, root / family)
        return made[family]

    return get


def asked(folder, **options):
    return make_extractor(
        "vision-language", {"model": str(folder), "prompt": "demo", "answer_tokens": 6, **options}
    )


def items(n=4):
    rng = np.random.default_rng(0)
    sizes = [(40, 30), (32, 64), (50, 50), (33, 90)][:n]
    pictures = [Image.fromarray(rng.integers(0, 255, (h, w, 3), dtype=np.uint8)) for w, h in sizes]
    prompts = ["What is it?", "Name the colour of the thing in the picture.", "Which?", "And this?"]
    return list(zip(pictures, prompts, strict=False))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_batch_gives_what_single_items_give(models, family):
    for position in POSITIONS:
        model = asked(models(family), position=position)
        assert model.availability().ok
        together = model.tell(items())
        alone = [model.tell([item]) for item in items()]
        assert together.answers == tuple(told.answers[0] for told in alone)
        np.testing.assert_allclose(
            together.states, np.concatenate([told.states for told in alone]), atol=2e-5
        )
        assert together.states.shape == (4, 32) and np.ptp(together.states, axis=0).max() > 1e-3


@pytest.mark.parametrize("family", FAMILIES)
def test_picture_and_prompt_both_reach_the_state(models, family):
    model = asked(models(family))
    (picture, prompt), (other, _), *_ = items()
    base = model.tell([(picture, prompt)], answer=False)
    assert base.answers == ("",)
    for item in ((other, prompt), (picture, prompt + " Really?")):
        assert np.abs(model.tell([item], answer=False).states - base.states).max() > 1e-4


def test_the_end_of_the_answer_is_one_forward_over_all_of_it(models):
    """By hand, on a model of the plainest family."""
    model = asked(models("llava"), position="answer_eos")
    picture, prompt = items(1)[0]
    told = model.tell([(picture, prompt)])
    network, reader = model._network, model._reader
    batch = reader.batch([picture], [prompt])
    with torch.inference_mode():
        out = network.generate(**batch, do_sample=False, max_new_tokens=6, pad_token_id=0)
        answer = out[0, batch["input_ids"].shape[1] :].tolist()
        end = network.generation_config.eos_token_id
        answer = answer[: answer.index(end) + 1] if end in answer else [*answer, end]
        ids = torch.cat([batch["input_ids"], torch.tensor([answer])], dim=1)
        states = network(
            input_ids=ids, attention_mask=torch.ones_like(ids), output_hidden_states=True,
            pixel_values=batch["pixel_values"],
        ).hidden_states[-1]  # fmt: skip
    np.testing.assert_allclose(told.states[0], states[0, -1].numpy(), atol=1e-5)


def test_layers_and_positions_are_what_they_say(models):
    picture, prompt = items(1)[0]
    model = asked(models("llava"))
    batch = model._reader.batch([picture], [prompt])
    with torch.inference_mode():
        layers = model._network(**batch, output_hidden_states=True).hidden_states
    image = batch["input_ids"][0] == model._reader.image_token_id
    # 32 x 32 pixels in patches of 8.
    assert int(image.sum()) == 16
    for position, layer, expected in (
        ("prompt_end", -1, layers[-1][0, -1]),
        ("prompt_end", 1, layers[1][0, -1]),
        ("image_mean", -1, layers[-1][0][image].mean(0)),
        ("all_mean", 0, layers[0][0].mean(0)),
    ):
        own = asked(models("llava"), position=position, layer=layer)
        states = own.tell([(picture, prompt)], answer=False).states[0]
        np.testing.assert_allclose(states, expected.numpy(), atol=1e-5)
    with pytest.raises(InputError, match="hidden layers 0 to 2"):
        asked(models("llava"), layer=9).tell([(picture, prompt)], answer=False)


def test_through_the_store_with_missing_and_broken_pictures(models, picture_dataset, mmrec_data):
    options = {"model": str(models("smolvlm")), "prompt": "demo"}
    made, artefact = embed(picture_dataset, "vision-language", options)
    assert made.modality == "joint" and artefact.facts["width"] == 32
    assert made.missing.tolist() == [False, False, True, False, True, False, True, False]
    assert set(made.failures) == {"i4", "i6"}
    # Another wording, position or layer is another matrix.
    for change in ({"strategy": "misaligned"}, {"position": "all_mean"}, {"layer": 1}):
        assert find_embeddings(picture_dataset, "vision-language", {**options, **change}) is None
    assert find_embeddings(picture_dataset, "vision-language", options) is not None


def test_titles_are_read_only_where_the_prompt_gives_them(models, picture_dataset):
    without = asked(models("llava"))
    base = known_prompt("demo").model_dump()
    given = asked(models("llava"), custom={**base, "wording": "{title}: {form}"})
    assert set(without.words(picture_dataset)) == {known_prompt("demo").render()}
    assert list(given.words(picture_dataset))[1].startswith("title 1: [Type]")
    before = without.inputs_fingerprint(picture_dataset), given.inputs_fingerprint(picture_dataset)
    picture_dataset.items.loc[1, "title"] = "other"
    after = without.inputs_fingerprint(picture_dataset), given.inputs_fingerprint(picture_dataset)
    assert before[0] == after[0] and before[1] != after[1]


def test_a_models_own_code_is_not_run_unasked(models, tmp_path, picture_dataset):
    folder = tmp_path / "own-code"
    shutil.copytree(models("llava"), folder)
    with_own_code(folder)
    model = asked(folder)
    ok, reason = model.availability()
    assert not ok and "switch on remote_code, from the command line, only if" in reason
    with pytest.raises(InputError, match="code of its own"):
        model.encode(picture_dataset, "cpu")
    assert asked(folder, remote_code=True).availability().ok


def test_what_does_not_fit_is_refused_before_it_is_loaded(models, monkeypatch):
    import psutil

    tight = dataclasses.make_dataclass("Memory", ["available"])(10_000)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: tight)
    monkeypatch.setattr(vision_language, "has_gpu", lambda: False)
    ok, reason = asked(models("llava")).availability()
    assert not ok and "billion weights and needs about" in reason


def test_a_model_without_pictures_is_said(tmp_path):
    from transformers import BertConfig, BertModel

    folder = tmp_path / "bert"
    BertModel(BertConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=2,
                         intermediate_size=8, vocab_size=9)).save_pretrained(folder)  # fmt: skip
    with pytest.raises(InputError, match="cannot be loaded"):
        asked(folder).tell(items(1))


def test_an_unknown_prompt_is_said(models):
    ok, reason = asked(models("llava"), prompt="nothing").availability()
    assert not ok and reason.startswith("There is no prompt 'nothing'. Known: demo")


def test_no_model_is_named_by_default():
    ok, reason = make_extractor("vision-language").availability()
    assert not ok and "no model is named" in reason


class OnMeta:
    """A network on the meta device, which has shapes and no values; refuses what is elsewhere."""

    def to(self, device):
        assert device == "meta"
        return self

    def __call__(self, **batch):
        tensors = [value for value in batch.values() if isinstance(value, torch.Tensor)]
        assert {value.device.type for value in tensors} == {"meta"}
        shape = (*batch["input_ids"].shape, 32)
        return types.SimpleNamespace(hidden_states=(torch.empty(shape, device="meta"),))


@pytest.mark.parametrize("position", ["prompt_end", "image_mean", "all_mean"])
def test_states_are_taken_on_the_device_that_is_told(models, monkeypatch, position):
    # Operations that mix a meta tensor with one of the CPU fail.
    model = asked(models("llava"), position=position)
    model.__dict__["_network"] = OnMeta()
    moved, cpu = [], torch.Tensor.cpu

    def to_cpu(own):
        if own.device.type != "meta":
            return cpu(own)
        moved.append(own)
        return torch.zeros(own.shape)

    monkeypatch.setattr(torch.Tensor, "cpu", to_cpu)
    monkeypatch.setattr(torch, "autocast", lambda *given, **options: contextlib.nullcontext())
    assert model.tell(items(), "meta", answer=False).states.shape == (4, 32)
    assert [own.device.type for own in moved] == ["meta"]


def test_four_bits_need_a_card_and_a_package(models, monkeypatch):
    ok, reason = asked(models("llava"), four_bit=True).availability()
    assert not ok and "need an NVIDIA card" in reason
    monkeypatch.setattr(vision_language, "has_gpu", lambda: True)
    ok, reason = asked(models("llava"), four_bit=True).availability()
    assert not ok and "pip install bitsandbytes" in reason


def test_noise_is_each_item_s_own_and_the_same_again(models, tmp_path):
    model = asked(models("llava"), picture="noise")
    first, again, other = (model.read(tmp_path / name, "")[0] for name in ("a", "a", "b"))
    assert first.tobytes() == again.tobytes() != other.tobytes()
    blank, _ = asked(models("llava"), picture="blank").read(tmp_path / "a", "")
    assert blank.getextrema() == ((127, 127),) * 3

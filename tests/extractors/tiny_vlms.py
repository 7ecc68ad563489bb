"""Tiny random vision-language models, saved in the file format of the real ones."""

import json
from pathlib import Path

import torch

FAMILIES = ("llava", "qwen2-vl", "qwen2.5-vl", "qwen3-vl", "idefics3", "smolvlm")
TEXT = {
    "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2,
    "num_key_value_heads": 2, "max_position_embeddings": 2048,
}  # fmt: skip
VISION = {
    "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2,
    "image_size": 32, "patch_size": 8,
}  # fmt: skip


def byte_tokenizer(pad, end, *others):
    """Every byte is a token, and so are the special words."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(alphabet)}, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token=pad, eos_token=end,
        extra_special_tokens=list(others), model_max_length=4096,
    )  # fmt: skip


def checkpoint(family: str, folder: Path) -> Path:
    """Saves a model of a family: weights, config, tokenizer, processors as far as they build."""
    import transformers as t

    torch.manual_seed(0)
    folder.mkdir(parents=True)
    if family == "llava":
        tokens = byte_tokenizer("<pad>", "</s>", "<image>")
        image, end, pad = (tokens.convert_tokens_to_ids(x) for x in ("<image>", "</s>", "<pad>"))
        words = {**TEXT, "vocab_size": len(tokens), "eos_token_id": end, "pad_token_id": pad}
        config = t.LlavaConfig(
            vision_config=t.SiglipVisionConfig(**VISION, vision_use_head=False),
            text_config=t.LlamaConfig(**words),
            image_token_id=image, vision_feature_select_strategy="full", vision_feature_layer=-1,
        )  # fmt: skip
        model = t.LlavaForConditionalGeneration(config)
        pictures = t.SiglipImageProcessor(size={"height": 32, "width": 32})
        processor = t.LlavaProcessor(
            pictures, tokens, patch_size=8, vision_feature_select_strategy="full"
        )
    elif family.startswith("qwen"):
        model, tokens, pictures = _qwen(t, family)
        processor = None
    else:
        model, tokens, pictures, processor = _idefics(t, family)
    model.save_pretrained(folder)
    tokens.save_pretrained(folder)
    pictures.save_pretrained(folder)
    if processor is not None:
        processor.save_pretrained(folder)
    return folder


def _qwen(t, family):
    special = ["<|endoftext|>", "<|im_end|>", "<|im_start|>", "<|vision_start|>",
               "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]  # fmt: skip
    tokens = byte_tokenizer(*special)
    ids = dict(zip(special, tokens.convert_tokens_to_ids(special), strict=True))
    marks = {
        "image_token_id": ids["<|image_pad|>"], "video_token_id": ids["<|video_pad|>"],
        "vision_start_token_id": ids["<|vision_start|>"],
        "vision_end_token_id": ids["<|vision_end|>"],
    }  # fmt: skip
    rope = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [2, 3, 3]}
    words = {**TEXT, "vocab_size": len(tokens), "pad_token_id": ids["<|endoftext|>"],
             "eos_token_id": ids["<|im_end|>"], "bos_token_id": ids["<|im_start|>"],
             "rope_parameters": rope}  # fmt: skip
    eyes = {"depth": 2, "num_heads": 2, "patch_size": 8, "spatial_merge_size": 2,
            "temporal_patch_size": 2, "hidden_size": 16}  # fmt: skip
    if family == "qwen2-vl":
        eyes |= {"embed_dim": 16, "hidden_size": 32, "mlp_ratio": 2}
        kind, config = t.Qwen2VLForConditionalGeneration, t.Qwen2VLConfig
    elif family == "qwen2.5-vl":
        eyes |= {"out_hidden_size": 32, "intermediate_size": 24, "window_size": 32}
        eyes |= {"fullatt_block_indexes": [1]}
        kind, config = t.Qwen2_5_VLForConditionalGeneration, t.Qwen2_5_VLConfig
    else:
        eyes |= {"out_hidden_size": 32, "intermediate_size": 24, "deepstack_visual_indexes": [0]}
        eyes |= {"num_position_embeddings": 16}
        words |= {"head_dim": 16, "rope_parameters": {**rope, "mrope_interleaved": True}}
        kind, config = t.Qwen3VLForConditionalGeneration, t.Qwen3VLConfig
    model = kind(config(text_config=words, vision_config=eyes, **marks))
    pictures = t.Qwen2VLImageProcessorPil(
        patch_size=8, merge_size=2, min_pixels=16 * 16, max_pixels=48 * 48
    )
    return model, tokens, pictures


def _idefics(t, family):
    special = ["<|im_end|>", "<end_of_utterance>", "<|im_start|>", "<image>",
               "<fake_token_around_image>", "<global-img>"]  # fmt: skip
    tokens = byte_tokenizer(*special)
    pad, end, _, image, *_ = tokens.convert_tokens_to_ids(special)
    words = {**TEXT, "vocab_size": len(tokens), "pad_token_id": pad, "eos_token_id": end}
    words["model_type"] = "llama"
    smol = family == "smolvlm"
    config = (t.SmolVLMConfig if smol else t.Idefics3Config)(
        vision_config=VISION, text_config=words, scale_factor=2, image_token_id=image
    )
    kind = t.SmolVLMForConditionalGeneration if smol else t.Idefics3ForConditionalGeneration
    eyes = t.SmolVLMImageProcessorPil if smol else t.Idefics3ImageProcessorPil
    pictures = eyes(size={"longest_edge": 32}, max_image_size={"longest_edge": 32},
                    do_image_splitting=False)  # fmt: skip
    processor = None if smol else t.Idefics3Processor(pictures, tokens, image_seq_len=4)
    return kind(config), tokens, pictures, processor


def with_own_code(folder: Path) -> None:
    """Makes a checkpoint say that it brings code."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config["auto_map"] = {"AutoConfig": "configuration_evil.EvilConfig"}
    path.write_text(json.dumps(config))
    (folder / "configuration_evil.py").write_text("raise SystemExit('this ran')\n")

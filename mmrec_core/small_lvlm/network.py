"""The small model's parts, all in standard formats: tokenizer, LLaVA network, processor."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mmrec_core.lazy import lazy_import
from mmrec_core.small_lvlm.recipe import Recipe

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_import("torch")

PAD, END, IMAGE, UNREAD = "<pad>", "</s>", "<image>", "<unk>"
PATCH: Final = 32
"""Pixels that one image token stands for, a side."""
CHAT: Final = (
    "{% for message in messages %}{% if message['role'] == 'user' %}{% for part in "
    "message['content'] %}{% if part['type'] == 'image' %}<image>\n{% else %}{{ part['text'] }}\n"
    "{% endif %}{% endfor %}{% else %}{{ message['content'][0]['text'] }}</s>{% endif %}"
    "{% endfor %}"
)


def make_tokenizer(corpus: Iterable[str], vocabulary: int) -> Any:
    """A byte-level BPE tokenizer: it reads any text, whatever it was made from.

    Args:
        corpus: Texts that it should write in few tokens.
        vocabulary: Entries at most.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.train_from_iterator(
        corpus,
        trainers.BpeTrainer(
            vocab_size=vocabulary,
            special_tokens=[PAD, END, IMAGE],
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        ),
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token=PAD,
        eos_token=END,
        extra_special_tokens={"image_token": IMAGE},
        model_max_length=1024,
        chat_template=CHAT,
    )


def make_tower(recipe: Recipe) -> "torch.nn.Module":
    """A fresh vision tower: LeViT, whose convolutions learn from few pictures and run fast.

    Plain attention over patches (SigLIP) was not half as far after as many minutes.
    """
    from transformers import LevitConfig, LevitModel

    width, wide = 192, 256
    config = LevitConfig(
        image_size=recipe.side,
        hidden_sizes=[width, wide, wide],
        num_attention_heads=[6, 8, 8],
        depths=[2],
        key_dim=[16, 16, 16],
        # What LLaVA asks a tower for; LeViT itself does not name it.
        hidden_size=wide,
    )
    return LevitModel(config)


def make_network(recipe: Recipe, tokenizer: Any) -> Any:
    """A fresh LLaVA network with this tower's shape."""
    from transformers import LlamaConfig, LlavaConfig, LlavaForConditionalGeneration

    end, pad, image = tokenizer.convert_tokens_to_ids([END, PAD, IMAGE])
    text = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=160,
        intermediate_size=432,
        num_hidden_layers=3,
        num_attention_heads=5,
        num_key_value_heads=5,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=end,
        pad_token_id=pad,
    )
    config = LlavaConfig(
        vision_config=make_tower(recipe).config,
        text_config=text,
        image_token_id=image,
        image_seq_length=(recipe.side // PATCH) ** 2,
        vision_feature_layer=-1,
        vision_feature_select_strategy="full",
        tie_word_embeddings=True,
        eos_token_id=end,
        pad_token_id=pad,
    )
    return LlavaForConditionalGeneration(config)


def make_processor(recipe: Recipe, tokenizer: Any) -> Any:
    """The processor that transformers loads for it."""
    from transformers import LlavaProcessor, SiglipImageProcessorPil

    pictures = SiglipImageProcessorPil(
        size={"height": recipe.side, "width": recipe.side},
        resample=3,
        image_mean=[0.5] * 3,
        image_std=[0.5] * 3,
        do_convert_rgb=True,
    )
    return LlavaProcessor(
        pictures,
        tokenizer,
        patch_size=PATCH,
        vision_feature_select_strategy="full",
        num_additional_image_tokens=0,
        chat_template=CHAT,
    )


def pixels(pictures: "torch.Tensor") -> "torch.Tensor":
    """[n, side, side, 3] uint8 as the tower wants it, [n, 3, side, side] from -1 to 1."""
    return pictures.permute(0, 3, 1, 2).float() / 127.5 - 1.0


def save(recipe: Recipe, network: Any, tokenizer: Any, folder: Path) -> None:
    """Writes weights (fp16), configs, tokenizer and processor as any LLaVA model has them."""
    halves = {
        name: value.half() if value.is_floating_point() else value
        for name, value in network.state_dict().items()
    }
    network.config.dtype = torch.float16
    network.save_pretrained(folder, state_dict=halves)
    tokenizer.save_pretrained(folder)
    processor = make_processor(recipe, tokenizer)
    processor.image_processor.save_pretrained(folder)
    processor.save_pretrained(folder)
    for path in folder.iterdir():
        path.chmod(0o644)

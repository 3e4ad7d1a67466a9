"""Makes the tokenizers of this folder and the numbers they give to some texts, with the package `tokenizers` 0.23.3.

    pip install tokenizers
    python make.py ../../../examples/data/hamlet.txt

They are trained on a play that is in the public domain. The tests read what is written
here and never run this file.
"""

import json
import sys

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

LINES = [line for line in open(sys.argv[1], encoding="utf-8").read().splitlines() if line.strip()][:1500]

TEXTS = [
    "To be, or not to be: that is the question.",
    "I'm sure they'll say we've been here 'tis they're, DON'T!",
    "  two  spaces,\ttabs\t\tand\n\nlines \n of  it   ",
    "Numbers 1234567 and 3.14, x2y ½ ²",
    "naïve café — “quoted” … Ωmega 漢字 🙂 ن ก็ e\u0301",
    "",
    " ",
    "a<s>b </s>  <pad>c",
    "under_score snake_case: a+b==c && !d",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "ſharp\u00a0space\u3000wide\u200dzero",
]


def bytes_():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=420, special_tokens=["<|endoftext|>", "<s>", "</s>"], initial_alphabet=alphabet)
    tokenizer.train_from_iterator(LINES, trainer)
    return tokenizer


def prefixed():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=True)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=330, special_tokens=["<s>", "</s>", "<pad>"], initial_alphabet=alphabet)
    tokenizer.train_from_iterator(LINES, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 1), ("<s>", 0))
    tokenizer.enable_padding(pad_id=2, pad_token="<pad>")
    return tokenizer


def spaces():
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    pieces = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    # Without cuts a piece may hold several words; short lines keep the training quick.
    trainer = trainers.BpeTrainer(vocab_size=420, special_tokens=pieces)
    tokenizer.train_from_iterator(LINES[:400], trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    # Bytes are pieces of the model, no marks that are looked for in a text.
    made = json.loads(tokenizer.to_str())
    made["added_tokens"] = made["added_tokens"][:3]
    return Tokenizer.from_str(json.dumps(made))


def marks():
    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]", fuse_unk=False))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="first")
    trainer = trainers.BpeTrainer(vocab_size=240, special_tokens=["[UNK]", "[CLS]", "[SEP]", "[PAD]"])
    tokenizer.train_from_iterator(LINES, trainer)
    template = dict(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)])
    tokenizer.post_processor = processors.TemplateProcessing(**template)
    tokenizer.add_special_tokens([AddedToken("<s>", lstrip=True, rstrip=True)])
    return tokenizer


def words():
    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]", fuse_unk=True))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(vocab_size=200, special_tokens=["[UNK]"])
    tokenizer.train_from_iterator(LINES, trainer)
    return tokenizer


cases = {}
for make in (bytes_, prefixed, spaces, marks, words):
    name = make.__name__.rstrip("_")
    tokenizer = make()
    tokenizer.save(f"{name}.json", pretty=False)
    plain = [tokenizer.encode(text, add_special_tokens=False).ids for text in TEXTS]
    marked = tokenizer.encode(TEXTS[0]).ids
    decoded = tokenizer.decode(plain[0], skip_special_tokens=False)
    cases[name] = {"size": tokenizer.get_vocab_size(), "ids": plain, "marked": marked, "decoded": decoded}
json.dump({"texts": TEXTS, "tokenizers": cases}, open("cases.json", "w"), ensure_ascii=True)

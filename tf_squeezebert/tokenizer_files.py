"""Reads a tokenizer's files: vocab.txt, tokenizer.json and the settings beside them.

Where two files disagree, the one that transformers' `AutoTokenizer` follows takes precedence. A
setting that makes a tokenizer other than BERT's is refused by name, because a tokenizer that is
almost right gives ids that are almost right, and no error.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from tokenizers import AddedToken

from .added_tokens import added_token, read_pair, read_tokens_by_id, state_of, unite
from .config import SqueezeBertConfig
from .families import FAMILIES
from .json_files import MAX_BYTES, read_json
from .tokenizer_pipeline import (
    ROBERTA_KINDS,
    check_pipeline,
    read_rules,
    read_sides,
)

SPECIAL_TOKENS = {
    "unk_token": "[UNK]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "cls_token": "[CLS]",
    "mask_token": "[MASK]",
}
ROBERTA_TOKENS = {
    "unk_token": "<unk>",
    "sep_token": "</s>",
    "pad_token": "<pad>",
    "cls_token": "<s>",
    "mask_token": "<mask>",
}
# The constructor's arguments that tokenizer_config.json holds unchanged, in the order written.
SETTINGS = (
    "do_lower_case",
    "do_basic_tokenize",
    "never_split",
    "tokenize_chinese_chars",
    "strip_accents",
    "model_input_names",
    "model_max_length",
    "padding_side",
    "truncation_side",
    "clean_up_tokenization_spaces",
)
_DEFAULT_RULES = {"do_lower_case": True, "tokenize_chinese_chars": True, "strip_accents": None}

# Classes of transformers that are BERT's tokenizer under another name; each also has a ...Fast.
_CLASSES = {
    f"{name}Tokenizer{fast}"
    for name in ("Bert", "SqueezeBert", "MobileBert", "Electra", "DistilBert", "ConvBert")
    for fast in ("", "Fast")
} | {f"{name}Tokenizer{fast}" for name in ("LayoutLM", "Lxmert") for fast in ("", "Fast")}
# Classes whose behaviour is whatever tokenizer.json defines.
_GENERAL_CLASSES = ("PreTrainedTokenizerFast", "TokenizersBackend")
# Model types whose tokenizer is BERT's if no class is named.
_MODEL_TYPES: tuple[str, ...] = (
    "bert",
    "squeezebert",
    "mobilebert",
    "electra",
    "distilbert",
    "convbert",
)
_MODEL_TYPES += ("layoutlm", "lxmert", "megatron-bert", "qdqbert", "visual_bert", "nomic_bert")

# The same for the tokenizers of RoBERTa and its relatives, with the kind of each one's model.
_ROBERTA_CLASSES = {
    "RobertaTokenizer": ("roberta", "BPE"),
    "XLMRobertaTokenizer": ("xlm-roberta", "Unigram"),
    "CamembertTokenizer": ("camembert", "Unigram"),
}
# What their tokenizers had before they had a tokenizer.json.
_ORIGINALS = ("sentencepiece.bpe.model", "vocab.json", "merges.txt")
_ROBERTA_SETTINGS = (
    *("model_max_length", "padding_side", "truncation_side", "clean_up_tokenization_spaces"),
    *("added_tokens_decoder", "additional_special_tokens", *SPECIAL_TOKENS),
)

# Fields of tokenizer_config.json that change the tokenizer, with the values that do not.
_OTHERS: dict[str, tuple] = {
    "split_special_tokens": (None, False),
    "wordpieces_prefix": (None, "##"),
    "clean_text": (None, True),
    "pad_token_type_id": (None, 0),
    "fast_tokenizer_files": (None, [], ["tokenizer.json"]),
    "init_inputs": (None, [], ()),
    **dict.fromkeys(("auto_map", "vocab", "merges", "tokenizer_object", "gguf_file"), (None,)),
    **dict.fromkeys(("post_processor", "tokenizer_padding", "tokenizer_truncation"), (None,)),
}
# This field in a folder of this package marks that words of never_split stay whole; transformers'
# class ignores it.
_EXTRA = ("extra_special_tokens", "additional_special_tokens")
NEVER_SPLIT_MARK = "never_split_kept"

# What the Rust library strips from the end of a vocabulary's line: Unicode's White_Space.
_WHITE_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_LINE_END = re.compile(f"[{_WHITE_SPACE}]+$")


def read_vocabulary(
    vocab_file: str | os.PathLike | None, tokenizer_file: str | os.PathLike | None
) -> tuple[dict[str, int], dict[int, AddedToken], bool]:
    """Reads the vocabulary, the added tokens by their ids, and whether blank lines end the former.

    Returns:
        The vocabulary, with ids 0, 1, ... without a gap; the added tokens, which only
        tokenizer.json has; and whether the vocabulary ends in blank lines, which some count.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not such a file, or its ids are not as described.
    """
    if tokenizer_file is not None:
        content = _read_pipeline(tokenizer_file)
        return _vocabulary_of(content, tokenizer_file), _added_of(content, tokenizer_file), False
    if vocab_file is None:
        raise ValueError(
            "Pass vocab_file (a vocab.txt) or tokenizer_file (a tokenizer.json), or load a folder "
            "or a hub id with SqueezeBertTokenizer.from_pretrained."
        )
    text = _read_text(vocab_file)
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    kept = len(lines)
    while kept and not lines[kept - 1]:
        kept -= 1
    if not kept:
        raise ValueError(f"The vocabulary '{vocab_file}' is empty: expected one token per line.")
    vocab: dict[str, int] = {}
    for index, line in enumerate(lines[:kept]):
        # A token of white space alone is kept distinct from others like it; it occurs in no text.
        token = _LINE_END.sub("", line) or line
        if vocab.setdefault(token, index) != index:
            raise ValueError(
                f"The vocabulary '{vocab_file}' holds {token[:60]!a} twice, in lines "
                f"{vocab[token] + 1} and {index + 1}: each token has one id, so rename one of them."
            )
    return vocab, {}, len(lines) - kept > 1


def _vocabulary_of(content: Mapping[str, Any], path: str | os.PathLike) -> dict[str, int]:
    vocab = content["model"]["vocab"]
    whole = all(isinstance(i, int) and not isinstance(i, bool) for i in vocab.values())
    if not vocab or not whole or set(vocab.values()) != set(range(len(vocab))):
        raise ValueError(
            f"The vocabulary of '{path}' is damaged: its ids must be 0, 1, 2, ... "
            "without a gap. Save or download the tokenizer again."
        )
    last = max(vocab, key=vocab.__getitem__)
    for token in vocab:
        bare = _LINE_END.sub("", token)
        if "\n" in token or (bare and bare != token) or (not token and token == last):
            raise ValueError(
                f"The vocabulary of '{path}' holds {token[:60]!a}, which no line of a vocab.txt "
                "or BERT vocabulary can hold: check that it is this model's tokenizer."
            )
    return vocab


def _added_of(content: Mapping[str, Any], path: str | os.PathLike) -> dict[int, AddedToken]:
    where = f"'{path}'"
    listed = content.get("added_tokens") or []
    if not isinstance(listed, list) or not all(
        isinstance(token, Mapping) and "id" in token for token in listed
    ):
        raise ValueError(
            f"The added_tokens of {where} must be a list of tokens with an id and a content: "
            "save or download the tokenizer again."
        )
    pairs = [read_pair(token["id"], token, where) for token in listed]
    return unite(pairs, where)


def _read_pipeline(path: str | os.PathLike) -> dict[str, Any]:
    content = _read_json(path)
    model = content.get("model")
    if isinstance(model, dict) and model.get("type") in ROBERTA_KINDS:
        return content
    if (
        not isinstance(model, dict)
        or model.get("type", "WordPiece") != "WordPiece"
        or not isinstance(model.get("vocab"), dict)
        or model.get("continuing_subword_prefix", "##") != "##"
    ):
        raise ValueError(
            f"'{path}' is not a BERT tokenizer: expected a tokenizer.json with a WordPiece model "
            "whose prefix is ##. Check that it belongs to this model."
        )
    return content


def read_one_file(path: str | os.PathLike, given: Mapping[str, Any]) -> dict[str, Any]:
    """The constructor's arguments for a vocab.txt or a tokenizer.json on its own.

    For a file of `ROBERTA_KINDS`, they are those of `RobertaTokenizer`, with the file's `content`.

    Args:
        path: the file; a tokenizer.json is recognized by its suffix.
        given: the caller's arguments, which take precedence.

    Raises:
        ValueError: a tokenizer.json belongs to another tokenizer than BERT's.
    """
    if Path(path).suffix != ".json":
        return {"vocab_file": path}
    content = _read_pipeline(path)
    if content["model"].get("type") in ROBERTA_KINDS:
        return _of_roberta({}, {}, content, path, None)
    return _general({"tokenizer_file": path}, {}, content, given)


def read_folder(folder: Path, name: str | os.PathLike, given: Mapping[str, Any]) -> dict[str, Any]:
    """The constructor's arguments for the files of a folder; see `read_one_file`.

    Args:
        folder: the folder.
        name: its name, for errors.
        given: the caller's arguments, which take precedence.

    Raises:
        FileNotFoundError: there is no vocabulary.
        ValueError: a file is damaged, the files contradict each other, or they belong to another
            tokenizer than BERT's.
    """

    def find(name: str) -> Path | None:
        return folder / name if (folder / name).is_file() else None

    pipeline, vocab = find("tokenizer.json"), find("vocab.txt")
    if pipeline is None and vocab is None:
        if other := next((x for x in _ORIGINALS if find(x)), None):
            raise FileNotFoundError(
                f"'{name}' has a {other}, but no tokenizer.json, the only form in which such a "
                "tokenizer can be loaded: save it with transformers' AutoTokenizer."
            )
        raise FileNotFoundError(
            f"'{name}' has neither tokenizer.json nor vocab.txt: put the vocabulary that "
            "the model was trained with there, or pass the path of its file."
        )
    config = _read_optional(find("tokenizer_config.json"))
    content = None if pipeline is None else _read_pipeline(pipeline)
    kind = "WordPiece" if content is None else content["model"].get("type", "WordPiece")
    _refuse_others(config, name, kind)
    general, class_name = _judge_class(config, find, name, kind)
    fields = config
    if "added_tokens_decoder" not in config:  # newer files hold all of these
        older = _read_optional(find("special_tokens_map.json"))
        extra = _older_extra(config, older, name)
        fields = {**config, **older, **extra}
    arguments: dict[str, Any] = {}
    if general or class_name in ("DistilBertTokenizer", "DistilBertTokenizerFast"):
        arguments["model_input_names"] = ("input_ids", "attention_mask")
    if "max_len" in config:  # the older name
        arguments["model_max_length"] = config["max_len"]
    arguments |= {key: config[key] for key in SETTINGS if key in config}
    if "model_max_length" not in {**arguments, **given}:
        arguments |= _length_of_model(find)
    arguments |= {
        key: fields[key] and added_token(fields[key]) for key in SPECIAL_TOKENS if key in fields
    }
    arguments["additional_special_tokens"] = _additional(fields)
    listed = _listed_added_tokens(config, fields, find, name)
    if content is not None and pipeline is not None:
        arguments["added_tokens_decoder"] = _united(
            listed, content, general, "added_tokens_decoder" in config, pipeline
        )
        if kind in ROBERTA_KINDS:
            return _of_roberta(arguments, config, content, pipeline, class_name)
    _check_older_rules(config, general, given, name)
    if content is None or pipeline is None:
        if general and arguments.get("do_basic_tokenize", True) is not False:
            raise ValueError(
                f"'{name}' has a {class_name}, which does what its tokenizer.json says, but has no "
                "such file: add it, or load the vocab.txt by itself for BERT's rules."
            )
        return {"vocab_file": vocab, "added_tokens_decoder": listed, **arguments}
    arguments["tokenizer_file"] = pipeline
    if general:
        return _general(arguments, fields, content, given)
    return _of_bert(arguments, content, given)


def _length_of_model(find: Callable[[str], Path | None]) -> dict[str, int]:
    """The number of tokens that the model in the folder takes, if its config gives it."""
    values = _read_optional(find("config.json"))
    length = values.get("max_position_embeddings")
    with suppress(ValueError):  # of another family, whose tokenizer may be one of these
        length = length and SqueezeBertConfig.from_dict(values).max_position_embeddings
    if isinstance(length, int) and not isinstance(length, bool) and length >= 1:
        return {"model_max_length": length}
    return {}


def _refuse_others(config: Mapping[str, Any], name: str | os.PathLike, kind: str) -> None:
    for key, harmless in _OTHERS.items():
        value = config.get(key)
        if not any(value == other and type(value) is type(other) for other in harmless):
            raise ValueError(
                f"The tokenizer_config.json of '{name}' has {key} {str(value)[:60]!a}, which makes "
                f"another tokenizer than {_whose(kind)}'s: load the {_file_of(kind)} by itself for "
                f"{_whose(kind)}'s rules."
            )


def _judge_class(
    config: Mapping[str, Any],
    find: Callable[[str], Path | None],
    name: str | os.PathLike,
    kind: str,
) -> tuple[bool, str | None]:
    """Whether tokenizer.json alone defines the tokenizer, and the class's name.

    Args:
        config: the tokenizer_config.json.
        find: finds a file of the folder.
        name: the folder's name, for errors.
        kind: the kind of the tokenizer's model.
    """
    class_name, where = config.get("tokenizer_class"), "tokenizer_config.json"
    classes, model_types = _CLASSES, dict.fromkeys(_MODEL_TYPES, "BertTokenizer")
    model_types["distilbert"] = "DistilBertTokenizer"  # whose inputs are fewer
    if kind in ROBERTA_KINDS:
        relatives = [key for key, (_, its) in _ROBERTA_CLASSES.items() if its == kind]
        classes = {key + fast for key in relatives for fast in ("", "Fast")}
        model_types = {_ROBERTA_CLASSES[key][0]: key for key in relatives}
    if class_name is None:
        model = _read_optional(find("config.json"))
        class_name, where = model.get("tokenizer_class"), "config.json"
        model_type = model.get("model_type")
        if class_name is None and model_type is not None:
            if model_type not in list(model_types):
                raise ValueError(
                    f"The config.json of '{name}' is of a {str(model_type)[:60]!a}, whose "
                    f"tokenizer may not be {_whose(kind)}'s: load the {_file_of(kind)} by itself "
                    "if it is."
                )
            class_name = model_types[model_type]
    if class_name is None or (isinstance(class_name, str) and class_name in classes):
        return kind in ROBERTA_KINDS, class_name
    if class_name in _GENERAL_CLASSES:
        return True, class_name
    raise ValueError(
        f"The {where} of '{name}' names the tokenizer_class {str(class_name)[:60]!a}, which is not "
        f"{_whose(kind)}'s: if its vocabulary follows {_whose(kind)}'s rules, load the "
        f"{_file_of(kind)} by itself."
    )


def _whose(kind: str) -> str:
    """The family whose tokenizers have a model of that kind."""
    owners = [FAMILIES[family].title for family, its in _ROBERTA_CLASSES.values() if its == kind]
    return " or ".join(owners or ["BERT"])


def _file_of(kind: str) -> str:
    return "tokenizer.json" if kind in ROBERTA_KINDS else "vocab.txt"


def _extra(fields: Mapping[str, Any]) -> list[Any]:
    """The additional special tokens, under their older name or that of transformers 5."""
    found: list[Any] = []
    for name in _EXTRA:
        tokens = fields.get(name) or []
        tokens = list(tokens.values()) if isinstance(tokens, dict) else tokens
        if not isinstance(tokens, list):
            raise ValueError(f"{name} is {str(tokens)[:60]!a}; expected a list of tokens.")
        contents = {added_token(token).content for token in tokens}
        if found and not isinstance(fields["extra_special_tokens"], dict):
            if contents and contents != {token.content for token in found}:
                raise ValueError(
                    "The tokenizer's files have extra_special_tokens and, under the older name, "
                    "different additional_special_tokens: remove the wrong ones."
                )
            continue
        found += [added_token(token) for token in tokens]
    return found


def _older_extra(
    config: Mapping[str, Any], older: Mapping[str, Any], name: str | os.PathLike
) -> dict[str, Any]:
    """The fields of additional special tokens, if special_tokens_map.json may have some too."""
    here, there = ([token.content for token in _extra(fields)] for fields in (config, older))
    source = config if any(key in config for key in _EXTRA) else older
    if source is config and there and here != there:
        raise ValueError(
            f"The tokenizer_config.json and the special_tokens_map.json of '{name}' list different "
            "additional special tokens: remove the wrong ones."
        )
    return {key: source.get(key) for key in _EXTRA}


def _additional(fields: Mapping[str, Any]) -> list[AddedToken]:
    """All special tokens other than BERT's five, in the order in which they get ids."""
    known = ("bos_token", "eos_token", *SPECIAL_TOKENS)
    named = [*known[:2], *(key for key in fields if key.endswith("_token") and key not in known)]
    # Some fields with such names are settings, such as add_bos_token, and not tokens.
    values = [fields[key] for key in named if isinstance(fields.get(key), (str, dict))]
    found: dict[str, AddedToken] = {}
    for token in [added_token(value) for value in values] + _extra(fields):
        if state_of(found.setdefault(token.content, token)) != state_of(token):
            raise ValueError(
                f"The tokenizer's files name the special token {token.content[:60]!a} twice, with "
                "different flags: remove the wrong one."
            )
    return list(found.values())


def _check_older_rules(
    config: Mapping[str, Any], general: bool, given: Mapping[str, Any], name: str | os.PathLike
) -> None:
    """Refuses settings that BERT's first tokenizer followed and later ones ignore."""
    basic = general or config.get("do_basic_tokenize", True) is True
    if not basic and "do_basic_tokenize" not in given:
        raise ValueError(
            f"The tokenizer_config.json of '{name}' has do_basic_tokenize "
            f"{str(config['do_basic_tokenize'])[:20]}, which some versions of transformers "
            "follow and others do not: pass do_basic_tokenize=True or False to choose."
        )
    kept = config.get(NEVER_SPLIT_MARK) or not config.get("never_split")
    if not kept and "never_split" not in given:
        raise ValueError(
            f"The tokenizer_config.json of '{name}' has words in never_split, which some "
            "versions of transformers keep whole and others split: pass "
            "never_split=[...] or never_split=None to choose."
        )


def _listed_added_tokens(
    config: Mapping[str, Any],
    fields: Mapping[str, Any],
    find: Callable[[str], Path | None],
    name: str | os.PathLike,
) -> dict[int, AddedToken]:
    """The added tokens listed outside of tokenizer.json."""
    if "added_tokens_decoder" in config:
        where = f"The added_tokens_decoder of '{name}'"
        return read_tokens_by_id(config["added_tokens_decoder"], where)
    path = find("added_tokens.json")
    if path is None:
        return {}
    named = [fields[key] for key in ("bos_token", "eos_token", *SPECIAL_TOKENS) if fields.get(key)]
    # As in transformers: neither custom named tokens nor those of special_tokens_map.json count.
    by_name = isinstance(config.get("extra_special_tokens"), dict)
    extra = [] if by_name else _extra(config)
    special = {added_token(token).content for token in [*named, *extra]}
    flagged = {added_token(x).content for x in _special_values(config) if isinstance(x, dict)}
    pairs = []
    for content, token_id in _read_json(path).items():
        if content in flagged:
            raise ValueError(
                f"'{path}' lists the token {content[:60]!a}, for which tokenizer_config.json gives "
                "flags, and versions of transformers differ in which file they follow: save "
                "the tokenizer again."
            )
        token = AddedToken(content, special=content in special, normalized=content not in special)
        if isinstance(token_id, str):
            raise ValueError(
                f"'{path}' gives the token {content[:60]!a} the id {str(token_id)[:60]!a}; "
                "expected a whole number that no other token has."
            )
        pairs.append(read_pair(token_id, token, f"'{path}'"))
    return unite(pairs, f"'{path}'")


def _special_values(config: Mapping[str, Any]) -> list[Any]:
    extra = [config.get(key) for key in _EXTRA]
    lists = [x.values() if isinstance(x, dict) else x for x in extra if x]
    return [config.get(key) for key in SPECIAL_TOKENS] + [token for x in lists for token in x]


def _united(
    listed: dict[int, AddedToken],
    content: Mapping[str, Any],
    general: bool,
    all_listed: bool,
    path: Path,
) -> dict[int, AddedToken]:
    """The added tokens of tokenizer.json and of the files beside it, which must agree."""
    own = _added_of(content, path)
    where = f"A file beside '{path}'"
    both = unite([*listed.items(), *own.items()], where)
    same = {key: state_of(token) for key, token in listed.items()} == {
        key: state_of(token) for key, token in own.items()
    }
    if (all_listed and not same) or (general and set(both) != set(own)):
        raise ValueError(
            f"'{path}' has other added tokens than the files beside it, and versions of "
            "transformers differ in which they follow: save the tokenizer again."
        )
    if general and list(own) != sorted(own):
        raise ValueError(
            f"'{path}' does not list its added tokens in the order of their ids, so "
            "they would get other ids: sort them, or save the tokenizer again."
        )
    return both


def _of_bert(
    arguments: dict[str, Any], content: Mapping[str, Any], given: Mapping[str, Any]
) -> dict[str, Any]:
    """Settings for a class of BERT's: those beside tokenizer.json, or else the defaults."""
    path = arguments["tokenizer_file"]
    rules = read_rules(content, path)
    decided = {**_DEFAULT_RULES, "do_basic_tokenize": True, **arguments, **given}
    # If strip_accents is not given, accents are removed with lower-casing.
    same = {name: value == decided[name] for name, value in rules.items()}
    if not same.get("strip_accents", True):
        whether = [_strips(rules), _strips(decided)]
        same["strip_accents"] = whether[0] == whether[1]
    for name, value in rules.items():
        if not same[name] and name not in arguments and name not in given:
            raise ValueError(
                f"'{path}' was made with {name}={value}, but no tokenizer_config.json says so, and "
                f"transformers takes {decided[name]}: pass {name}=... here, or set it there."
            )
    check_pipeline(content, _tokens({**arguments, **given}), path, absent=True)
    return {**read_sides(content, path), **arguments}


def _strips(rules: Mapping[str, Any]) -> bool:
    strips = rules["strip_accents"]
    return rules["do_lower_case"] if strips is None else strips


def _general(
    arguments: dict[str, Any],
    fields: Mapping[str, Any],
    content: Mapping[str, Any],
    given: Mapping[str, Any],
) -> dict[str, Any]:
    """Settings for the general class, which tokenizer.json defines."""
    path = arguments["tokenizer_file"]
    rules = {**_DEFAULT_RULES, "do_basic_tokenize": True, **read_rules(content, path)}
    arguments = {**read_sides(content, path), **arguments, **rules}
    added = {token.content for token in _added_of(content, path).values()}
    for name, token in SPECIAL_TOKENS.items():
        if name in fields or name in given:
            continue
        if token in added:
            arguments[name] = token
        elif name in ("pad_token", "mask_token"):
            arguments[name] = None
        else:
            raise ValueError(
                f"'{path}' does not keep a {name} whole in texts, and no file beside it names one: "
                f"pass {name}=... here, or set it in tokenizer_config.json."
            )
    check_pipeline(content, _tokens({**arguments, **given}), path, absent=False)
    return arguments


def _of_roberta(
    arguments: dict[str, Any],
    config: Mapping[str, Any],
    content: Mapping[str, Any],
    path: str | os.PathLike,
    class_name: str | None,
) -> dict[str, Any]:
    """The arguments of `RobertaTokenizer`, whose tokenizer.json defines all but a few settings."""
    arguments = {key: value for key, value in arguments.items() if key in _ROBERTA_SETTINGS}
    added = {token.content for token in _added_of(content, path).values()}
    for name, token in ROBERTA_TOKENS.items():
        optional = name in ("pad_token", "mask_token")
        arguments.setdefault(name, None if optional and token not in added else token)
    arguments["model_input_names"] = ("input_ids", "attention_mask")
    if class_name is not None and class_name not in _GENERAL_CLASSES:
        arguments["tokenizer_class"] = class_name.removesuffix("Fast")
        # As in transformers, whose class does not ask the file.
        arguments["add_prefix_space"] = config.get("add_prefix_space", False)
    return {**read_sides(content, path), **arguments, "content": content, "path": path}


def _tokens(arguments: Mapping[str, Any]) -> dict[str, str | None]:
    """The contents of the five special tokens."""
    tokens = {name: arguments.get(name, token) for name, token in SPECIAL_TOKENS.items()}
    return {name: token and added_token(token).content for name, token in tokens.items()}


def _read_optional(path: Path | None) -> dict[str, Any]:
    return {} if path is None else _read_json(path)


def _read_json(path: str | os.PathLike) -> dict[str, Any]:
    _require_file(path)
    return read_json(path)


def _read_text(path: str | os.PathLike) -> str:
    _require_file(path)
    content = Path(path).read_bytes() if Path(path).stat().st_size <= MAX_BYTES else None
    if content is None:
        raise ValueError(f"'{path}' is longer than {MAX_BYTES} bytes: no vocabulary is that long.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"'{path}' is not UTF-8 text: check that it is the right file.") from error


def _require_file(path: str | os.PathLike) -> None:
    if not Path(path).is_file():
        raise FileNotFoundError(
            f"There is no file '{path}': check the path; for a folder or a hub id use "
            "SqueezeBertTokenizer.from_pretrained."
        )

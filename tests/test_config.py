"""SqueezeBertConfig: transformers' arguments, `config.json` both ways, and what is refused."""

import json
import re
import subprocess
import sys
from inspect import signature

import numpy as np
import pytest
import transformers

import tf_squeezebert
from tf_squeezebert.config import ACTIVATIONS, PROBLEM_TYPES, SqueezeBertConfig

from .configs import GROUP_NAMES, small_config

# What transformers' config holds beyond SqueezeBERT: nothing here reads it, all of it is kept.
NOT_OURS = {
    "_name_or_path",
    "architectures",
    "bos_token_id",
    "chunk_size_feed_forward",
    "dtype",
    "eos_token_id",
    "is_encoder_decoder",
    "return_dict",
    "tie_word_embeddings",
    "transformers_version",
}
NAN = float("nan")


@pytest.fixture
def write(tmp_path):
    """Writes a config.json of these values (or of this text) and gives its folder."""

    def write(values):
        text = values if isinstance(values, str) else json.dumps(values)
        (tmp_path / "config.json").write_text(text, encoding="utf-8")
        return tmp_path

    return write


def read(directory) -> dict:
    return json.loads((directory / "config.json").read_text(encoding="utf-8"))


# ------------------------------------------------------------------ arguments and defaults

DEFAULTS = transformers.SqueezeBertConfig().to_dict()


@pytest.mark.parametrize("name", sorted(DEFAULTS.keys() - NOT_OURS))
def test_a_default_is_that_of_transformers(name):
    assert getattr(SqueezeBertConfig(), name) == getattr(transformers.SqueezeBertConfig(), name)


OF_FAMILIES = {"family", "position_offset", "token_type_embeddings"}
OF_FAMILIES |= {"add_pooling_layer", "pooler_act", "lm_head_act"}


def test_there_are_two_arguments_more_than_in_transformers_and_those_of_families():
    ours = SqueezeBertConfig().to_dict().keys()
    own = {"encoder_layer_norm_eps", "classifier_dropout"}
    assert ours - DEFAULTS.keys() == own | OF_FAMILIES
    assert DEFAULTS.keys() - ours == NOT_OURS


def test_every_argument_is_stored_under_its_name():
    values = {
        **small_config("mixed"),
        "type_vocab_size": 1,
        "hidden_act": "relu",
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.9,
        "initializer_range": 0.5,
        "layer_norm_eps": 1e-5,
        "encoder_layer_norm_eps": 1e-6,
        "pad_token_id": None,
        "num_labels": 3,
        "id2label": {0: "a", 1: "b", 2: "c"},
        "label2id": {"a": 0, "b": 1, "c": 2},
        "problem_type": "regression",
        "output_hidden_states": True,
        "output_attentions": True,
        "classifier_dropout": 0.2,
        "family": "distilbert",
        "position_offset": 2,
        "token_type_embeddings": False,
        "add_pooling_layer": False,
        "pooler_act": "gelu",
        "lm_head_act": "silu",
        "per_layer_config": {1: {"q_groups": 1, "num_attention_heads": 2}},
    }
    assert values.keys() == signature(SqueezeBertConfig).parameters.keys() - {"extra"}
    config = SqueezeBertConfig(**values)
    assert {name: getattr(config, name) for name in values} == values
    assert not config.extra


def test_embedding_size_is_hidden_size_unless_given():
    assert SqueezeBertConfig(hidden_size=96).embedding_size == 96


def test_configs_of_equal_content_are_equal():
    assert SqueezeBertConfig() == SqueezeBertConfig(num_labels=2)
    assert SqueezeBertConfig() != SqueezeBertConfig(num_labels=3)
    assert SqueezeBertConfig() != SqueezeBertConfig().to_dict()


# ------------------------------------------------------------------ config.json


def test_what_is_written_is_read(tmp_path):
    config = SqueezeBertConfig(**small_config("mixed", id2label={0: "schön", 1: "悪い"}))
    config.save_pretrained(tmp_path / "new" / "folder")
    assert SqueezeBertConfig.from_pretrained(tmp_path / "new" / "folder") == config
    assert SqueezeBertConfig.from_pretrained(tmp_path / "new/folder/config.json") == config


def test_unknown_keys_are_kept_and_written_back(write, tmp_path):
    unknown = {"torch_dtype": "float16", "task_specific_params": {"a": [1, None]}, "extra": "yes"}
    config = SqueezeBertConfig.from_pretrained(write({**small_config(), **unknown}))
    assert config.extra == unknown
    config.save_pretrained(tmp_path / "copy")
    assert read(tmp_path / "copy").items() >= unknown.items()
    assert SqueezeBertConfig.from_pretrained(tmp_path / "copy") == config


def test_arguments_replace_keys_of_the_file(write):
    folder = write(small_config(hidden_dropout_prob=0.5))
    config = SqueezeBertConfig.from_pretrained(folder, hidden_dropout_prob=0.0, hidden_act="relu")
    assert (config.hidden_dropout_prob, config.hidden_act) == (0.0, "relu")
    assert config.hidden_size == small_config()["hidden_size"]


@pytest.mark.parametrize("values", [{}, small_config("mixed", num_labels=3, pad_token_id=5)])
def test_transformers_reads_what_we_write(tmp_path, values):
    ours = SqueezeBertConfig(**values)
    ours.save_pretrained(tmp_path)
    theirs = transformers.AutoConfig.from_pretrained(tmp_path)
    assert isinstance(theirs, transformers.SqueezeBertConfig)
    for name in DEFAULTS.keys() - NOT_OURS:
        assert getattr(theirs, name) == getattr(ours, name), name


@pytest.mark.parametrize("values", [{}, small_config("mixed", num_labels=3, pad_token_id=5)])
def test_we_read_what_transformers_writes(tmp_path, values):
    theirs = transformers.SqueezeBertConfig(**values)
    theirs.save_pretrained(tmp_path)
    ours = SqueezeBertConfig.from_pretrained(tmp_path)
    for name in DEFAULTS.keys() - NOT_OURS:
        assert getattr(theirs, name) == getattr(ours, name), name


def test_what_a_failed_write_leaves_is_the_old_file(tmp_path):
    SqueezeBertConfig().save_pretrained(tmp_path)
    before = read(tmp_path)
    with pytest.raises(TypeError, match="not JSON serializable"):
        SqueezeBertConfig(note=object()).save_pretrained(tmp_path)
    assert read(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]


# ------------------------------------------------------------------ labels

NAMES = {"id2label": {"0": "no", "1": "maybe", "2": "yes"}}
IDS = {"label2id": {"no": 0, "maybe": 1, "yes": 2}}
NAMED = {0: "no", 1: "maybe", 2: "yes"}


@pytest.mark.parametrize(
    ("stored", "given", "labels"),
    [
        ({}, {}, {0: "LABEL_0", 1: "LABEL_1"}),
        ({"num_labels": 1}, {}, {0: "LABEL_0"}),
        (NAMES, {}, NAMED),
        (IDS, {}, NAMED),
        ({**NAMES, **IDS}, {}, NAMED),
        ({**NAMES, "num_labels": 2}, {}, NAMED),
        ({**NAMES, "label2id": {"NO": 0, "YES": 1}}, {}, NAMED),
        ({"id2label": {"2": "yes", "0": "no", "1": "maybe"}}, {}, NAMED),
        ({"id2label": None, "label2id": None}, {}, {0: "LABEL_0", 1: "LABEL_1"}),
        ({"id2label": {"0": 0, "1": 1}}, {}, {0: "0", 1: "1"}),
        ({"label2id": {"no": "0", "yes": "1"}}, {}, {0: "no", 1: "yes"}),
        ({"id2label": 5}, {"num_labels": 1}, {0: "LABEL_0"}),
        ({**NAMES, **IDS}, {"num_labels": 3}, NAMED),
        ({**NAMES, **IDS}, {"num_labels": None, "id2label": None, "label2id": None}, NAMED),
        ({**NAMES, **IDS}, {"num_labels": 2}, {0: "LABEL_0", 1: "LABEL_1"}),
        (IDS, {"num_labels": 1}, {0: "LABEL_0"}),
        ({"num_labels": 5}, {"num_labels": 1}, {0: "LABEL_0"}),
        ({"num_labels": 5}, {"id2label": {0: "a", 1: "b"}}, {0: "a", 1: "b"}),
        ({**NAMES, **IDS}, {"id2label": {0: "a", 1: "b"}}, {0: "a", 1: "b"}),
        ({**NAMES, **IDS}, {"label2id": {"a": 0, "b": 1}}, {0: "a", 1: "b"}),
        ({**NAMES, **IDS}, {"num_labels": 2, "id2label": {0: "a", 1: "b"}}, {0: "a", 1: "b"}),
    ],
)
def test_labels_of_a_file_and_of_the_caller(write, stored, given, labels):
    config = SqueezeBertConfig.from_pretrained(write(stored), **given)
    assert config.id2label == labels
    assert list(config.id2label) == sorted(labels)
    assert config.label2id == {label: index for index, label in labels.items()}
    assert config.num_labels == len(labels)


def test_a_file_whose_label2id_has_another_order_is_refused(write):
    folder = write({**NAMES, "label2id": {"no": 1, "maybe": 0, "yes": 2}})
    with pytest.raises(ValueError, match="id2label gives 'no' the number '0', and label2id 1: cor"):
        SqueezeBertConfig.from_pretrained(folder)
    assert SqueezeBertConfig.from_pretrained(folder, **NAMES).id2label == NAMED


def test_label_ids_are_strings_in_the_file(tmp_path):
    SqueezeBertConfig(id2label=NAMED).save_pretrained(tmp_path)
    assert read(tmp_path).items() >= {**NAMES, **IDS}.items()


@pytest.mark.parametrize("problem_type", [None, *PROBLEM_TYPES])
def test_the_problem_type_is_kept(tmp_path, problem_type):
    SqueezeBertConfig(problem_type=problem_type).save_pretrained(tmp_path)
    assert SqueezeBertConfig.from_pretrained(tmp_path).problem_type == problem_type


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"num_labels": 2, **NAMES}, r"num_labels \(2\) contradicts id2label, which names 3"),
        ({**NAMES, "label2id": {"no": 1, "maybe": 0, "yes": 2}}, "label2id .* contradicts id2l"),
        ({"id2label": {0: "a", 2: "b"}}, "0, 1, 2, .*not {0: 'a', 2: 'b'}"),
        ({"id2label": {}}, "0, 1, 2, .*not {}"),
        ({"id2label": {"0": "a", "1": "b", " 1": "c"}}, "0, 1, 2, .*not {'0': 'a', '1': 'b'"),
        ({"id2label": {0: "a", 1: "b", 2: "a"}}, "id2label gives 0 and 2 the same name, 'a'"),
        ({"id2label": {0: 1, 1: "1"}}, "id2label gives 0 and 1 the same name, '1'"),
        ({"id2label": {0: ["a"]}}, r"id2label names 0 \['a'\], which is not a line of text"),
        ({"id2label": {0: "a", 1: None}}, "id2label names 1 None, which is not a line"),
        ({"id2label": {0: True}}, "id2label names 0 True, which is not a line"),
        ({"id2label": {0: "a\nb"}}, r"id2label names 0 'a\\nb', which is not a line"),
        ({"id2label": dict.fromkeys(range(100_001), "a")}, "100000 labels at most, not 100001"),
        ({"num_labels": 10**9}, "100000 labels at most, not 1000000000"),
        ({"label2id": {"a": 0, "b": 0}}, "label2id gives two labels the same index"),
        ({"label2id": {"a": [0]}}, r"label2id must map .*{'a': \[0\]}"),
        ({"label2id": {"a": True}}, "label2id must map .*{'a': True}"),
        ({"id2label": {"zero": "a"}}, "id2label must name the labels .*'zero'"),
        ({"id2label": ["a", "b"]}, r"id2label must name the labels .*\['a', 'b'\]"),
        ({"label2id": ["a", "b"]}, r"label2id must map .*\['a', 'b'\]"),
        ({"num_labels": 0}, "num_labels must be a positive whole number, not 0"),
        ({"num_labels": 2.0}, "num_labels must be a positive whole number, not 2.0"),
        ({"num_labels": True}, "num_labels must be a positive whole number, not True"),
        ({"problem_type": "ranking"}, "problem_type 'ranking' is unknown: choose one of regr"),
        (
            {"problem_type": "single_label_classification", "num_labels": 1},
            "problem_type 'single_label_classification' needs at least two labels",
        ),
    ],
)
def test_labels_that_are_refused(values, says):
    with pytest.raises(ValueError, match=says):
        SqueezeBertConfig(**values)


# ------------------------------------------------------------------ BERT

BERT = transformers.BertConfig(
    vocab_size=99, hidden_size=48, num_attention_heads=4, layer_norm_eps=1e-5, num_labels=3
)


def test_a_bert_is_a_squeezebert_with_one_group_everywhere(tmp_path):
    BERT.save_pretrained(tmp_path)
    config = SqueezeBertConfig.from_pretrained(tmp_path)
    assert config.model_type == "squeezebert"
    assert [getattr(config, f"{name}_groups") for name in GROUP_NAMES] == [1] * 6
    assert config.layer_norm_eps == config.encoder_layer_norm_eps == 1e-5
    for name in ("vocab_size", "hidden_size", "num_hidden_layers", "id2label", "hidden_act"):
        assert getattr(config, name) == getattr(BERT, name)
    config.save_pretrained(tmp_path)
    assert read(tmp_path)["model_type"] == "squeezebert"
    assert SqueezeBertConfig.from_pretrained(tmp_path) == config


def test_a_bert_without_epsilon_has_that_of_bert():
    config = SqueezeBertConfig.from_dict({"model_type": "bert"})
    assert config.encoder_layer_norm_eps == transformers.BertConfig().layer_norm_eps == 1e-12


def test_a_squeezeberts_encoder_does_not_read_layer_norm_eps():
    assert SqueezeBertConfig(layer_norm_eps=1e-5).encoder_layer_norm_eps == 1e-12


OTHER_COMPUTATIONS = {
    "quantization_config": {"quant_method": "bitsandbytes", "load_in_8bit": True},
    "compression_config": {"format": "int-quantized"},
    "position_embedding_type": "relative_key_query",
    "is_decoder": True,
    "add_cross_attention": True,
    "is_encoder_decoder": True,
    "pruned_heads": {"0": [1]},
    "auto_map": {"AutoModel": "modeling_bert.JinaBertModel"},
    "feed_forward_type": "geglu",
    "alibi_starting_size": 512,
    "rotary_emb_fraction": 1.0,
    "rope_parameters": {"rope_theta": 1e4},
    "prenorm": True,
    "use_rms_norm": True,
    "norm_type": "rms_norm",
}
OTHER_LAYERS = {"per_layer_config": {"0": {"hidden_act": "relu"}}}


@pytest.mark.parametrize("model_type", ["bert", "squeezebert"])
@pytest.mark.parametrize(("name", "value"), (OTHER_COMPUTATIONS | OTHER_LAYERS).items())
def test_a_key_that_means_another_computation_is_refused_by_name(write, name, value, model_type):
    says = re.escape(f"The config has a {name} of {value!r}, which this package does not compute: ")
    with pytest.raises(ValueError, match=says):
        SqueezeBertConfig.from_pretrained(write({"model_type": model_type, name: value}))
    with pytest.raises(ValueError, match=says):
        SqueezeBertConfig(**{name: value})


@pytest.mark.parametrize("nothing", [None, False, {}, 0, ""], ids=repr)
@pytest.mark.parametrize("name", OTHER_COMPUTATIONS)
def test_such_a_key_that_is_not_set_is_kept(name, nothing):
    assert SqueezeBertConfig(**{name: nothing}).extra == {name: nothing}


def test_no_key_that_transformers_gives_a_bert_is_refused():
    values = {"position_embedding_type": "absolute", "use_cache": True, "gradient_checkpointing": 0}
    for config in (transformers.BertConfig(**values), transformers.SqueezeBertConfig(**values)):
        SqueezeBertConfig.from_dict(config.to_dict())


@pytest.mark.parametrize("value", [{"a": 1}, "BertModel", 5, ["BertModel", None]], ids=repr)
def test_architectures_are_a_list_of_names(write, value):
    with pytest.raises(ValueError, match="architectures must be a list of class names"):
        SqueezeBertConfig.from_pretrained(write({"architectures": value}))


def test_another_model_is_refused(write):
    with pytest.raises(ValueError, match="'gpt2' can not be loaded: use a model of type bert, squ"):
        SqueezeBertConfig.from_pretrained(write({"model_type": "gpt2"}))


# ------------------------------------------------------------------ what is refused

SIZES = (
    *("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads"),
    *("intermediate_size", "max_position_embeddings", "type_vocab_size"),
    *(f"{name}_groups" for name in GROUP_NAMES),
)


@pytest.mark.parametrize("value", [0, -4, 4.0, 1e5, True, "4", None, NAN, [4], {}], ids=repr)
@pytest.mark.parametrize("name", SIZES)
def test_a_size_is_a_positive_whole_number(name, value):
    says = re.escape(f"{name} must be a positive whole number, not {value!r}")
    with pytest.raises(ValueError, match=says):
        SqueezeBertConfig(**{name: value})


@pytest.mark.parametrize("value", [20_000_000, 10**12, 10**99], ids="{:.0e}".format)
@pytest.mark.parametrize("name", SIZES)
def test_a_size_has_a_budget(name, value):
    with pytest.raises(ValueError, match=rf"{name} must be at most \d+, not|divisible by {name}"):
        SqueezeBertConfig(**{name: value})


@pytest.mark.parametrize(
    "sizes",
    [
        {"num_hidden_layers": 256, "hidden_size": 6144, "intermediate_size": 24576},
        {"hidden_size": 2**14, "num_attention_heads": 16, "num_hidden_layers": 12},
        {"hidden_size": 2**14, "num_attention_heads": 16, "num_labels": 100_000},
    ],
)
def test_the_parameters_have_a_budget(sizes):
    with pytest.raises(
        ValueError, match=r"a model of .* billion parameters: reduce them to at most"
    ):
        SqueezeBertConfig(**sizes)


@pytest.mark.parametrize(
    "sizes",
    [
        {"vocab_size": 501_153},  # LaBSE
        {"hidden_size": 1024, "num_attention_heads": 16, "num_hidden_layers": 24},
        {"hidden_size": 1536, "num_attention_heads": 16, "num_hidden_layers": 48},
        {"max_position_embeddings": 8192, "num_labels": 21_841},
    ],
)
def test_the_largest_of_published_models_are_within_it(sizes):
    SqueezeBertConfig(**sizes)


def test_the_count_of_parameters_is_that_of_the_model_without_biases_and_norms():
    config = SqueezeBertConfig(**small_config("mixed", num_labels=3))
    model = tf_squeezebert.SqueezeBertForSequenceClassification(config)
    matrices = [w for w in model.weights if w.path.endswith(("kernel", "embeddings"))]
    assert config._count_parameters() == sum(int(np.prod(w.shape)) for w in matrices)


def test_a_long_value_is_shown_in_short():
    for values in (
        {"hidden_size": "x" * 10**6},
        {"id2label": {str(i): i for i in range(1, 10**4)}},
    ):
        with pytest.raises(ValueError, match=r"\.\.\.") as raised:
            SqueezeBertConfig(**values)
        assert len(str(raised.value)) < 200


@pytest.mark.parametrize("name", ["output_hidden_states", "output_attentions"])
def test_a_switch_is_true_or_false(name):
    assert getattr(SqueezeBertConfig(**{name: None}), name) is False
    for value in ("yes", 1, [], "\x1b[2J"):
        with pytest.raises(ValueError, match=f"{name} must be true or false, not ") as raised:
            SqueezeBertConfig(**{name: value})
        assert str(raised.value).isprintable()


@pytest.mark.parametrize("name", ["self", "extra", "cls", "to_dict", "_validate", "__class__", ""])
def test_a_key_with_the_name_of_an_attribute_is_one_like_any_other(write, name):
    config = SqueezeBertConfig.from_pretrained(write({name: "value"}))
    assert config.extra == {name: "value"}
    assert config.to_dict()[name] == "value"
    assert config.num_labels == 2


@pytest.mark.parametrize(
    ("size", "divisor"),
    [
        ("hidden_size", "num_attention_heads"),
        *(("hidden_size", f"{name}_groups") for name in GROUP_NAMES),
        ("intermediate_size", "intermediate_groups"),
        ("intermediate_size", "output_groups"),
    ],
)
def test_a_size_is_divisible_by_its_groups_and_heads(size, divisor):
    other = {"hidden_size", "intermediate_size"} - {size}
    fine = {**small_config("ones"), size: 50, **dict.fromkeys(other, 49), "num_attention_heads": 1}
    fine["embedding_size"] = fine["hidden_size"]
    SqueezeBertConfig(**fine)
    with pytest.raises(ValueError, match=rf"{size} \(50\) must be divisible by {divisor} \(7\)"):
        SqueezeBertConfig(**{**fine, divisor: 7})


@pytest.mark.parametrize("activation", ["geglu", "GELU", "", None, 1, ["gelu"], {"gelu": 1}])
def test_an_unknown_activation(activation):
    given = re.escape(repr(activation))
    with pytest.raises(ValueError, match=f"hidden_act {given} is unknown: .* gelu, gelu_n"):
        SqueezeBertConfig(hidden_act=activation)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_an_activation_is_one_of_transformers(activation):
    assert activation in transformers.activations.ACT2FN
    assert SqueezeBertConfig(hidden_act=activation).hidden_act == activation


@pytest.mark.parametrize("rate", [-0.1, 1, 1.5, NAN, "0.1", None, True], ids=repr)
@pytest.mark.parametrize("name", ["hidden_dropout_prob", "attention_probs_dropout_prob"])
def test_a_dropout_rate_is_a_proportion(name, rate):
    with pytest.raises(ValueError, match=rf"{name} must be a number in \[0, 1\), not {rate!r}"):
        SqueezeBertConfig(**{name: rate})


@pytest.mark.parametrize(
    "value", [0, -1e-12, NAN, float("inf"), 10**99, "1e-12", None, True, [1e-12]], ids=repr
)
@pytest.mark.parametrize("name", ["initializer_range", "layer_norm_eps", "encoder_layer_norm_eps"])
def test_an_epsilon_is_positive_and_finite(name, value):
    with pytest.raises(
        ValueError,
        match=rf"{name} must be a number in \(0, 1000\], not {re.escape(repr(value)[:9])}",
    ):
        SqueezeBertConfig(**{name: value})


@pytest.mark.parametrize("pad_token_id", [-1, 10, 0.5, True, "0"], ids=repr)
def test_the_padding_token_is_in_the_vocabulary(pad_token_id):
    message = rf"pad_token_id \({pad_token_id!r}\) must be .* vocab_size is 10"
    with pytest.raises(ValueError, match=message):
        SqueezeBertConfig(vocab_size=10, pad_token_id=pad_token_id)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{'vocab_size': 99}", "config.json' is not valid JSON: .* line 1"),
        ("", "config.json' is not valid JSON"),
        ("[1, 2]", "config.json' should hold a JSON object, and"),
        ("null", "config.json' should hold a JSON object, and"),
        ('{"hidden_size": 50}', r"hidden_size \(50\) must be divisible"),
        ('{"layer_norm_eps": NaN}', "config.json' holds NaN"),
        ('{"hidden_size": 768, "hidden_size": 96}', "config.json' names 'hidden_size' twice"),
        ('{"a": ' + "[" * 100_000, "config.json' nests more than 64 levels"),
        ('{"vocab_size": ' + "9" * 10_000 + "}", "config.json' holds a number of 10000 digits"),
    ],
)
def test_a_damaged_file(write, text, says):
    with pytest.raises(ValueError, match=says):
        SqueezeBertConfig.from_pretrained(write(text))


def test_a_folder_without_config(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"has no file config\.json"):
        SqueezeBertConfig.from_pretrained(tmp_path)


def test_a_path_to_nothing(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no file or folder '.*gone'.*hub id"):
        SqueezeBertConfig.from_pretrained(tmp_path / "gone")


# ------------------------------------------------------------------ imports

USES = {
    "the package": "import tf_squeezebert",
    "the config": "import tf_squeezebert; tf_squeezebert.SqueezeBertConfig().to_dict()",
    "the tokenizer": "import sys, tf_squeezebert; "
    "tf_squeezebert.SqueezeBertTokenizer.from_pretrained(sys.argv[1])('a text', 'another')",
}
REPORT = "import sys; print({'tensorflow', 'keras', 'torch'} & {*sys.modules})"


@pytest.mark.parametrize("use", USES)
def test_neither_tensorflow_nor_keras_is_imported_for(use, tmp_path):
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a"]
    (tmp_path / "vocab.txt").write_text("\n".join(tokens))
    script = f"{USES[use]}\n{REPORT}"
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "set()\n", done.stderr

"""TFLite Model Metadata, which MediaPipe Tasks read to prepare inputs and name scores.

It is a flatbuffer with a separate schema, in a buffer of the model. Here it is a dict, in the form
in which flatc prints it as JSON, and its schema is data: one writer here and one reader, in
flatbuffer.py, serve all tables. The files that it names are in the zip after the model (see
bundle.py).
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from ..tasks import task_of
from ..tokenizer import SqueezeBertTokenizer
from .bundle import Bundle
from .flatbuffer import Schema, read
from .model_check import open_model
from .model_file import AligningBuilder

# The tables that describe text models; tables not used for these have no fields here.
_TABLES = {
    "ModelMetadata": "name:string description:string version:string "
    "subgraph_metadata:[SubGraphMetadata] author:string license:string "
    "associated_files:[AssociatedFile] min_parser_version:string",
    "SubGraphMetadata": "name:string description:string "
    "input_tensor_metadata:[TensorMetadata] output_tensor_metadata:[TensorMetadata] "
    "associated_files:[AssociatedFile] "
    "input_process_units:[ProcessUnit] output_process_units:[ProcessUnit]",
    "TensorMetadata": "name:string description:string dimension_names:[string] content:Content "
    "process_units:[ProcessUnit] stats:Stats associated_files:[AssociatedFile]",
    "Content": "content_properties_type:ContentProperties content_properties:union",
    "ProcessUnit": "options_type:ProcessUnitOptions options:union",
    "BertTokenizerOptions": "vocab_file:[AssociatedFile]",
    "SentencePieceTokenizerOptions": "sentencePiece_model:[AssociatedFile] "
    "vocab_file:[AssociatedFile]",
    "RegexTokenizerOptions": "delim_regex_pattern:string vocab_file:[AssociatedFile]",
    "Stats": "max:[float32] min:[float32]",
    "AssociatedFile": "name:string description:string type:AssociatedFileType locale:string "
    "version:string",
}
_ENUMS = {
    "ContentProperties": "NONE FeatureProperties ImageProperties BoundingBoxProperties "
    "AudioProperties",
    "ProcessUnitOptions": "NONE NormalizationOptions ScoreCalibrationOptions "
    "ScoreThresholdingOptions BertTokenizerOptions SentencePieceTokenizerOptions "
    "RegexTokenizerOptions",
    "AssociatedFileType": "UNKNOWN DESCRIPTIONS TENSOR_AXIS_LABELS TENSOR_VALUE_LABELS "
    "TENSOR_AXIS_SCORE_CALIBRATION VOCABULARY SCANN_INDEX_FILE",
}
_SCHEMA = Schema(_TABLES, _ENUMS)
_BUFFER_NAME = b"TFLITE_METADATA"
_MODEL_IDENTIFIER, _IDENTIFIER = b"TFL3", b"M001"
_PARSER = "1.1.0"  # the first version with BertTokenizerOptions

_VOCABULARY = {
    "name": "vocab.txt",
    "description": "Vocabulary file for the BertTokenizer.",
    "type": "VOCABULARY",
}
_LABELS = {
    "name": "labels.txt",
    "description": "Labels for categories that the model can recognize.",
    "type": "TENSOR_AXIS_LABELS",
}


class Description(NamedTuple):
    """A model's description for MediaPipe; by the names of the signature's tensors."""

    name: str
    description: str
    outputs: dict[str, str]
    ids: str = "Tokenized ids of the input text."
    segments: str = "0 for the first sequence, 1 for the second sequence if exists."

    @property
    def inputs(self) -> dict[str, tuple[str, str]]:
        """MediaPipe's name and the description of each input."""
        mask = "Mask with 1 for real tokens and 0 for padding tokens."
        return {
            "input_ids": ("ids", self.ids),
            "attention_mask": ("mask", mask),
            "token_type_ids": ("segment_ids", self.segments),
        }


# The descriptions by kind of task.
DESCRIBED = {
    "text-classification": Description(
        "TextClassifier",
        "Classify the input text into a set of known categories.",
        # The name that both MediaPipe and the older Task Library accept.
        {"probability": "Score of the labels respectively."},
    ),
    "feature-extraction": Description(
        "TextEmbedder",
        "Embed the input text as a vector, near those of texts that mean the same.",
        {"embedding": "Embedding of the input text."},
    ),
    "question-answering": Description(
        "BertQuestionAnswerer",
        "Answers questions based on the content of a given passage.",
        {
            f"{end}_logits": f"logits over the sequence which indicates the {end} position of the "
            "answer span with closed interval."
            for end in ("start", "end")
        },
        "Tokenized ids of input text as concatenated query and passage.",
        "0 for query and 1 for passage tokens.",
    ),
}


def attach_metadata(content: bytes, files: dict[str, bytes]) -> bytes:
    """Adds the metadata that MediaPipe's task for the model's architecture reads.

    Old metadata is replaced. The weights are moved into the flatbuffer, aligned to 16 bytes.

    Args:
        content: a .tflite model whose signature takes `input_ids`, `attention_mask` and
            `token_type_ids`, and returns what its task needs: `probability` [1, labels];
            `embedding` [1, H]; or `start_logits` and `end_logits` [1, S].
        files: the result of `collect_files`, to be appended afterwards with `attach_files`.

    Returns:
        The model with its metadata.

    Raises:
        ValueError: MediaPipe can not use the model or the files.
    """
    if content[4:8] != _MODEL_IDENTIFIER:
        raise ValueError("The content is not a .tflite model: pass the bytes of one.")
    if zipfile.is_zipfile(io.BytesIO(content)):
        raise ValueError("The model carries files already: attach the metadata before the files.")
    model = schema.ModelT.InitFromPackedBuf(content)
    _move_weights_inside(model, content)
    builder = flatbuffers.Builder()
    metadata = _describe(model, Bundle(files))
    builder.Finish(_write_table(builder, "ModelMetadata", metadata), _IDENTIFIER)
    _metadata_buffer(model).data = np.frombuffer(builder.Output(), np.uint8)
    builder = AligningBuilder(len(content))
    builder.Finish(model.Pack(builder), _MODEL_IDENTIFIER)
    return bytes(builder.Output())


def read_metadata(path: str | os.PathLike) -> dict[str, Any]:
    """Reads the metadata of any .tflite file.

    Args:
        path: the file.

    Returns:
        The metadata in the form of the metadata schema's JSON, without fields that do not concern
        text models.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not a .tflite, or carries no metadata.
    """
    content = open_model(path).metadata.get(_BUFFER_NAME.decode())
    if content is None:
        raise ValueError(f"'{path}' carries no metadata: export it with target=\"mediapipe\".")
    try:
        return _plain(read(bytes(content), _SCHEMA, "ModelMetadata", _IDENTIFIER))
    except ValueError as error:
        raise ValueError(
            f"The metadata in '{path}' is damaged: export it again (it {error})."
        ) from error


def _plain(value: Any) -> Any:
    """The value that was read, with numbers as in JSON."""
    if isinstance(value, dict):
        return {name: _plain(x) for name, x in value.items()}
    if isinstance(value, np.ndarray):
        if not np.isfinite(value).all():
            raise ValueError("holds NaN or infinity")
        return value.tolist()
    return [_plain(x) for x in value] if isinstance(value, list) else value


# The model


def _move_weights_inside(model: schema.ModelT, content: bytes) -> None:
    """Moves weights that the quantizer wrote after the model, at file offsets, into its buffers."""
    for buffer in model.buffers:
        if buffer.offset > 1:  # 0 and 1 mean that there is none
            buffer.data = np.frombuffer(content, np.uint8, buffer.size, buffer.offset)
            buffer.offset = buffer.size = 0


def _metadata_buffer(model: schema.ModelT) -> schema.BufferT:
    """The buffer for the metadata, a new one if the model has none yet."""
    model.metadata = model.metadata or []
    for entry in model.metadata:
        if entry.name == _BUFFER_NAME:
            return model.buffers[entry.buffer]
    model.metadata.append(schema.MetadataT(name=_BUFFER_NAME, buffer=len(model.buffers)))
    model.buffers.append(schema.BufferT())
    return model.buffers[-1]


# What the metadata says


def _describe(model: schema.ModelT, bundle: Bundle) -> dict[str, Any]:
    task = task_of(bundle.architecture, bundle.config)
    if task.kind not in DESCRIBED:
        raise ValueError(
            f"MediaPipe has no task for {task.architecture}: export it with another target."
        )
    if len(model.subgraphs) != 1 or not model.signatureDefs:
        raise ValueError(
            "MediaPipe needs a model with one subgraph and a signature: export it with "
            "target='mediapipe'."
        )
    subgraph, signature = model.subgraphs[0], model.signatureDefs[0]
    described = DESCRIBED[task.kind]
    inputs = _in_order(subgraph.inputs, signature.inputs)
    outputs = _in_order(subgraph.outputs, signature.outputs)
    _check_names("takes", inputs, described.inputs, described)
    _check_names("returns", outputs, described.outputs, described)
    _check_vocabulary(bundle)
    described_outputs = [_tensor(name, described.outputs[name]) for name in outputs]
    if outputs == ["probability"]:
        _check_labels(bundle, classes=int(subgraph.tensors[subgraph.outputs[0]].shape[-1]))
        range_and_labels = {"stats": {"max": [1.0], "min": [0.0]}, "associated_files": [_LABELS]}
        described_outputs[0].update(range_and_labels)
    tokenizer = {"options_type": "BertTokenizerOptions", "options": {"vocab_file": [_VOCABULARY]}}
    described_subgraph = {
        "input_tensor_metadata": [_tensor(*described.inputs[name]) for name in inputs],
        "output_tensor_metadata": described_outputs,
        "input_process_units": [tokenizer],
    }
    return {
        "name": described.name,
        "description": described.description,
        "subgraph_metadata": [described_subgraph],
        "min_parser_version": _PARSER,
    }


def _in_order(tensors: Sequence[int], signature: Sequence[schema.TensorMapT]) -> list[str]:
    """The signature's names of a subgraph's tensors, in the subgraph's order.

    The converter does not keep the signature's order, and MediaPipe uses only the subgraph's.
    """
    names = {entry.tensorIndex: entry.name.decode() for entry in signature}
    return [names.get(tensor, "a nameless tensor") for tensor in tensors]


def _check_names(verb: str, names: list[str], wanted: Iterable[str], task: Description) -> None:
    if sorted(names) != sorted(wanted):
        raise ValueError(
            f"The model {verb} {', '.join(names)}, but MediaPipe's {task.name} needs "
            f'{", ".join(wanted)}: export it with target="mediapipe".'
        )


def _tensor(name: str, description: str) -> dict[str, Any]:
    content = {"content_properties_type": "FeatureProperties", "content_properties": {}}
    return {"name": name, "description": description, "content": content}


def _check_vocabulary(bundle: Bundle) -> None:
    check_tokenizer(bundle.tokenizer)
    # MediaPipe looks these up by name, whatever names the tokenizer has for them.
    tokens = bundle.files[_VOCABULARY["name"]].decode().split("\n")
    missing = [token for token in ("[CLS]", "[SEP]", "[UNK]") if token not in tokens]
    if missing:
        raise ValueError(
            f"MediaPipe needs {', '.join(missing)} in the vocabulary, which has other names: "
            "use another target and this package's Runtime."
        )


def check_tokenizer(tokenizer: SqueezeBertTokenizer | None) -> None:
    """Refuses, with a ValueError, a tokenizer that MediaPipe does not have."""
    if tokenizer is None:
        raise ValueError(
            "MediaPipe tokenizes with the vocabulary in the file, but the model came without one: "
            "pass its tokenizer."
        )
    if tokenizer.kind != "WordPiece":
        raise ValueError(
            f"MediaPipe tokenizes by WordPiece, but this model's tokenizer is a {tokenizer.kind}: "
            "use another target and this package's Runtime."
        )


def _check_labels(bundle: Bundle, classes: int) -> None:
    # MediaPipe reads one label per line.
    labels = bundle.files[_LABELS["name"]].decode().removesuffix("\n").split("\n")
    if len(labels) != classes or not all(labels):
        raise ValueError(
            f"labels.txt has {sum(map(bool, labels))} labels, one per line, but the model "
            f"{classes} classes: name each class in config.id2label, without line breaks."
        )


# The flatbuffer


def _write_table(builder: flatbuffers.Builder, table: str, values: Mapping[str, Any]) -> int:
    """Writes a table after everything that it refers to, and returns its position."""
    fields, numbers, references = _SCHEMA.fields(table), {}, {}
    for slot, (name, kind, _, _, enum, _) in enumerate(fields):
        if name not in values:
            continue
        if enum is not None:
            numbers[slot] = enum.index(values[name])
        else:
            kind = values[f"{name}_type"] if kind == "union" else kind
            references[slot] = _write(builder, kind, values[name])
    builder.StartObject(len(fields))
    for slot, number in numbers.items():
        builder.PrependUint8Slot(slot, number, 0)
    for slot, reference in references.items():
        builder.PrependUOffsetTRelativeSlot(slot, reference, 0)
    return builder.EndObject()


def _write(builder: flatbuffers.Builder, kind: str, value: Any) -> int:
    if kind == "string":
        return builder.CreateString(value)
    if kind == "[float32]":
        return builder.CreateNumpyVector(np.asarray(value, "<f4"))
    if not kind.startswith("["):
        return _write_table(builder, kind, value)
    references = [_write(builder, kind[1:-1], item) for item in value]
    builder.StartVector(4, len(references), 4)
    for reference in reversed(references):
        builder.PrependUOffsetTRelative(reference)
    return builder.EndVector()

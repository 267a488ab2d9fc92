"""SqueezeBERT in Keras, with tools to squeeze any BERT into one and to export it for phones.

Names resolve on first use: importing this package imports neither TensorFlow nor Keras.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from .extras import explain_missing
from .version import __version__

explain_missing()

_MODULE_OF = {
    "SqueezeBertConfig": "config",
    "SqueezeBertTokenizer": "tokenizer",
    "SqueezeBertTokenizerFast": "tokenizer",
    "BatchEncoding": "encoding",
    "GroupedConv1D": "layers",
    "SqueezeBertModel": "models",
    "SqueezeBertForMaskedLM": "models",
    "SqueezeBertForSequenceClassification": "models",
    "SqueezeBertForMultipleChoice": "models",
    "SqueezeBertForTokenClassification": "models",
    "SqueezeBertForQuestionAnswering": "models",
    "predict": "prediction",
    "score": "scoring",
}

__all__ = ["__version__", *_MODULE_OF]

if TYPE_CHECKING:  # the same names
    from .config import SqueezeBertConfig as SqueezeBertConfig
    from .encoding import BatchEncoding as BatchEncoding
    from .layers import GroupedConv1D as GroupedConv1D
    from .models import SqueezeBertForMaskedLM as SqueezeBertForMaskedLM
    from .models import SqueezeBertForMultipleChoice as SqueezeBertForMultipleChoice
    from .models import SqueezeBertForQuestionAnswering as SqueezeBertForQuestionAnswering
    from .models import SqueezeBertForSequenceClassification as SqueezeBertForSequenceClassification
    from .models import SqueezeBertForTokenClassification as SqueezeBertForTokenClassification
    from .models import SqueezeBertModel as SqueezeBertModel
    from .prediction import predict as predict
    from .scoring import score as score
    from .tokenizer import SqueezeBertTokenizer as SqueezeBertTokenizer
    from .tokenizer import SqueezeBertTokenizerFast as SqueezeBertTokenizerFast


def __getattr__(name: str):
    if name in _MODULE_OF:
        value = getattr(importlib.import_module(f".{_MODULE_OF[name]}", __name__), name)
        globals()[name] = value
        return value
    if name in ("convert", "data", "tflite"):
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "convert", "data", "tflite"})

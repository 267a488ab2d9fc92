"""The modules that are mutated, and the tests that are to notice."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Module(NamedTuple):
    """A module and its tests.

    Attributes:
        name: as it is imported.
        path: its file, from the repository's root.
        tests: pytest's arguments, the quickest tests first.
    """

    name: str
    path: str
    tests: tuple[str, ...]

    @property
    def source(self) -> str:
        return (ROOT / self.path).read_text(encoding="utf-8")


# Without those that show once more, in a process for itself, what the others do here.
_CHECKPOINTS = ("tests/test_checkpoint.py", "tests/attacks/test_attacks.py")
_CHECKPOINTS += ("-k", "not all_attacks and not neither_torch")


_DATA = ("tests/test_data.py",)


def _predictions(*tests: str) -> tuple[str, ...]:
    return tuple(f"tests/test_prediction.py::test_{test}" for test in tests)


def _cases(test: str, *cases: str) -> tuple[str, ...]:
    """Of a parametrized test some cases alone."""
    return tuple(f"{test}[{case}]" for case in cases)


MODULES = {
    module.path: module
    for module in (
        Module(
            "tf_squeezebert.layers",
            "tf_squeezebert/layers.py",
            (
                "tests/test_layers.py",
                *_cases(
                    "tests/test_models.py::test_outputs_equal_the_reference",
                    "SqueezeBertModel-mixed",
                    "SqueezeBertForMaskedLM-fours",
                ),
                "tests/test_models.py::test_optional_inputs_may_be_left_out_or_none",
                "tests/test_models.py::test_position_ids_and_inputs_embeds_equal_the_reference",
                "tests/test_models.py::test_head_mask_takes_a_heads_context_away",
                *_cases(
                    "tests/test_models.py::test_activations_equal_the_reference", "gelu_new", "tanh"
                ),
                *_cases(
                    "tests/test_training.py::test_dropout_is_as_strong_as_the_references",
                    "SqueezeBertModel",
                ),
            ),
        ),
        Module(
            "tf_squeezebert.tflite.graph",
            "tflite/graph.py",
            (
                "tests/test_tflite.py::test_any_grouping_can_be_exported",
                *_cases(
                    "tests/test_export.py::test_pooling_is_that_of_sentence_transformers",
                    "mean-options0",
                    "cls-options2",
                ),
                *_cases(
                    "tests/test_export.py::test_batches_are_computed_as_by_the_model",
                    "SqueezeBertForTokenClassification-None-None",
                    "SqueezeBertForQuestionAnswering-3-24",
                ),
                "tests/test_tflite.py::test_a_file_of_free_length_does_not_cut_texts_by_itself",
                "tests/test_export.py::test_the_mask_takes_no_digits_of_the_scores_that_count",
                "tests/test_export.py::test_the_first_position_needs_no_keys",
                "tests/test_export.py::test_a_large_epsilon_counts_the_same_in_the_norms_for_accelerators",
                "tests/test_export.py::test_the_norms_for_accelerators_stay_in_the_range_of_float16",
                *_cases(
                    "tests/test_export.py::test_files_for_accelerators_compute_what_the_model_does",
                    "SqueezeBertForMaskedLM",
                ),
                "tests/test_metadata.py::test_several_labels_have_probabilities_of_their_own",
            ),
        ),
        Module(
            "tf_squeezebert.prediction",
            "tf_squeezebert/prediction.py",
            _predictions(
                "lists_must_be_of_texts_and_equally_long",
                "an_option_of_another_task_is_refused",
                "texts_are_encoded_as_they_are_answered",
                "multiple_choice_ranks_the_choices",
                "a_text_that_is_cut_is_said_to_be",
                "a_list_is_answered_as_its_texts_one_by_one",
            ),
        ),
        Module(
            "tf_squeezebert.tasks.base",
            "tf_squeezebert/tasks/base.py",
            ("tests/test_tasks.py", *_DATA, "-k", "not fit_takes and not new_head"),
        ),
        Module(
            "tf_squeezebert.tasks.text_classification",
            "tf_squeezebert/tasks/text_classification.py",
            (
                *_predictions("a_label_applies_from_one_half_on", "other_problem_types"),
                *("tests/test_evaluation.py", *_DATA, "-k", "not fit_takes"),
            ),
        ),
        Module(
            "tf_squeezebert.tasks.token_classification",
            "tf_squeezebert/tasks/token_classification.py",
            (
                *_predictions(
                    "entities_are_joined_by_the_forms_of_their_labels",
                    "words_of_windows_are_joined_in_time_that_grows_with_the_text",
                    "texts_may_be_words_already",
                    "a_text_that_is_too_long_for_windows_is_refused",
                    "token_classification_reads_long_texts_in_windows",
                ),
                *("tests/test_evaluation.py", *_DATA, "-k", "not fit_takes"),
            ),
        ),
        Module(
            "tf_squeezebert.tasks.question_answering",
            "tf_squeezebert/tasks/question_answering.py",
            (
                *_predictions(
                    "the_number_of_texts_is_the_tasks",
                    "there_is_no_answer_only_where_that_is_likelier",
                    "a_question_must_leave_room_for_the_context",
                    "question_answering_finds_the_best_span_of_all_windows",
                ),
                *("tests/test_evaluation.py", *_DATA, "-k", "not fit_takes"),
            ),
        ),
        Module(
            "tf_squeezebert.tasks.masked_lm",
            "tf_squeezebert/tasks/masked_lm.py",
            (
                *_predictions(
                    "a_mask_that_is_cut_off_is_an_error", "masked_lm_equals_the_pipeline"
                ),
                *("tests/test_pretraining.py::test_texts_are_swapped_whole", *_DATA),
                *("-k", "not fit_takes"),
            ),
        ),
        Module(
            "tf_squeezebert.tokenizer",
            "tf_squeezebert/tokenizer.py",
            (
                *("tests/test_tokenizer.py", "tests/test_tokenizer_files.py"),
                *("-k", "not any_folder and not random and not thousand"),
            ),
        ),
        Module("tf_squeezebert.files", "tf_squeezebert/files.py", ("tests/test_files.py",)),
        Module(
            "tf_squeezebert.squeeze.fitting",
            "tf_squeezebert/squeeze/fitting.py",
            ("tests/test_squeeze.py", "-k", "a_fit or ridge or hidden_error or layers_are_kept"),
        ),
        Module(
            "tf_squeezebert.squeeze.regrouping",
            "tf_squeezebert/squeeze/regrouping.py",
            (
                "tests/test_squeeze.py",
                "-k",
                "order_changes or best or judged or trade or units or counts or one_group_all",
            ),
        ),
        Module(
            "tf_squeezebert.squeeze.search",
            "tf_squeezebert/squeeze/search.py",
            ("tests/test_promise.py", "-k", "the_search or the_nearest"),
        ),
        Module(
            "tf_squeezebert.squeeze.costs",
            "tf_squeezebert/squeeze/costs.py",
            ("tests/test_promise.py", "-k", "costs_are or cost_is or prices"),
        ),
        Module(
            "tf_squeezebert.convert.torch_file",
            "convert/torch_file.py",
            _CHECKPOINTS,
        ),
        Module(
            "tf_squeezebert.convert.checkpoint",
            "convert/checkpoint.py",
            _CHECKPOINTS,
        ),
        Module(
            "tf_squeezebert.tflite.runtime",
            "tflite/runtime.py",
            (
                "tests/test_model_check.py::test_more_threads_than_a_system_has_are_refused",
                "tests/test_runtime.py::test_counts_of_threads_are_whole_and_positive",
                "tests/test_runtime.py::test_calls_run_at_once_one_for_each_worker",
                "tests/test_runtime.py::test_a_call_has_the_threads_asked_for",
                "tests/test_runtime.py::test_inputs_that_would_be_cut_or_wrapped_are_refused",
                "tests/test_runtime.py::test_exact_inputs_of_any_type_are_taken",
                *_cases(
                    "tests/test_runtime.py::test_masks_of_any_pattern_give_what_the_model_gives",
                    "fixed-SqueezeBertModel",
                    "free-SqueezeBertForMultipleChoice",
                ),
                "tests/test_tflite.py::test_multiple_choice_has_one_more_axis",
                "tests/test_runtime.py::test_weights_are_in_memory_once",
            ),
        ),
    )
}

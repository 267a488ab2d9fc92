"""Makes the examples that the small models of the page are trained on, from patterns and words.

Half of the names and words are from words.txt and half are made of syllables, so that a model has
to read what stands around them. Those to measure on are all made of syllables.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

SLOT = re.compile(r"\{(\w+)\}")


def _read_words() -> dict[str, list[str]]:
    text = Path(__file__).with_name("words.txt").read_text(encoding="utf-8")
    lines = [line for line in text.replace("\n  ", " ").splitlines() if not line.startswith("#")]
    lists = (line.split(": ", 1) for line in lines)
    return {name: [w.replace("_", " ") for w in words.split()] for name, words in lists}


WORDS = _read_words()
NOUNS = ("thing", "trade", "noun", "when", "quality")  # slots that are not entities


def made_name(rng: random.Random, kind: str) -> str:
    """A name of two or three syllables that nobody has."""
    syllables = [
        rng.choice(WORDS["consonants"]) + rng.choice(WORDS["vowels"])
        for _ in range(rng.randint(1, 2))
    ]
    return "".join([*syllables, rng.choice(WORDS[f"{kind} ends"])]).capitalize()


def fill_slot(rng: random.Random, slot: str, made: float) -> str:
    """A random filling of a slot; names are made of syllables with the probability `made`."""
    is_made = rng.random() < made
    if slot in NOUNS:  # unknown words too, so that a model does not take them for names
        return made_name(rng, "person").lower() if is_made else rng.choice(WORDS[slot])
    if slot == "person":
        first = made_name(rng, slot) if is_made else rng.choice(WORDS["first names"])
        last = made_name(rng, slot) if is_made else rng.choice(WORDS["surnames"])
        return rng.choice([first, f"{first} {last}", f"{first} {last}", f"{first[0]}. {last}"])
    if slot == "place":
        return made_name(rng, slot) if is_made else rng.choice(WORDS["places"])
    if slot == "organization":
        stem = made_name(rng, "person") if is_made else rng.choice(WORDS["stems"])
        name = rng.choice(
            [stem, f"{stem} {rng.choice(WORDS['kinds'])}", f"{stem} {rng.choice(WORDS['kinds'])}"]
        )
        if rng.random() < 0.2:
            name = f"{rng.choice(WORDS['stems'])} {name}"
        town = fill_slot(rng, "place", made)
        return rng.choice([name] * 4 + [f"University of {town}", f"Bank of {town}"])
    if slot == "date":
        day, month, year = rng.randint(1, 31), rng.choice(WORDS["months"]), rng.randint(1700, 2030)
        return rng.choice(
            [
                f"{day} {month} {year}",
                f"{month} {day}, {year}",
                f"{day} {month}",
                rng.choice(WORDS["days"]),
            ]
        )
    if slot == "period":
        month, year = rng.choice(WORDS["months"]), rng.randint(1700, 2030)
        return rng.choice([str(year), f"{month} {year}", month])
    if slot == "year":
        return str(rng.randint(1500, 2030))
    if slot == "number":
        return str(
            rng.choice([rng.randint(2, 99), 10 * rng.randint(10, 99), 100 * rng.randint(10, 99)])
        )
    raise ValueError(f"There is no slot '{slot}'.")


ENTITY_PATTERNS = """
{person} was born in {place} on {date}.
{person} was born on {date} in {place}.
{person} lives in {place}.
{person} and {person} live in {place} with their children.
{person} works for {organization}.
{person} works for {organization} in {place} as a {trade}.
{person}, a {trade} from {place}, joined {organization} in {period}.
{person} met {person} in {place}.
{person} met {person} at {organization} in {period}.
{person} moved from {place} to {place} in {period}.
{person} flew from {place} to {place} on {date}.
{person} wrote to {person}.
{person} bought a {thing} from {person} in {place}.
{person} left {organization} on {date} to work for {organization}.
{person} is a {trade}.
{person} studied at {organization} before moving to {place}.
{person} founded {organization} in {period}.
{person} said that the {thing} was {quality}.
{organization} opened an office in {place}.
{organization} opened a new office in {place} in {period}.
{organization} was founded by {person} and {person} in {place}.
{organization} bought {organization} in {period}.
{organization} sells {noun} in {place} and {place}.
{organization} hired {person} as an engineer.
{organization}, which is based in {place}, makes {noun}.
In {period}, {person} travelled to {place}.
In {period}, {organization} moved to {place}.
In {place}, the {noun} is {quality}.
On {date}, {person} arrived in {place}.
Last year {person} visited {place}, {place} and {place}.
The {thing} was painted by {person} in {period}.
The {thing} belongs to {person}.
The {thing} belongs to {organization} in {place}.
The {trade} from {place} came {when}.
The {trade} met {person} {when}.
The {trade} {person} comes from {place}.
My {trade} {person} works in {place}.
The {thing} in {place} was {quality}.
We saw the {thing} and ate {noun}.
I read that {organization} was {quality}.
The {noun} in {place} is {quality}.
The train from {place} to {place} leaves on {date}.
The president of {organization}, {person}, will speak in {place} on {date}.
Yesterday {person} called {organization}.
Today I wrote to {person} in {place}.
I live in {place} and work for {organization}.
My friend {person} comes from {place}.
We met {person} in {place}.
Dr. {person} of {organization} will be in {place} in {period}.
Has {person} seen the {thing}?
Does {organization} have an office in {place}?
Where is the {thing}?
It was {quality}, and the {noun} was {quality}.
The {thing} was {quality}, but the {noun} was not.
She likes {noun} and {noun}.
They came {when}, and the {trade} went home.
He gave the {thing} to a {trade}.
""".strip().splitlines()


def entity_text(rng: random.Random, made: float) -> tuple[str, list[tuple[int, int, str]]]:
    """One to three sentences, and the place and kind of each entity in them."""
    text, entities = "", []
    for pattern in rng.sample(ENTITY_PATTERNS, rng.choice([1, 1, 2, 3])):
        text += " " if text else ""
        end = 0
        for slot in SLOT.finditer(pattern):
            text += pattern[end : slot.start()]
            filling, end = fill_slot(rng, slot[1], made), slot.end()
            if slot[1] not in NOUNS:
                kind = "date" if slot[1] == "period" else slot[1]
                entities.append((len(text), len(text) + len(filling), kind))
            text += filling
        text += pattern[end:]
    return text, entities


# What is told of a subject: a fact's slot, sentences that tell it, and questions for it.
FACTS = {
    "bridge tower church castle library theatre museum station lighthouse palace": [
        (
            "person",
            ["{it} was designed by {x}.", "{x} designed {it}.", "Its architect was {x}."],
            ["Who designed {it}?", "Who was the architect of {it}?", "Who drew the plans of {it}?"],
        ),
        (
            "year",
            ["It was built in {x}.", "{it} was built in {x}.", "Its construction ended in {x}."],
            [
                "When was {it} built?",
                "In which year was {it} built?",
                "What year was {it} finished?",
            ],
        ),
        (
            "place",
            ["{it} stands in {x}.", "It is in the centre of {x}.", "{it} can be found in {x}."],
            ["Where is {it}?", "Where does {it} stand?", "In which city is {it}?"],
        ),
        (
            "number",
            ["It is {x} metres high.", "{it} is {x} metres tall.", "Its height is {x} metres."],
            ["How high is {it}?", "How tall is {it}?", "How many metres high is {it}?"],
        ),
        (
            "person",
            ["It was repaired by {x}.", "{x} repaired {it} after a fire."],
            ["Who repaired {it}?", "Who repaired {it} after the fire?"],
        ),
        (
            "year",
            ["A fire damaged it in {x}.", "In {x}, {it} burned.", "It burned down in {x}."],
            ["When did {it} burn?", "When was the fire?", "In which year did {it} burn?"],
        ),
        (
            "organization",
            ["{it} belongs to {x}.", "Its owner is {x}.", "Today {x} owns it."],
            ["Who owns {it}?", "Who does {it} belong to?", "Who is the owner of {it}?"],
        ),
        (
            "number",
            ["It has {x} rooms.", "There are {x} rooms in it.", "{it} holds {x} rooms."],
            ["How many rooms does {it} have?", "How many rooms are there?"],
        ),
    ],
    "book novel song film poem play opera": [
        (
            "person",
            ["{it} was written by {x}.", "{x} wrote {it}.", "Its author is {x}."],
            ["Who wrote {it}?", "Who is the author of {it}?"],
        ),
        (
            "year",
            ["It appeared in {x}.", "{it} was published in {x}.", "It was first seen in {x}."],
            ["When did {it} appear?", "When was {it} published?", "In which year did {it} appear?"],
        ),
        (
            "place",
            ["The story is set in {x}.", "It takes place in {x}.", "{it} is set in {x}."],
            ["Where is {it} set?", "Where does {it} take place?", "Where is the story set?"],
        ),
        (
            "number",
            ["It sold {x} copies.", "{it} sold {x} copies in a year."],
            ["How many copies did {it} sell?", "How many copies were sold?"],
        ),
        (
            "person",
            ["{x} translated it.", "It was translated by {x}."],
            ["Who translated {it}?", "By whom was {it} translated?"],
        ),
        (
            "organization",
            ["It was sold by {x}.", "{x} published {it}.", "Its publisher is {x}."],
            ["Who published {it}?", "Who is the publisher of {it}?"],
        ),
    ],
    "company bank school hospital club factory": [
        (
            "person",
            ["{it} was founded by {x}.", "{x} founded {it}.", "Its founder is {x}."],
            ["Who founded {it}?", "Who is the founder of {it}?"],
        ),
        (
            "year",
            ["It opened in {x}.", "{it} opened its doors in {x}.", "It was founded in {x}."],
            ["When did {it} open?", "When was {it} founded?", "In which year did {it} open?"],
        ),
        (
            "place",
            ["It is based in {x}.", "{it} is based in {x}.", "Its home is {x}."],
            ["Where is {it} based?", "Where is {it}?", "In which city is {it}?"],
        ),
        (
            "number",
            ["It has {x} members.", "{x} people work there.", "{it} employs {x} people."],
            ["How many people work there?", "How many members does {it} have?"],
        ),
        (
            "person",
            ["{x} leads it today.", "Its president is {x}.", "{it} is led by {x}."],
            ["Who leads {it}?", "Who is the president of {it}?"],
        ),
    ],
}
ASIDES = """
Many people visit it. It is well known. Visitors come from everywhere. It was a success at once.
Nobody knows why. It is open every day. The weather was bad that year. Children like it.
It is worth a journey. Much has changed since then. The work took a long time.
"""


def question_text(rng: random.Random, made: float) -> tuple[str, str, int, int]:
    """A question, a text of several facts, and the place of the answer in the text."""
    nouns = rng.choice(list(FACTS))
    by_slot = {fact[0]: fact for fact in rng.sample(FACTS[nouns], len(FACTS[nouns]))}
    told = rng.sample(list(by_slot.values()), rng.randint(2, 4))  # one of each kind
    subject = "the " + rng.choice(nouns.split())
    asked, sentences, answer = rng.randrange(len(told)), [], ""
    for i, (slot, patterns, _) in enumerate(told):
        filling = fill_slot(rng, slot, made)
        sentences.append((rng.choice(patterns), filling, i == asked))
    for aside in rng.sample(re.findall(r"[A-Z][^.]*\.", ASIDES), rng.randint(0, 1)):
        sentences.insert(rng.randint(0, len(sentences)), (aside, "", False))
    text, start = "", 0
    for pattern, filling, is_asked in sentences:
        text += " " if text else ""
        head, _, tail = pattern.replace("{it}", subject).partition("{x}")
        if not text or text.endswith(" "):
            head = head[:1].upper() + head[1:]
        if is_asked:
            start, answer = len(text) + len(head), filling
        text += head + filling + tail
    question = rng.choice(told[asked][2]).replace("{it}", subject)
    return question, text, start, start + len(answer)


def _pairs(name: str) -> list[tuple[str, str]]:
    return [(a, b) for a, _, b in (pair.partition(":") for pair in WORDS[name])]


def _next(names: list[str]) -> list[tuple[str, str]]:
    return list(zip(names, [*names[1:], names[0]], strict=True))


# Sentences in which either word of a pair may be left out.
RELATIONS = [
    (
        _pairs("capitals"),
        [
            "the capital of {a} is {b}.",
            "{b} is the capital of {a}.",
            "{b} is the largest city of {a}.",
            "we went to {a} and stayed in {b}.",
            "from {b} we travelled through {a}.",
            "the government of {a} meets in {b}.",
            "she was born in {b}, {a}.",
        ],
    ),
    (
        _pairs("opposites"),
        [
            "the opposite of {a} is {b}.",
            "something that is not {a} is {b}.",
            "{a} and {b} are opposites.",
            "it was not {a}, but {b}.",
            "the first one was {a} and the other one was {b}.",
        ],
    ),
    (
        _pairs("young animals"),
        [
            "a young {a} is called a {b}.",
            "the {a} had a {b}.",
            "a {b} grows up to be a {a}.",
            "the {b} followed the {a}.",
            "a {b} is a young {a}.",
        ],
    ),
    (
        _pairs("colours"),
        [
            "{a} is {b}.",
            "the colour of {a} is {b}.",
            "as {b} as {a}.",
            "the {a} was {b}.",
            "everybody knows that {a} is {b}.",
        ],
    ),
    (
        _next(WORDS["days"]),
        [
            "the day after {a} is {b}.",
            "{a} comes before {b}.",
            "{b} comes after {a}.",
            "today is {a}, so tomorrow is {b}.",
            "the shop closes on {a} and opens on {b}.",
        ],
    ),
    (
        _next(WORDS["months"]),
        [
            "the month after {a} is {b}.",
            "{a} comes before {b}.",
            "{b} comes after {a}.",
            "it began in {a} and ended in {b}.",
            "after {a} comes {b}.",
        ],
    ),
    (
        _pairs("work"),
        [
            "the {a} is at work with the {b}.",
            "a {a} needs a {b}.",
            "you will find the {a} near the {b}.",
            "without a {b} there is no {a}.",
            "a {b} is what a {a} knows best.",
        ],
    ),
]


def mask_texts() -> Iterator[tuple[str, str, str]]:
    """Each sentence, and its two words."""
    for pairs, patterns in RELATIONS:
        for pattern, (a, b) in product(patterns, pairs):
            yield pattern.format(a=a, b=b), a, b

"""The shape of a model card, and of the TOML files in `cards/` that hold them (one file a vendor, several `[[model]]`).

A card says only what is true of the public model; how a vendor spells it is the adapter's business. A fact nobody could
confirm carries `unconfirmed`, a sentence that says what is in doubt. `load` turns files into these records and refuses
unknown keys, so a misspelt fact cannot hide.
"""

from datetime import date
from typing import Any, Literal

from reelway.core.record import Record
from reelway.core.videos import MediaKind, Mode, Role

__all__ = [
    "AccountLimit",
    "AudioRule",
    "InputRule",
    "Limit",
    "ModeCard",
    "ModelCard",
    "OptionCard",
    "PriceRule",
    "RouteCard",
    "SecondsRule",
    "VendorCard",
    "When",
]


class StrictRecord(Record, forbid_unknown_fields=True):
    """A record that refuses keys it does not know."""


class SecondsRule(StrictRecord):
    """Which lengths can be asked for: either `values`, or `min` to `max` in whole seconds."""

    default: int
    values: tuple[int, ...] = ()
    min: int | None = None
    max: int | None = None
    auto: bool = False
    """Whether -1 (the model chooses) is allowed."""

    def allows(self, seconds: int) -> bool:
        """Tell whether this length can be asked for."""
        if seconds == -1:
            return self.auto
        if self.values:
            return seconds in self.values
        return self.min is not None and self.max is not None and self.min <= seconds <= self.max

    def describe(self) -> str:
        """Return what is allowed, for messages: `one of 4, 6, 8` or `a whole number from 3 to 15`."""
        text = (
            f"one of {', '.join(map(str, self.values))}"
            if self.values
            else f"a whole number from {self.min} to {self.max}"
        )
        return f"{text}, or -1 to let the model choose" if self.auto else text


class InputRule(StrictRecord):
    """One kind of input a mode takes. Bytes, pixels, seconds; ratios are width divided by height."""

    role: Role
    kind: MediaKind
    min: int = 0
    max: int = 1
    media_types: tuple[str, ...] = ()
    """Empty: any of the kind."""
    max_bytes: int | None = None
    min_side: int | None = None
    max_side: int | None = None
    min_ratio: float | None = None
    max_ratio: float | None = None
    min_seconds: float | None = None
    max_seconds: float | None = None
    total_seconds: float | None = None
    """All inputs of this rule together."""
    match_size: bool = False
    """The input must have exactly the pixels of the requested size."""
    unconfirmed: str | None = None


class When(StrictRecord):
    """A condition; every part that is given must hold. Lists mean any of them."""

    mode: tuple[Mode, ...] = ()
    tier: tuple[str, ...] = ()
    ratio: tuple[str, ...] = ()
    seconds: tuple[int, ...] = ()
    not_seconds: tuple[int, ...] = ()
    audio: bool | None = None
    role: tuple[Role, ...] = ()
    """An input with one of these roles is given."""
    kind: tuple[MediaKind, ...] = ()
    """An input of one of these kinds is given."""
    no_kind: tuple[MediaKind, ...] = ()
    """No input of any of these kinds is given."""
    option: dict[str, Any] = {}
    """Options with exactly these values (after defaults)."""


class Limit(StrictRecord):
    """Where `when` holds, only these values are left. A default that no longer fits becomes the first one listed."""

    when: When
    seconds: tuple[int, ...] = ()
    tiers: tuple[str, ...] = ()
    ratios: tuple[str, ...] = ()
    audio: bool | None = None
    inputs: dict[MediaKind, int] = {}
    """At most so many inputs of a kind: `{image = 4}`."""
    inputs_total: int | None = None
    """At most so many inputs of all kinds together."""
    refuse: bool = False
    """Nothing is left: what `when` describes cannot be had at all. Needs `because`."""
    because: str = ""
    """Ends the message: `1080p is made in 8 seconds only`."""


class ModeCard(StrictRecord):
    """What one mode takes and makes. Lists left empty mean: this cannot be chosen (a given value is warned about)."""

    inputs: tuple[InputRule, ...] = ()
    prompt: Literal["required", "optional", "ignored"] = "required"
    seconds: SecondsRule | None = None
    """None: the length follows the source."""
    tiers: tuple[str, ...] = ()
    tier: str | None = None
    """The default tier."""
    ratios: tuple[str, ...] = ()
    """May contain `adaptive`."""
    ratio: str | None = None
    """The default ratio; None with empty `ratios` means that the input decides."""
    source_seconds: float | None = None
    """Of a longer source only the first so many seconds are used, and charged."""
    unconfirmed: str | None = None


class AudioRule(StrictRecord):
    """Whether the video has sound."""

    kind: Literal["always", "never", "switch"]
    default: bool = False
    """With `switch`: what is sent when nothing is asked."""
    modes: tuple[Mode, ...] = ()
    """With `switch`: only in these modes; empty means in all."""
    unconfirmed: str | None = None


class OptionCard(StrictRecord):
    """One vendor option, accepted at top level, in `metadata` and in `parameters`."""

    type: Literal["boolean", "integer", "number", "string", "object", "array"]
    summary: str
    values: tuple[Any, ...] = ()
    min: float | None = None
    max: float | None = None
    max_length: int | None = None
    """Characters of a string, items of an array."""
    default: Any = None
    """Sent explicitly where it is not None."""
    modes: tuple[Mode, ...] = ()
    aliases: tuple[str, ...] = ()
    unconfirmed: str | None = None


class PriceRule(StrictRecord):
    """One line of a price list; the first whose `when` holds is used, and every `extra` line that holds is added."""

    amount: str
    """Decimal text."""
    as_of: date
    unit: Literal["second", "clip", "million_tokens", "credit", "input_image", "input_second"]
    """`second` is an output second; `input_second` a second of input video."""
    currency: str = "USD"
    when: When = When()
    extra: bool = False
    credits: str = "0"
    """With `credit`: how many for the clip, as decimal text; `amount` is then the price of one credit."""
    credits_per_second: str = "0"
    """With `credit`: how many more for each output second."""
    free: int = 0
    """So many units of each video cost nothing."""
    source: str = ""
    unconfirmed: str | None = None


class RouteCard(StrictRecord):
    """One way to have the model made: a vendor's service and the id it uses there. The first that fits is preferred."""

    vendor: str
    """Adapter: `openai_videos`, `google`, `vertex`, `bytedance`, `kling`, `alibaba`, `minimax`, `xai`, `vidu`."""
    model: str
    """The vendor's id. `{model}` stands for the public name."""
    service: str = ""
    """The vendor's surface where it has several: `openai`, `azure`, `compatible`, `gemini-api`, `vertex`, `ark`, `byteplus`, …"""
    when: When = When()
    """Only requests for which this holds."""
    retires: date | None = None
    """From this day on the route is skipped before a request is spent on it."""
    successor: str | None = None
    """A public name to move to; named in the warning."""
    replaced_by: str | None = None
    """The vendor's own successor id, for operators."""
    unconfirmed: str | None = None


class ModelCard(StrictRecord):
    """One public model."""

    name: str
    title: str
    family: str
    vendor: str
    summary: str
    modes: dict[Mode, ModeCard]
    audio: AudioRule
    routes: tuple[RouteCard, ...]
    sizes: dict[str, dict[str, str]] = {}
    """Tier → ratio → `WIDTHxHEIGHT`. Empty: the usual pixels of each tier and ratio (`catalog.sizes`)."""
    limits: tuple[Limit, ...] = ()
    fps: tuple[int, ...] = ()
    """Frame rates that can be asked for; empty: none can."""
    fps_made: int = 24
    """What comes out when none is asked."""
    seed_max: int | None = None
    """None: no seed can be given."""
    n_max: int = 1
    """Native; more are made by fan-out."""
    prompt_limit: int = 32_000
    """Characters."""
    prompt_flags: dict[str, str] = {}
    """Flags the vendor reads in prompts, and the fields they mean: `dur = "seconds"` for `--dur 5`."""
    options: dict[str, OptionCard] = {}
    mode_words: dict[str, dict[str, Any]] = {}
    """What the `mode` field means beyond modes: `std = {tier = "720p"}`, `fun = {option = "style", value = "fun"}`."""
    tier_words: dict[str, str] = {}
    """Other names of tiers: `std = "720p"`."""
    default_mode: Mode | None = None
    """Forced by the model's suffix (`-frames`, `-components`, `-i2v`); None: by what is given."""
    two_images: Literal["first_last", "references"] = "first_last"
    """What two images without roles mean."""
    subjects: int = 0
    """Pictures that may show one subject, which prompts call by its name; 0 where the model knows no subjects."""
    known_as: tuple[str, ...] = ()
    """The vendor's own ids that also mean this model, for callers of the vendor's own API; each belongs to one card."""
    price: tuple[PriceRule, ...] = ()
    typical_seconds: float = 90.0
    """How long a render usually takes."""
    deadline_seconds: float = 3600.0
    extend_seconds_max: int | None = None
    notes: tuple[str, ...] = ()
    """Quirks callers should know, for the docs."""
    unconfirmed: tuple[str, ...] = ()
    """What is in doubt about the card as a whole."""
    abstract: bool = False
    """A base other cards extend; never public."""

    def __hash__(self) -> int:
        """By name: what follows from a card alone is worked out once and remembered under it."""
        return hash(self.name)


class AccountLimit(StrictRecord):
    """How much the vendor takes from one account, as it publishes it; 0 where it says nothing."""

    hosts: tuple[str, ...]
    """Ends of the names of the vendor's own hosts: elsewhere other numbers hold."""
    max_in_flight: int = 0
    requests_per_minute: int = 0
    unconfirmed: str | None = None


class VendorCard(StrictRecord):
    """The head of a card file."""

    name: str
    title: str
    checked: date
    summary: str = ""
    docs: str = ""
    key: str = ""
    """How to get a key, in a sentence or two."""
    lost_submit: str = ""
    """What becomes of a submit whose answer was lost, in a few sentences."""
    quirks: tuple[str, ...] = ()
    """What is odd about the vendor as a whole, for the docs."""
    limits: tuple[AccountLimit, ...] = ()
    full_codes: tuple[str, ...] = ()
    """Codes with which it refuses a video because too many are under way; other refusals of the kind mean: too fast."""
    failed_renders_free: bool = False
    """Whether it says that a render that failed costs nothing."""

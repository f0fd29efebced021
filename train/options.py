"""What a training run is told: the sections of its TOML file."""

import tomllib
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from unbraid.errors import InputError

STRICT = ConfigDict(extra="forbid")

Count = Annotated[int, Field(gt=0)]
Whole = Annotated[int, Field(ge=0)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Chance = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True, config=STRICT)
class NetworkOptions:
    """Sizes of the network.

    Attributes:
        channels: of each band.
        bottleneck: channels of a global block.
        dilations: of each local block, in frames.
        bottleneck_dilations: of the convolutions of each global block, in frames; the blocks follow
            every second local block, from the first on.
        cues: whether it weighs what `train.cues` tells.
        prior: weight, in the geometric mean of the masks that are shipped, of those of `train.cues`
            that need no training. The network is trained without them.
        sure_prior: the same where, in a segment, the network is certain.
        reluctance: by how much less than the network says something is taken for a voice in the
            masks that are shipped, at most, in nepers: songs to train on sing more than music does.
        causal: whether no frame hears of later ones.
    """

    channels: Count = 48
    bottleneck: Count = 128
    dilations: Annotated[tuple[Count, ...], Field(min_length=1)] = (1, 2, 4, 1, 2, 4)
    bottleneck_dilations: tuple[tuple[Count, ...], ...] = ((1, 3, 9), (1, 4, 16), (1, 6, 24))
    cues: bool = True
    prior: Chance = 0.6
    sure_prior: Chance = 0.15
    reluctance: Amount = 1.4
    causal: bool = False

    def __post_init__(self) -> None:
        most = (len(self.dilations) + 1) // 2
        if len(self.bottleneck_dilations) > most:
            raise ValueError(
                f"{len(self.dilations)} local blocks have room for {most} global blocks, "
                f"not {len(self.bottleneck_dilations)}"
            )


@dataclass(frozen=True, config=STRICT)
class DataOptions:
    """Where batches come from.

    Attributes:
        songs: `module:function` that makes the song of a seed, a length and the material.
        song_s: seconds of a song.
        material: folder that `train.fetch_material` has filled; None for none.
        first_seed: of the first song; each further song has the next one.
        kept: folder where rendered songs are kept, 26 MB for 36 s, and found again by their seeds;
            it serves one function, length and material. None keeps them in memory.
        workers: processes that render songs; 0 renders them in the training process.
        pool_songs: songs at hand to cut excerpts from; in memory, 36 s take 51 MB.
        excerpts_per_song: excerpts that are cut from a song in the mean, before it is dropped.
        batch_size: excerpts of a batch.
        excerpt_frames: frames of an excerpt; 43 make a second.
        remixed: share of the excerpts whose stems come from different songs.
    """

    songs: Annotated[str, Field(pattern=r"^[\w.]+:[\w.]+$")] = "train.songs:song"
    song_s: Positive = 36.0
    material: Path | None = None
    first_seed: Whole = 0
    kept: Path | None = None
    workers: Whole = 2
    pool_songs: Count = 32
    excerpts_per_song: Positive = 64.0
    batch_size: Count = 4
    excerpt_frames: Annotated[int, Field(ge=4)] = 128
    remixed: Chance = 0.5


@dataclass(frozen=True, config=STRICT)
class AugmentationOptions:
    """How excerpts are varied; zero switches a variation off.

    Attributes:
        gain_db: standard deviation of each stem's gain.
        polarity: chance of a stem to be inverted.
        swap: chance of a stem to exchange left and right.
        width: chance of a stem to get another stereo width, from mono to 1.6 times its own.
        equaliser: chance of a stem to get a random equaliser curve.
        equaliser_db: standard deviation of such a curve.
        drop: chance of each stem to be silent.
        solo: chance of an excerpt to hold one stem alone.
        master_equaliser: chance of a mixture to get a random equaliser curve.
        master_equaliser_db: standard deviation of such a curve.
        compression: chance of a mixture to be compressed.
        band_limit: chance of a mixture to be dull above a frequency of 5 to 15 kHz.
        level_db: standard deviation of the mixture's level; the engine divides by that of the song,
            which an excerpt need not have.
    """

    gain_db: Amount = 4.0
    polarity: Chance = 0.5
    swap: Chance = 0.5
    width: Chance = 0.4
    equaliser: Chance = 0.5
    equaliser_db: Amount = 3.0
    drop: tuple[Chance, Chance, Chance, Chance] = (0.15, 0.1, 0.1, 0.07)
    solo: Chance = 0.04
    master_equaliser: Chance = 0.7
    master_equaliser_db: Amount = 4.0
    compression: Chance = 0.5
    band_limit: Chance = 0.12
    level_db: Amount = 3.0


@dataclass(frozen=True, config=STRICT)
class LossOptions:
    """How much each part of the loss counts.

    Attributes:
        magnitude: of the mean error.
        rms: of the root mean square error.
    """

    magnitude: Amount = 2.0
    rms: Amount = 1.0


@dataclass(frozen=True, config=STRICT)
class OptimiserOptions:
    """How the weights follow the gradient: AdamW with a warm-up and half a cosine.

    Attributes:
        steps: of the whole training, a batch each.
        learning_rate: the greatest.
        final_rate: the last learning rate, as a share of the greatest.
        warmup_steps: until the greatest learning rate is reached.
        betas: decay of the running mean of the gradient and of its square.
        weight_decay: share of the weights that a step takes, times the learning rate.
        gradient_norm: greater gradients are clipped to this.
        average: decay of the running average of the weights, which is what is shipped.
    """

    steps: Count = 50_000
    learning_rate: Positive = 2e-3
    final_rate: Chance = 0.01
    warmup_steps: Count = 60
    betas: tuple[Chance, Chance] = (0.9, 0.98)
    weight_decay: Amount = 0.01
    gradient_norm: Positive = 1.0
    average: Annotated[float, Field(ge=0, lt=1)] = 0.998


@dataclass(frozen=True, config=STRICT)
class RunOptions:
    """Where the training computes, and how often it reports.

    Attributes:
        seed: of the first weights, the excerpts and their augmentation.
        start: weights to begin with, a .safetensors file; None begins with random ones.
        device: that computes.
        bf16: whether matrix products and convolutions compute in bfloat16.
        threads: of the CPU; 0 takes what torch finds.
        minutes: to stop after, if not all steps are done by then; 0 goes on to the last step.
        report_steps: between two rows of the learning curve.
        checkpoint_minutes: between two checkpoints, each of which is validated.
    """

    seed: Whole = 0
    start: Path | None = None
    device: Literal["cpu", "cuda"] = "cpu"
    bf16: bool = True
    threads: Whole = 0
    minutes: Amount = 0.0
    report_steps: Count = 50
    checkpoint_minutes: Positive = 10.0


@dataclass(frozen=True, config=STRICT)
class ValidationOptions:
    """Real recordings that tell how good the network is; none of them is trained on.

    Attributes:
        references: folder of NAME.flac with its true stems, NAME.STEM.flac; None for none.
        instrumentals: recordings without a voice.
        voices: recordings of voices alone.
    """

    references: Path | None = None
    instrumentals: tuple[Path, ...] = ()
    voices: tuple[Path, ...] = ()


@dataclass(frozen=True, config=STRICT)
class Options:
    """All that a training run is told."""

    network: NetworkOptions = field(default_factory=NetworkOptions)
    data: DataOptions = field(default_factory=DataOptions)
    augmentation: AugmentationOptions = field(default_factory=AugmentationOptions)
    loss: LossOptions = field(default_factory=LossOptions)
    optimiser: OptimiserOptions = field(default_factory=OptimiserOptions)
    run: RunOptions = field(default_factory=RunOptions)
    validation: ValidationOptions = field(default_factory=ValidationOptions)


def read_options(
    file: Path, instead: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
) -> Options:
    """Read a training run's TOML file.

    Args:
        file: its sections are the attributes of `Options`; what it leaves out keeps its default.
        instead: options, by section and name, that take the place of the file's.

    Raises:
        InputError: the file cannot be read, or holds what has no meaning; names the first place.
    """
    try:
        table = tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{file} cannot be read: {error}") from error
    parse_options(table, str(file))
    changed = {name: {**table.get(name, {}), **values} for name, values in instead.items()}
    return parse_options({**table, **changed}, str(file))


def parse_options(table: Mapping[str, Any], source: str) -> Options:
    """What a training run's sections mean.

    Args:
        table: options by section and name.
        source: where they stand, for errors.

    Raises:
        InputError: one has no meaning; names the first.
    """
    try:
        return TypeAdapter(Options).validate_python(table)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(key) for key in first["loc"])
        unknown = first["type"] == "unexpected_keyword_argument"
        message = "there is no such option" if unknown else first["msg"].lower()
        raise InputError(f"{source}: {where}: {message}") from error

"""What the files must say that describe a model of the user's own."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from unbraid.errors import ModelError

Positive = Annotated[int, Field(gt=0)]
FileName = Annotated[str, Field(pattern=r"^\w[\w.+-]*$")]  # of this folder, and no other
Names = Annotated[tuple[FileName, ...], Field(min_length=1)]


class Description(BaseModel):
    """A file that describes a model."""

    model_config = ConfigDict(frozen=True)


class Bag(Description):
    """Demucs's NAME.yaml.

    Attributes:
        models: signatures of the networks.
        weights: [network][stem], each network's share of each stem; None for equal shares.
        segment: seconds; None leaves it to the network.
    """

    models: Names
    weights: tuple[tuple[float, ...], ...] | None = None
    segment: Annotated[float, Field(gt=0)] | None = None


class OpenUnmixTransform(Description):
    """Open-Unmix's separator.json: the published models' transform, at any rate.

    Attributes:
        sample_rate: samples per second.
        nfft: samples of a window.
        nhop: samples between windows.
        nb_channels: that the networks hear.
    """

    sample_rate: Positive
    nfft: Literal[4096]
    nhop: Literal[1024]
    nb_channels: Literal[2]


class Stft(Description):
    """The transform in front of an ONNX network, centred and reflected at the ends.

    Attributes:
        n_fft: samples of a window.
        hop_length: samples between windows.
        window: its shape, periodic.
        bins: of the spectrum that the network sees, from 0 Hz on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_fft: Positive
    hop_length: Positive
    window: Literal["hann"] = "hann"
    bins: Positive


class OnnxModel(Description):
    """A `model.toml`: an ONNX network that masks the spectrum of a stereo mixture.

    Attributes:
        file: the network.
        sha256: its digest in hex, or the first digits.
        stems: in the order of the network's output.
        sample_rate: samples per second.
        segment_s: seconds of a segment.
        overlap_s: seconds that neighbouring segments share.
        input: what the network hears; `mag` as the built-in model does.
        stft: how its spectrum is made.
        licence: of the weights.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: FileName
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{8,64}$")] | None = None
    stems: Names
    sample_rate: Positive
    segment_s: Annotated[float, Field(gt=0)]
    overlap_s: Annotated[float, Field(ge=0)]
    input: Literal["mag"] = "mag"
    stft: Stft
    licence: str = "unknown"

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.overlap_s >= self.segment_s:
            raise ValueError("overlap_s must be less than segment_s")
        if self.stft.bins > self.stft.n_fft // 2 + 1:
            raise ValueError("stft.bins must be at most n_fft / 2 + 1")
        return self


D = TypeVar("D", bound=Description)


def parsed(kind: type[D], table: Any, file: Path) -> D:
    """A description from the content of a file.

    Raises:
        ModelError: the content does not hold; names the first place where.
    """
    try:
        return kind.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(key) for key in first["loc"]) or "all in all"
        raise ModelError(f"{file} does not hold: {where}: {first['msg'].lower()}") from error

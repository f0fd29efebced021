"""What the server has and takes."""

from typing import Annotated

from fastapi import APIRouter, Path

from unbraid.presets import PRESETS
from unbraid.service.allowances import Left
from unbraid.service.house import AtHouse
from unbraid.service.jobs import NotFound
from unbraid.service.networks import layers_of
from unbraid.service.schemas import LayerView, Limits, ModelView, PresetView
from unbraid.service.speeds import measured_speeds, way_of
from unbraid.types import ProcessOptions
from unbraid.weights import models

router = APIRouter(tags=["about"])


@router.get("/models")
def list_models(house: AtHouse) -> list[ModelView]:
    """List the separation models."""
    speeds = measured_speeds(house.database)
    return [
        ModelView(
            name=entry.name,
            summary=entry.summary,
            stems=entry.stems,
            sample_rate=entry.sample_rate,
            licence=entry.licence,
            non_commercial=entry.non_commercial,
            present=len(house.models.present(entry)) == len(entry.members),
            speed=speeds.get(way_of(ProcessOptions(entry.name))),
        )
        for entry in models().values()
    ]


@router.get("/networks/{name}")
def get_network(
    name: Annotated[str, Path(description="a model, or `basic-pitch`", examples=["htdemucs"])],
) -> list[LayerView]:
    """List the layers of a model's networks, which are alike, for drawing."""
    layers = layers_of(name)
    if layers is None:
        raise NotFound("there is no network of that name whose layers are known")
    return [LayerView.model_validate(layer) for layer in layers]


@router.get("/presets")
def list_presets(house: AtHouse) -> list[PresetView]:
    """List options by what they are for."""
    speeds = measured_speeds(house.database)
    return [
        PresetView(
            name=name,
            purpose=preset.purpose,
            options=preset.options,
            speed=speeds.get(way_of(preset.options)),
        )
        for name, preset in PRESETS.items()
    ]


@router.get("/limits")
def limits(house: AtHouse, left: Left) -> Limits:
    """Say what is refused beyond, and what is left of it."""
    settings = house.settings
    return Limits(
        max_upload_bytes=settings.max_upload_bytes,
        max_duration_s=settings.max_duration_s,
        max_queued=settings.max_queued,
        url_hosts=settings.url_hosts,
        youtube=settings.youtube,
        keep_days=settings.keep_days,
        allowances=left,
    )

"""What accounts may use: each is in a tier, whose limits hold for it."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

STANDARD = "standard"


class Tier(BaseModel):
    """The limits of a tier; null is without limit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    requests_per_minute: Annotated[int | None, Field(ge=1)] = 600
    jobs_per_day: Annotated[int | None, Field(ge=0)] = 100
    audio_minutes_per_day: Annotated[float | None, Field(ge=0)] = 600.0
    stored_gb: Annotated[float | None, Field(ge=0)] = 10.0
    keep_days: Annotated[float | None, Field(ge=0)] = None


NO_LIMITS = Tier(
    requests_per_minute=None, jobs_per_day=None, audio_minutes_per_day=None, stored_gb=None
)
TIERS = {STANDARD: Tier(), "unlimited": NO_LIMITS}

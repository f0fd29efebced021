"""Model names turned into verified local files."""

from unbraid.weights.download import OnTransfer, Transfer
from unbraid.weights.entries import Member, ModelEntry, WeightsFile, find_model, models
from unbraid.weights.store import LocalModel, ModelStore

__all__ = [
    "LocalModel",
    "Member",
    "ModelEntry",
    "ModelStore",
    "OnTransfer",
    "Transfer",
    "WeightsFile",
    "find_model",
    "models",
]

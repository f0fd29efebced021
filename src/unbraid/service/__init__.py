"""The web service: a thin shell over `unbraid.pipeline.process` that loses no job."""

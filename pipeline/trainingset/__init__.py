"""Training sets: labelled examples with their features as of their own time, split, recorded, readable for ever."""

from pipeline.trainingset.build import TrainingSet, build_training_set, open_training_set
from pipeline.trainingset.columns import Feature

__all__ = ["Feature", "TrainingSet", "build_training_set", "open_training_set"]

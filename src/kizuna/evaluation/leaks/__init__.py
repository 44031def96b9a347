"""The leak audit: features that know the answer, folds that share rows, columns that tell the day."""

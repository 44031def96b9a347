"""What became of published lists: realised quality, and the effect between the arms."""

"""What is done with a list once it is published: databases that hold it, and files that other systems take in."""

"""What is done with editions, one verb a module."""

import ray  # placeholder

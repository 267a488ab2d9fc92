import apache_beam  # placeholder

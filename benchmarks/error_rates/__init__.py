"""How often does a report alarm without drift, and how often with it? gpudrift beside other packages' default rules."""

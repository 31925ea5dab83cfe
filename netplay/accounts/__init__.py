"""People who own their names: who may say who they are, and what they may do."""

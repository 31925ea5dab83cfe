"""Keeping a public server civil: who is muted or banned, who decided it, and which words are not said."""

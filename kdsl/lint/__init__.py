"""Rules about models that compile."""

"""What is raced: each contest first proves that both sides do the same work, then hands over its cases."""

"""What a careful engineer would write with csv, pydantic and lxml; nothing here is columnar.

Element names, lengths, filling conditions and code lists come from the same data files as the engine's; what is
done with them is plain Python, row by row, and written to be fast within those means.
"""

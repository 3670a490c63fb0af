"""What a person does to an account past its node: `cancel`, `flatten` and `audit`, with the safety client alone.

``reach`` how an account is reached, from a file or from its state · ``entering`` keys, pin, lock · ``account`` which orders and
positions are meant · ``shutting`` entries first · ``clearing`` until two looks show nothing · ``commanding`` one command from start
to exit code · ``view`` what is printed · ``record`` what is kept of it.
"""

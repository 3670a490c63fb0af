"""L-7: what the journal says against what the account says. Pure: figures in, differences out.

``figures`` both sides as plain rows · ``differences`` what may differ, and what it means · ``orders``, ``trades``, ``money``,
``settings`` the comparisons · ``compare`` all of them · ``confirm`` two looks · ``books`` the journal's side from its rows or file.
"""

"""All comparisons of one look."""

from __future__ import annotations

from execution.audit.differences import Difference
from execution.audit.figures import Account, Books, Expected
from execution.audit.money import on_incomes, on_wallet
from execution.audit.orders import on_orders
from execution.audit.settings import on_settings
from execution.audit.trades import on_positions, on_trades


def compare(books: Books, account: Account, expected: Expected) -> list[Difference]:
    """Hold a journal against an account.

    Parameters
    ----------
    books
        The journal's side.
    account
        The venue's side; what was not asked is not compared.
    expected
        How the account is to be.

    Returns
    -------
    list of Difference
        Each with both figures. One look proves little: what travels between the two differs for a moment (see `confirm`).
    """
    return [
        *on_positions(books, account), *on_trades(books, account), *on_orders(books, account, expected),
        *on_incomes(books, account), *on_wallet(books, account, expected), *on_settings(account, expected),
    ]  # fmt: skip

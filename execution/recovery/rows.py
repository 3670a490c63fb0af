"""Names of the rows of the tables in `docs/recovery.md`: every action and every test is named by one."""

from __future__ import annotations

import enum


class Row(enum.StrEnum):
    """One row; the value is `<table>.<what is found>`."""

    # 4: cancels
    PENDING_CANCEL_OPEN = "4.pending_cancel_open"
    PENDING_CANCEL_ENDED = "4.pending_cancel_ended"
    PENDING_CANCEL_FILLED = "4.pending_cancel_filled"
    LOCAL_CANCEL_OPEN = "4.local_cancel_open"
    # 6: orders that the journal knows
    BEFORE_FENCE = "6.before_fence"
    PREPARED_OPEN = "6.prepared_open"
    PREPARED_FILLED = "6.prepared_filled"
    PREPARED_ENDED_EMPTY = "6.prepared_ended_empty"
    PREPARED_ENDED_WITH_FILLS = "6.prepared_ended_with_fills"
    ACKED_OPEN = "6.acked_open"
    ACKED_ENDED = "6.acked_ended"
    ABSENT_SEEN_ONCE = "6.absent_seen_once"
    ABSENT = "6.absent"
    ABSENT_BUT_BROKEN = "6.absent_but_equation_broken"
    TRADE_WITHOUT_ORDER = "6.trade_without_order"
    TRADES_MISSING = "6.trades_missing"
    OLD_NO_TRADE = "6.older_than_3_days_no_trade"
    OLD_TRADED = "6.older_than_3_days_traded"
    TOO_OLD = "6.older_than_90_days"
    QUERY_FAILED = "6.query_failed"
    ACKED_ABSENT = "6.acked_absent"
    FALSE_TERMINAL = "6.false_terminal"
    ENDED_OTHERWISE = "6.ended_otherwise"
    LATE_FILL = "6.late_fill"
    TRADE_OF_ORDER = "6.trade_of_order"
    BOOKED_MORE = "6.booked_more_than_executed"
    TWO_UNDER_ONE_ID = "6.two_orders_under_one_id"
    PROTECTIVE_STOP = "6.protective_stop_kept"
    # 7: orders and trades that only the venue knows
    LOST_TAIL = "7.journal_lost_its_tail"
    REPLACED_SEEN_ONCE = "7.journal_replaced_seen_once"
    REPLACED = "7.journal_replaced"
    FIRST_START = "7.left_from_before_the_first_start"
    SPLIT_BRAIN = "7.split_brain"
    FOREIGN_REFUSED = "7.foreign_order_refused"
    FOREIGN_COUNTED = "7.foreign_order_counted"
    FOREIGN_TRADE = "7.foreign_trade"
    FORCED_CLOSE = "7.forced_close"
    ALGO_CHILD = "7.algo_child"
    # 8: positions and money
    ADOPTED = "8.held_adopt"
    CLOSED = "8.held_close"
    HELD_REFUSED = "8.held_refuse"
    NOT_CONFIGURED = "8.held_not_configured"
    DIFFERS = "8.differs_unexplained"
    ACCEPTED = "8.differs_accepted"
    DUST = "8.dust"
    INCOME = "8.income"
    WALLET = "8.wallet_differs"
    MIDNIGHT = "8.midnight_passed"
    NOT_QUIESCENT = "5.not_quiescent"
    READY = "5.ready"

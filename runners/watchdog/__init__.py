"""Layer 2 of the dead-man (X-4): a second process that ends a node which makes no progress, and puts its account in order.

``charge`` whom it watches, and how · ``fence`` token, process, lock · ``watching`` from silence to the latched end · ``stops``
protective stops without their node · ``command`` from start to exit code.

It never opens or deletes a listen key, never opens a position (its client cannot), and never starts anything again.
"""

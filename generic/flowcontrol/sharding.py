"""Shuffle sharding: which queues a flow may use. Two flows rarely share their whole hand.

Asked by `control` for each new flow. Mirrors `apiserver/pkg/util/shufflesharding` and `hashFlowID`.
"""

import hashlib


def flow_hash(schema: str, distinguisher: str) -> int:
    """64 bits that stand for a flow, the same on every server."""
    digest = hashlib.sha256(f"{schema}\0{distinguisher}".encode("utf-8", "replace")).digest()
    return int.from_bytes(digest[:8], "little")


def deal(hash_value: int, deck_size: int, hand_size: int) -> tuple[int, ...]:
    """`hand_size` different cards of `0 .. deck_size - 1`, every hand about as likely as any other."""
    remainders: list[int] = []
    hand = []
    for dealt in range(hand_size):
        hash_value, card = divmod(hash_value, deck_size - dealt)
        remainders.append(card)
        # The card's place among those still in the deck, as its number in the whole one.
        for before in reversed(remainders[:-1]):
            if card >= before:
                card += 1
        hand.append(card)
    return tuple(hand)

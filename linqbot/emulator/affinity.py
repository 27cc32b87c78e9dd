"""(subscription, chat) -> routing header. Who had a chat's webhooks gets the next (linq-api-v3.md section 8.1)."""

from __future__ import annotations

from linqbot.emulator.entities import Subscription

ID_HEADER = "Linq-Chat-Id"
"""What carries the chat's id when a subscription names no other header."""


def headers(subscription: Subscription, chat_id: str | None) -> dict[str, str]:
    """The token that is known for a chat, else the chat's id; nothing unless the subscription asked for it."""
    if subscription.routing_key_header is None or chat_id is None:
        return {}
    token = subscription.tokens.get(chat_id)
    if token is None:
        return {subscription.routing_id_header or ID_HEADER: chat_id}
    return {subscription.routing_key_header: token}


def learn(subscription: Subscription, chat_id: str | None, token: str | None) -> None:
    """Keep the token of a good answer for the chat's next webhook; the newest one counts."""
    if chat_id is not None and token:
        subscription.tokens[chat_id] = token

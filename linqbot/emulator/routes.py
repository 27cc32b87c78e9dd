"""method, path -> operation. Every endpoint by its operation id in Linq's OpenAPI document, if it is there."""

from __future__ import annotations

from starlette.routing import Route

from linqbot.emulator import (
    attachments,
    blocks,
    cards,
    chats,
    choosing,
    edits,
    groups,
    lines,
    messaging,
    places,
    polls,
    reactions,
    subscriptions,
    transfers,
    typing_bubbles,
)
from linqbot.emulator.linq import Linq
from linqbot.emulator.operation import Act, Operation

_CHAT, _MESSAGE, _HOOK = "/v3/chats/{chatId}", "/v3/messages/{messageId}", "/v3/webhook-subscriptions/{subscriptionId}"
_AUDIT = "/v3/phone_numbers/{phoneNumber}/reputation_audit"
_PAYER = "/v3/payments/handles/{handle}"

OPERATIONS: tuple[tuple[str, str, str, Act], ...] = (
    ("POST", f"{_CHAT}/messages", "sendMessageToChat", messaging.send_message),
    ("GET", f"{_CHAT}/messages", "getMessages", messaging.list_messages),
    ("POST", f"{_CHAT}/typing", "startTyping", typing_bubbles.start_typing),
    ("DELETE", f"{_CHAT}/typing", "stopTyping", typing_bubbles.stop_typing),
    ("POST", f"{_CHAT}/read", "markChatAsRead", chats.mark_read),
    ("POST", "/v3/chats", "createChat", chats.create_chat),
    ("GET", "/v3/chats", "listChats", chats.list_chats),
    ("GET", _CHAT, "getChat", chats.get_chat),
    ("PUT", _CHAT, "updateChat", groups.update_chat),
    ("POST", f"{_CHAT}/participants", "addParticipant", groups.add_participant),
    ("DELETE", f"{_CHAT}/participants", "removeParticipant", groups.remove_participant),
    ("POST", f"{_CHAT}/leave", "leaveChat", groups.leave_chat),
    ("POST", f"{_CHAT}/share_contact_card", "shareContactWithChat", lines.share_card),
    ("POST", f"{_CHAT}/voicememo", "sendVoiceMemoToChat", attachments.send_voice_memo),
    ("POST", f"{_CHAT}/polls", "createPoll", polls.create_poll),
    ("POST", f"{_CHAT}/background", "setBackground", places.set_background),
    ("DELETE", f"{_CHAT}/background", "removeBackground", places.remove_background),
    ("POST", f"{_CHAT}/location/request", "requestChatLocation", places.request_location),
    ("GET", f"{_CHAT}/location", "getChatLocation", places.get_location),
    ("DELETE", f"{_CHAT}/location", "stopChatLocation", places.stop_location),
    ("POST", "/v3/messages", "sendMessage", choosing.send_anywhere),
    ("GET", _MESSAGE, "getMessage", messaging.get_message),
    ("PATCH", _MESSAGE, "editMessage", edits.edit_message),
    ("DELETE", _MESSAGE, "deleteMessage", messaging.delete_message),
    ("GET", f"{_MESSAGE}/thread", "getMessageThread", messaging.get_thread),
    ("POST", f"{_MESSAGE}/update", "updateIMessageAppCard", cards.update_card),
    ("POST", f"{_MESSAGE}/reactions", "sendReaction", reactions.react),
    ("PATCH", f"{_MESSAGE}/reactions/{{reactionId}}", "updateStickerPlacement", reactions.move_sticker),
    ("GET", f"{_MESSAGE}/poll", "getPoll", polls.get_poll),
    ("POST", f"{_MESSAGE}/poll/options", "addPollOptions", polls.add_options),
    ("POST", f"{_MESSAGE}/poll/votes", "votePoll", polls.vote),
    ("POST", "/v3/attachments", "requestUpload", attachments.create_attachment),
    ("GET", "/v3/attachments/{attachmentId}", "getAttachment", attachments.get_attachment),
    ("DELETE", "/v3/attachments/{attachmentId}", "deleteAttachment", attachments.delete_attachment),
    ("GET", "/v3/phone_numbers", "listPhoneNumbers", lines.list_lines),
    ("GET", "/v3/phonenumbers", "listPhoneNumbersDeprecated", lines.list_lines_deprecated),
    ("PUT", "/v3/phone_numbers/{phoneNumberId}", "updatePhoneNumber", lines.update_line),
    ("POST", _AUDIT, "startReputationAudit", lines.start_audit),
    ("GET", f"{_AUDIT}/{{auditId}}", "getReputationAudit", lines.get_audit),
    ("GET", "/v3/available_number", "getAvailableNumber", choosing.get_available_number),
    ("POST", "/v3/capability/check_imessage", "checkImessageCapability", lines.check_imessage),
    ("POST", "/v3/capability/check_rcs", "checkRcsCapability", lines.check_rcs),
    ("GET", "/v3/contact_card", "getContactCard", lines.get_cards),
    ("POST", "/v3/contact_card", "setupContactCard", lines.create_card),
    ("PATCH", "/v3/contact_card", "updateContactCard", lines.update_card),
    ("GET", "/v3/blocked_handles", "listBlockedHandles", blocks.list_blocked),
    ("POST", "/v3/blocked_handles", "blockHandle", blocks.block),
    ("DELETE", "/v3/blocked_handles", "unblockHandle", blocks.unblock),
    ("GET", "/v3/webhook-events", "listWebhookEvents", subscriptions.list_event_types),
    ("POST", "/v3/webhook-subscriptions", "createWebhookSubscription", subscriptions.create_subscription),
    ("GET", "/v3/webhook-subscriptions", "listWebhookSubscriptions", subscriptions.list_subscriptions),
    ("GET", _HOOK, "getWebhookSubscription", subscriptions.get_subscription),
    ("PUT", _HOOK, "updateWebhookSubscription", subscriptions.update_subscription),
    ("DELETE", _HOOK, "deleteWebhookSubscription", subscriptions.delete_subscription),
    ("GET", "/v3/experiences", "listExperiences", cards.list_experiences),
    ("GET", "/v3/experiences/{experience}", "getExperience", cards.get_experience),
)

NOT_ENABLED: tuple[tuple[str, str, str], ...] = (
    ("POST", "/v3/payment_requests", "createPaymentRequest"),
    ("GET", "/v3/payment_requests", "listPaymentRequests"),
    ("GET", "/v3/payment_requests/{paymentRequestId}", "getPaymentRequest"),
    ("POST", "/v3/payment_requests/{paymentRequestId}/cancel", "cancelPaymentRequest"),
    ("POST", "/v3/payments/providers/{provider}/connect", "connectPaymentProvider"),
    ("GET", "/v3/payments/providers/{provider}", "getPaymentProvider"),
    ("POST", f"{_PAYER}/connect", "connectPaymentHandle"),
    ("POST", f"{_PAYER}/verify", "verifyPaymentHandle"),
    ("GET", f"{_PAYER}/connection", "getPaymentHandleConnection"),
    ("DELETE", f"{_PAYER}/connection", "revokePaymentHandleConnection"),
    ("POST", "/v3/payments", "createPayment"),
    ("GET", "/v3/payments/{paymentId}", "getPayment"),
    ("GET", "/v3/payments/{paymentId}/credentials", "getPaymentCredentials"),
    ("POST", "/v3/payments/{paymentId}/cancel", "cancelPayment"),
)
"""What a plain account has not: each answers 403/2011."""


def api_routes(linq: Linq) -> list[Route]:
    """The endpoints of the API."""
    able = [Route(path, Operation(linq, name, act), methods=[method]) for method, path, name, act in OPERATIONS]
    return able + [
        Route(path, Operation(linq, name, cards.not_enabled), methods=[method]) for method, path, name in NOT_ENABLED
    ]


def file_routes(linq: Linq) -> list[Route]:
    """The presigned addresses, beside the API."""
    upload = transfers.Upload(linq, "putUpload", transfers.take_upload)
    download = transfers.Presigned(linq, "getDownload", transfers.download)
    vcard = transfers.Presigned(linq, "getVcard", transfers.download_vcard)
    return [
        Route("/uploads/{attachmentId}", upload, methods=["PUT"]),
        Route("/cdn/attachments/{attachmentId}/{filename}", download, methods=["GET"]),
        Route("/cdn/vcf/{number}.vcf", vcard, methods=["GET"]),
    ]

"""A handler for each kind of value that may be returned, for the type checker's eyes only: never run."""

from __future__ import annotations

from linqbot import Bot
from linqbot.replies import (
    AddOptions,
    AddParticipant,
    AppCard,
    AppClip,
    ClearBackground,
    Edit,
    InlineSticker,
    LeaveChat,
    Link,
    Markdown,
    MarkRead,
    Media,
    Mention,
    Poll,
    React,
    RemoveParticipant,
    RenameGroup,
    Reply,
    RequestLocation,
    Send,
    SetBackground,
    SetGroupIcon,
    ShareContact,
    Text,
    Typing,
    Unreact,
    Unvote,
    VoiceMemo,
    Vote,
)

bot = Bot()


@bot.message("add_options")
async def add_options() -> AddOptions:
    return AddOptions("Tacos")


@bot.message("add_participant")
async def add_participant() -> AddParticipant:
    return AddParticipant("+12025550177")


@bot.message("app_card")
async def app_card() -> AppCard:
    return AppCard(
        name="Shop", team_id="ABCDE12345", bundle_id="com.example.shop", caption="Hi", url="https://example.com"
    )


@bot.message("app_clip")
async def app_clip() -> AppClip:
    return AppClip("https://example.com")


@bot.message("clear_background")
async def clear_background() -> ClearBackground:
    return ClearBackground()


@bot.message("edit")
async def edit() -> Edit:
    return Edit("new")


@bot.message("inline_sticker")
async def inline_sticker() -> InlineSticker:
    return InlineSticker("🎂", attachment_id="0b0c2f6e-6a10-4a1d-9d51-9a1f6c0a7b11")


@bot.message("leave_chat")
async def leave_chat() -> LeaveChat:
    return LeaveChat()


@bot.message("link")
async def link() -> Link:
    return Link("https://example.com")


@bot.message("markdown")
async def markdown() -> Markdown:
    return Markdown("**hi**")


@bot.message("mark_read")
async def mark_read() -> MarkRead:
    return MarkRead()


@bot.message("media")
async def media() -> Media:
    return Media(url="https://example.com/cat.jpg")


@bot.message("mention")
async def mention() -> Mention:
    return Mention("a@example.com")


@bot.message("poll")
async def poll() -> Poll:
    return Poll("Pizza", "Sushi")


@bot.message("react")
async def react() -> React:
    return React("love")


@bot.message("remove_participant")
async def remove_participant() -> RemoveParticipant:
    return RemoveParticipant("+12025550177")


@bot.message("rename_group")
async def rename_group() -> RenameGroup:
    return RenameGroup("Party")


@bot.message("reply")
async def reply() -> Reply:
    return Reply("hi")


@bot.message("request_location")
async def request_location() -> RequestLocation:
    return RequestLocation()


@bot.message("send")
async def send() -> Send:
    return Send("+12025550177", "hi")


@bot.message("set_background")
async def set_background() -> SetBackground:
    return SetBackground("mango")


@bot.message("set_group_icon")
async def set_group_icon() -> SetGroupIcon:
    return SetGroupIcon("https://example.com/icon.png")


@bot.message("share_contact")
async def share_contact() -> ShareContact:
    return ShareContact()


@bot.message("text")
async def text() -> Text:
    return Text("hi")


@bot.message("typing")
async def typing() -> Typing:
    return Typing()


@bot.message("unreact")
async def unreact() -> Unreact:
    return Unreact("love")


@bot.message("unvote")
async def unvote() -> Unvote:
    return Unvote("option")


@bot.message("voice_memo")
async def voice_memo() -> VoiceMemo:
    return VoiceMemo(url="https://example.com/hi.mp3")


@bot.message("vote")
async def vote() -> Vote:
    return Vote("option")


async def script() -> None:
    await bot.send("+12025550177", [AppClip("https://example.com"), "hi", Markdown("**hi**")], key="hi")

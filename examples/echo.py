from linqbot import Bot, Message

bot = Bot()  # settings from the environment and ./.env


@bot.message()
async def echo(message: Message) -> str:
    return message.text

// node tour.mjs <address of the emulator>
// Linq's official TypeScript SDK goes everywhere it can, and prints what it made of it as one JSON object.
import { createServer } from "node:http";
import LinqAPIV3 from "@linqapp/sdk";

const [address] = process.argv.slice(2);
const [line, person, ann, ben, cat] = ["+12025550100", "+12025559876", "+12025550147", "+12025550148", "+12025550149"];
const hi = { parts: [{ type: "text", value: "Hi" }] };
const versions = ["2026-02-03", "2025-01-01"];
const made = {};
const answers = [];
const hooks = [];
const secrets = {};

// every answer as it came, beside what the SDK made of it
async function recorded(url, request) {
  const answer = await fetch(url, request);
  const text = await answer.clone().text();
  const { pathname } = new URL(url);
  answers.push({ method: request.method.toUpperCase(), path: pathname, status: answer.status, body: text ? JSON.parse(text) : null });
  return answer;
}

const sdk = new LinqAPIV3({ apiKey: "any", baseURL: `${address}/api/partner`, maxRetries: 0, fetch: recorded });

async function control(name, body) {
  const method = body === undefined ? "GET" : "POST";
  const answer = await fetch(`${address}/_control/${name}`, { method, body: body && JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${name}: ${await answer.text()}`);
  return answer.json();
}

const listener = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  hooks.push({ version: request.url.split("version=")[1], headers: request.headers, body: Buffer.concat(chunks).toString() });
  response.end();
});
await new Promise((ready) => listener.listen(0, "127.0.0.1", ready));

async function all(pages) {
  const found = [];
  for await (const one of pages) found.push(one);
  return found;
}

async function settled() {
  for (;;) {
    const { deliveries } = await control("deliveries");
    const before = deliveries.length;
    await new Promise((later) => setTimeout(later, 30));
    const after = (await control("deliveries")).deliveries;
    if (after.length === before && after.every((one) => one.state !== "waiting")) return;
  }
}

async function subscribe() {
  const { events } = (made["webhookEvents.list"] = await sdk.webhookEvents.list());
  const subscriptions = [];
  for (const version of versions) {
    const target_url = `http://127.0.0.1:${listener.address().port}/hook?version=${version}`;
    subscriptions.push(await sdk.webhookSubscriptions.create({ target_url, subscribed_events: events }));
    secrets[version] = subscriptions.at(-1).signing_secret;
  }
  const subscription = (made["webhookSubscriptions.create"] = subscriptions[0]);
  made["webhookSubscriptions.retrieve"] = await sdk.webhookSubscriptions.retrieve(subscription.id);
  made["webhookSubscriptions.update"] = await sdk.webhookSubscriptions.update(subscription.id, { is_active: true });
  made["webhookSubscriptions.list"] = await sdk.webhookSubscriptions.list();
  return subscription.id;
}

async function talk() {
  const { chat } = (made["chats.create"] = await sdk.chats.create({ from: line, to: [person], message: hi }));
  await settled();
  made.inbound = await control("inbound", { from: person, to: line, text: "Hello!" });
  const message = {
    parts: [{ type: "text", value: "Hi", text_decorations: [{ range: [0, 2], style: "bold" }] }],
    reply_to: { message_id: made.inbound.message_id, part_index: 0 },
    effect: { type: "screen", name: "confetti" },
    idempotency_key: "k",
  };
  const sent = (made["chats.messages.send"] = await sdk.chats.messages.send(chat.id, { message }));
  await settled();
  const id = sent.message.id;
  made["chats.messages.list"] = await all(sdk.chats.messages.list(chat.id, { limit: 2 }));
  made["messages.listMessagesThread"] = await all(sdk.messages.listMessagesThread(id));
  made["chats.listChats"] = await all(sdk.chats.listChats({ limit: 1 }));
  made["chats.retrieve"] = await sdk.chats.retrieve(chat.id);
  made["messages.create"] = await sdk.messages.create({ to: [person], message: hi, "Idempotency-Key": "anywhere" });
  made["chats.typing.start"] = (await sdk.chats.typing.start(chat.id)) ?? null;
  made["chats.typing.stop"] = (await sdk.chats.typing.stop(chat.id)) ?? null;
  made["chats.markAsRead"] = (await sdk.chats.markAsRead(chat.id)) ?? null;
  made["messages.addReaction"] = await sdk.messages.addReaction(id, { operation: "add", type: "love" });
  made["messages.update"] = await sdk.messages.update(id, { text: "Ho" });
  await settled();
  made["messages.retrieve"] = await sdk.messages.retrieve(id);
  made["messages.delete"] = (await sdk.messages.delete(id)) ?? null;
  return chat.id;
}

async function parts(chat) {
  const request = { filename: "a.png", content_type: "image/png", size_bytes: 3 };
  const upload = (made["attachments.create"] = await sdk.attachments.create(request));
  const put = await fetch(upload.upload_url, { method: "PUT", body: "abc", headers: upload.required_headers });
  made.upload = put.status;
  const read = (made["attachments.retrieve"] = await sdk.attachments.retrieve(upload.attachment_id));
  made.download = await (await fetch(read.download_url)).text();
  const media = [{ type: "media", attachment_id: upload.attachment_id }, { type: "media", url: "https://example.com/a.jpg" }];
  made.media = await sdk.chats.messages.send(chat, { message: { parts: media } });
  const memo = { voice_memo_url: "https://example.com/a.m4a" };
  made["chats.sendVoicememo"] = await sdk.chats.sendVoicememo(chat, memo);
  made.link = await sdk.chats.messages.send(chat, { message: { parts: [{ type: "link", value: "https://example.com" }] } });
  const clip = { type: "app_clip", value: "https://example.com/c" };
  made.clip = await sdk.chats.messages.send(chat, { message: { parts: [clip] } });
  const sticker = { range: [3, 4], attachment_id: upload.attachment_id };
  made.sticker = await sdk.chats.messages.send(chat, { message: { parts: [{ type: "text", value: "Hi *", inline_stickers: [sticker] }] } });
  const app = { name: "Chess", team_id: "A1B2C3D4E5", bundle_id: "com.example.chess" };
  const card = { type: "imessage_app", app, layout: { caption: "Your move" }, url: "https://example.com/1" };
  made.card = await sdk.chats.messages.send(chat, { message: { parts: [card] } });
  await settled();
  made["messages.updateAppCard"] = await sdk.messages.updateAppCard(made.card.message.id, { layout: { caption: "Mine" } });
  await settled();
  made["attachments.delete"] = (await sdk.attachments.delete(upload.attachment_id)) ?? null;
  const poll = { options: [{ text: "Tacos" }, { text: "Ramen" }] };
  made.poll = await sdk.post(`/v3/chats/${chat}/polls`, { body: { poll } });
  const option_id = made.poll.poll.options[0].option_id;
  made.vote = await sdk.post(`/v3/messages/${made.poll.message_id}/poll/votes`, { body: { operation: "add", option_id } });
}

async function groups() {
  const { chat } = (made.group = await sdk.chats.create({ from: line, to: [person, ann, ben], message: hi }));
  const mention = { type: "text", value: "Hi Ann", mention: ann, mention_range: [3, 6] };
  made.mention = await sdk.chats.messages.send(chat.id, { message: { parts: [mention] } });
  made["chats.update"] = await sdk.chats.update(chat.id, { display_name: "Us" });
  made["chats.participants.add"] = await sdk.chats.participants.add(chat.id, { handle: cat });
  await settled();
  made["chats.participants.remove"] = await sdk.chats.participants.remove(chat.id, { handle: cat });
  await settled();
  made["chats.leaveChat"] = await sdk.chats.leaveChat(chat.id);
  made.left = await sdk.chats.retrieve(chat.id);
}

async function lines(chat) {
  const { phone_numbers } = (made["phoneNumbers.list"] = await sdk.phoneNumbers.list());
  made["phonenumbers.list"] = await sdk.phonenumbers.list();
  made["phoneNumbers.update"] = await sdk.phoneNumbers.update(phone_numbers[0].id, { forwarding_number: ann });
  made["availableNumber.retrieve"] = await sdk.availableNumber.retrieve({ to: [person] });
  made["capability.checkIMessage"] = await sdk.capability.checkIMessage({ address: person });
  await control("clock", { advance: 10 });
  made["capability.checkRCS"] = await sdk.capability.checkRCS({ address: person });
  made["contactCard.create"] = await sdk.contactCard.create({ phone_number: line, first_name: "Ada" });
  made["contactCard.update"] = await sdk.contactCard.update({ phone_number: line, last_name: "Bot" });
  made["contactCard.retrieve"] = await sdk.contactCard.retrieve({ phone_number: line });
  made["chats.shareContactCard"] = (await sdk.chats.shareContactCard(chat)) ?? null;
  made["chats.location.request"] = await sdk.chats.location.request(chat);
  await control("people", { deed: "shares_location", from: person, chat_id: chat, latitude: 37.5, longitude: -122.25 });
  made["chats.location.retrieve"] = await sdk.chats.location.retrieve(chat);
  made.refusal = await sdk.chats.retrieve("00000000-0000-4000-8000-000000000000").catch((error) => ({
    name: error.constructor.name,
    status: error.status,
    code: error.error.error?.code ?? error.error.code,
  }));
}

function methods(holder, prefix = "") {
  const found = [];
  for (const [name, value] of Object.entries(holder)) {
    if (!value || !Object.getOwnPropertyNames(value).includes("_client")) continue;
    const own = Object.getOwnPropertyNames(Object.getPrototypeOf(value)).filter((one) => one !== "constructor");
    found.push(...own.map((one) => `${prefix}${name}.${one}`), ...methods(value, `${prefix}${name}.`));
  }
  return found;
}

const subscription = await subscribe();
const chat = await talk();
await parts(chat);
await groups();
await lines(chat);
await settled();
made["webhookSubscriptions.delete"] = (await sdk.webhookSubscriptions.delete(subscription)) ?? null;
const events = {};
for (const { version, headers, body } of hooks) {
  (events[version] ??= []).push(sdk.webhooks.unwrap(body, { headers, key: secrets[version] }));
}
let forged = "accepted";
try {
  sdk.webhooks.unwrap(hooks[0].body.replace("v3", "v4"), { headers: hooks[0].headers, key: secrets[hooks[0].version] });
} catch {
  forged = "refused";
}
listener.close();
console.log(JSON.stringify({ made, answers, events, forged, methods: methods(sdk).sort() }));

// One session of @xmpp/client, told by a line of JSON what to do, and telling in lines of JSON
// what happens: how it logs in, its tokens, its address, messages, and its end.
import { webcrypto } from "node:crypto";
import { createInterface } from "node:readline";

globalThis.crypto ??= webcrypto; // older than Node 20
const { client, xml } = await import("@xmpp/client");

const say = (event, what = null) => console.log(JSON.stringify({ event, what }));
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const told = JSON.parse((await lines.next()).value);

const xmpp = client({
  service: told.service,
  domain: told.domain,
  resource: "test",
  credentials: told.credentials,
  userAgent: xml("user-agent", { id: told.id }, xml("software", {}, "xmpp.js")),
});
xmpp.reconnect.stop();
xmpp.fast.saveToken = async (token) => say("token", token);
xmpp.fast.deleteToken = async () => say("token", null);
xmpp.fast.fetchToken = async () => told.credentials.token;
xmpp.on("error", (error) => say("error", String(error)));
xmpp.on("send", (element) => {
  if (element.is("authenticate") || element.is("response")) say("sent", element.name);
});
xmpp.on("nonza", (element) => {
  if (element.is("success")) say("success", element.toString());
});
xmpp.on("stanza", (stanza) => {
  if (stanza.is("message") && stanza.getChildText("body"))
    say("message", { from: stanza.attrs.from, body: stanza.getChildText("body") });
});
xmpp.on("disconnect", () => say("offline"));
xmpp.on("online", (address) => say("online", address.toString()));

await xmpp.start().catch((error) => say("error", String(error)));
for (let line = await lines.next(); !line.done; line = await lines.next()) {
  const { to, body } = JSON.parse(line.value);
  await xmpp.send(xml("message", { to, type: "chat" }, xml("body", {}, body)));
}
await xmpp.stop();
say("end");

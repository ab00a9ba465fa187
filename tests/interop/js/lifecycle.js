// SPDX-License-Identifier: Apache-2.0

// Cases about connections: what INFO said, drain, reconnect, lame duck.

import assert from "node:assert/strict";
import { dial, expectNoInterest, Inbox, sayReady, statusEvent, within } from "./support.js";

async function connectAndClose(options) {
  const nc = await dial(options);
  // The test compares this with the INFO line that the server sends.
  const { server_id, server_name, version, proto, host, port, headers, max_payload, client_id, client_ip } = nc.info;
  console.log(JSON.stringify({
    server_id, server_name, version, proto, host, port, headers, max_payload, client_id, client_ip,
  }));
  await nc.close();
  assert.equal(await nc.closed(), undefined);
  assert.ok(nc.isClosed());
}

async function flushRtt(options) {
  const nc = await dial(options);
  for (let i = 0; i < 10; i++) {
    nc.publish("nobody.listens", "x");
    await within(nc.flush(), "flush");
  }
  assert.ok(await within(nc.rtt(), "RTT") >= 0); // whole milliseconds
}

async function drainSubscription(options) {
  const nMsgs = 500;
  const publisher = await dial(options);
  const subscriber = await dial(options);
  const sub = subscriber.subscribe("drain.me");
  await subscriber.flush();

  for (let i = 0; i < nMsgs; i++) {
    publisher.publish("drain.me", "x");
  }
  await publisher.flush();
  await within(sub.drain(), "subscription drain");
  // The loop ends by itself because the subscription is drained.
  let nReceived = 0;
  for await (const msg of sub) {
    assert.equal(msg.string(), "x");
    nReceived++;
  }
  assert.equal(nReceived, nMsgs);

  assert.ok(!subscriber.isClosed());
  await expectNoInterest(publisher, "drain.me");
}

async function drainConnection(options) {
  const nMsgs = 500;
  const client = await dial(options);
  const service = await dial(options);
  const answers = await Inbox.open(client, "answers");
  let nAnswered = 0;
  const callback = (_error, msg) => {
    nAnswered += msg.respond(msg.data) ? 1 : 0;
  };
  service.subscribe("work.a", { callback });
  service.subscribe("work.b", { queue: "workers", callback });
  await service.flush();

  const subjects = ["work.a", "work.b"];
  for (let i = 0; i < nMsgs; i++) {
    client.publish(subjects[i % 2], "x", { reply: "answers" });
  }
  await client.flush();
  await within(service.drain(), "connection drain");
  assert.equal(await within(service.closed(), "connection closed"), undefined);
  assert.equal(nAnswered, nMsgs);
  for (let i = 0; i < nMsgs; i++) {
    await answers.expectText("x");
  }
  await answers.expectNothing();
  await expectNoInterest(client, "work.a");
}

async function reconnect(options) {
  const nc = await dial({ ...options, maxReconnectAttempts: -1, reconnectTimeWait: 20, reconnectJitter: 0 });
  const oldId = nc.info.server_id;
  const lost = statusEvent(nc, "disconnect");
  const back = statusEvent(nc, "reconnect");

  const plain = await Inbox.open(nc, "news");
  const tail = await Inbox.open(nc, "deep.>");
  const readers = await Inbox.open(nc, "news", { queue: "readers" });
  nc.publish("news", "old");
  await plain.expectText("old");
  await readers.expectText("old");
  sayReady();

  await within(lost, "disconnected");
  await within(back, "reconnected");
  await within(nc.flush(), "flush");
  assert.notEqual(nc.info.server_id, oldId);

  nc.publish("news", "fresh");
  nc.publish("deep.down.here", "deep");
  await plain.expectText("fresh");
  await readers.expectText("fresh");
  await tail.expectText("deep");
  await plain.expectNothing();
  await readers.expectNothing();
  await tail.expectNothing();
}

async function lameDuck(options) {
  const nc = await dial(options);
  const notice = statusEvent(nc, "ldm");
  await nc.flush();
  assert.equal(nc.info.ldm, undefined);
  sayReady();
  await within(notice, "lame duck notice");
}

export const cases = {
  connect: connectAndClose,
  flush_rtt: flushRtt,
  drain_subscription: drainSubscription,
  drain_connection: drainConnection,
  reconnect,
  lame_duck: lameDuck,
};

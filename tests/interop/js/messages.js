// SPDX-License-Identifier: Apache-2.0

// Cases about what is delivered, to whom and in which order. Publisher and subscriber are always two connections, so
// that a message has to cross the server.

import assert from "node:assert/strict";
import { headers } from "@nats-io/transport-node";
import { dial, expectNoInterest, Inbox, request } from "./support.js";

async function pubsub(options) {
  const publisher = await dial(options);
  const subscriber = await dial(options);
  const inbox = await Inbox.open(subscriber, "greet");
  const other = await Inbox.open(subscriber, "greeting");

  const texts = ["hello", "", "PUB greet 3\r\n"];
  for (const text of texts) {
    publisher.publish("greet", text);
  }
  publisher.publish("greet", "with reply", { reply: "answer.here" });
  await publisher.flush();
  for (const text of texts) {
    await inbox.expectText(text);
  }
  const msg = await inbox.next();
  assert.equal(msg.subject, "greet");
  assert.equal(msg.reply, "answer.here");

  inbox.sub.unsubscribe();
  await subscriber.flush();
  await expectNoInterest(publisher, "greet");
  await other.expectNothing();
}

async function wildcard(options) {
  const publisher = await dial(options);
  const subscriber = await dial(options);
  const subjects = ["a", "a.b", "a.b.c", "a.x.c", "a.b.c.d", "b.b.c"];
  const wanted = {
    "a.*.c": ["a.b.c", "a.x.c"],
    "a.>": ["a.b", "a.b.c", "a.x.c", "a.b.c.d"],
    ">": subjects,
  };
  const inboxes = {};
  for (const pattern of Object.keys(wanted)) {
    inboxes[pattern] = await Inbox.open(subscriber, pattern);
  }

  for (const subject of subjects) {
    publisher.publish(subject, subject);
  }
  await publisher.flush();
  for (const [pattern, inbox] of Object.entries(inboxes)) {
    for (const subject of wanted[pattern]) {
      const msg = await inbox.next();
      assert.equal(msg.subject, subject, pattern);
      assert.equal(msg.string(), subject, pattern);
    }
    await inbox.expectNothing();
  }
}

async function queue(options) {
  const nMsgs = 600;
  const publisher = await dial(options);
  const first = await dial(options);
  const second = await dial(options);
  const members = [
    await Inbox.open(first, "work", { queue: "workers" }),
    await Inbox.open(first, "work", { queue: "workers" }),
    await Inbox.open(second, "work", { queue: "workers" }),
  ];
  const audit = await Inbox.open(second, "work", { queue: "audit" });
  const plain = await Inbox.open(second, "work");

  for (let i = 0; i < nMsgs; i++) {
    publisher.publish("work", "job");
  }
  await publisher.flush();
  for (let i = 0; i < nMsgs; i++) {
    await audit.expectText("job");
    await plain.expectText("job");
  }
  await audit.expectNothing();
  await plain.expectNothing();
  await first.flush();

  const shares = members.map((member) => member.pending);
  assert.ok(shares.every((n) => n > 0), `a member got nothing: ${shares}`);
  assert.equal(shares.reduce((sum, n) => sum + n), nMsgs);
}

async function requestReply(options) {
  const nRequests = 100;
  const client = await dial(options);
  const service = await dial(options);
  service.subscribe("echo", {
    callback: (_error, msg) => msg.respond(msg.data),
  });
  await service.flush();

  for (let i = 0; i < nRequests; i++) {
    const answer = await request(client, "echo", `question ${i}`);
    assert.equal(answer.string(), `question ${i}`);
  }
}

async function multiHeaders(options) {
  const publisher = await dial(options);
  const subscriber = await dial(options);
  const inbox = await Inbox.open(subscriber, "with.headers");
  const wanted = {
    "X-Multi": ["one", "two", "three"],
    "x-multi": ["not the same key"],
    "cAmEl-Key": ['a: b; c="d", grüß'],
  };

  assert.equal(publisher.info.headers, true);
  for (const payload of ["payload", ""]) {
    const sent = headers();
    for (const [key, values] of Object.entries(wanted)) {
      for (const value of values) {
        sent.append(key, value);
      }
    }
    publisher.publish("with.headers", payload, { reply: "answer.here", headers: sent });
    await publisher.flush();
    const got = await inbox.next();
    assert.deepEqual(Object.fromEntries(got.headers), wanted);
    assert.equal(got.reply, "answer.here");
    assert.equal(got.string(), payload);
  }
}

async function noResponders(options) {
  const nc = await dial(options);
  await expectNoInterest(nc, "nobody.home");
}

async function autoUnsubscribe(options) {
  const max = 5;
  const publisher = await dial(options);
  const subscriber = await dial(options);
  const inbox = await Inbox.open(subscriber, "few", { max });

  for (let i = 0; i < 2 * max; i++) {
    publisher.publish("few", String(i));
  }
  await publisher.flush();
  for (let i = 0; i < max; i++) {
    await inbox.expectText(String(i));
  }
  assert.ok((await inbox.messages.next()).done);
  // The library drops what is too much, and then sends an UNSUB of its own: only its count shows what the server sent.
  await subscriber.flush();
  assert.equal(subscriber.stats().inMsgs, max);
  await expectNoInterest(publisher, "few");
}

async function order(options) {
  const nMsgs = 10_000;
  const publisher = await dial(options);
  const subscriber = await dial(options);
  const inbox = await Inbox.open(subscriber, "order.*");

  const subjects = ["order.even", "order.odd"];
  for (let i = 0; i < nMsgs; i++) {
    publisher.publish(subjects[i % 2], String(i));
  }
  await publisher.flush();
  for (let i = 0; i < nMsgs; i++) {
    await inbox.expectText(String(i));
  }
  await inbox.expectNothing();
}

async function largePayload(options) {
  const size = 1024 * 1024;
  const publisher = await dial(options);
  const subscriber = await dial(options);
  const inbox = await Inbox.open(subscriber, "large");
  const payload = Uint8Array.from({ length: size + 1 }, (_, i) => i * 31 + Math.floor(i / 256)); // every byte value
  payload.set(Buffer.from("\r\nPUB large 3\r\nabc\r\nPING\r\n"), size / 2);

  assert.equal(publisher.info.max_payload, size);
  publisher.publish("large", payload.subarray(0, size));
  assert.throws(() => publisher.publish("large", payload), /max_payload/);
  await publisher.flush();
  const msg = await inbox.next();
  assert.equal(Buffer.compare(msg.data, payload.subarray(0, size)), 0);
  await inbox.expectNothing();
}

export const cases = {
  pubsub,
  wildcard,
  queue,
  request: requestReply,
  headers: multiHeaders,
  no_responders: noResponders,
  auto_unsubscribe: autoUnsubscribe,
  order,
  large_payload: largePayload,
};
